"""Host state as reported by workloads (held plan, capabilities, management address), saved for the next plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ringfence.estate.held_tables import known_records
from ringfence.model.counts import counted
from ringfence.model.errors import OutsideError
from ringfence.model.problems import Problem, Severity
from ringfence.model.safe_text import clean_line
from ringfence.operations.hosts import decided_enforcers
from ringfence.plan import Held, write_state
from ringfence.plan.artefact import time_text
from ringfence.plan.host_names import askable
from ringfence.plan.host_records import state_alone
from ringfence.plan.journals import marks
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ringfence.estate import Estate
    from ringfence.operations.execution import Execution

LOOK = "who controls it may say anything"


def ask_hosts(estate: Estate, execution: Execution) -> None:
    """Ask every workload what it holds, and keep the answers.

    Hosts that do not answer are named, and their records stay. Raise OutsideError if no host answers.
    """
    from ringfence.operations.drive import drive

    workloads = sorted(name for name in estate.compilation.tables if askable(name))
    marked = marks(estate.plans)
    result = drive(
        estate,
        "info",
        {"ringfence_hosts": ":".join(workloads), "ringfence_enforcers": decided_enforcers(estate)},
        workloads,
        execution,
    )
    told = {name: host.result for name, host in result.hosts.items() if host.ok}
    silent = sorted(name for name, host in result.hosts.items() if not host.ok)
    if silent and not told:
        raise OutsideError(
            f"{counted(len(silent), 'host does', 'hosts do')} not say what "
            f"{'it holds' if len(silent) == 1 else 'they hold'}: "
            f"{first_few(silent)}: {result.hosts[silent[0]].reason}",
            remedy="reach them, or plan without --rebase: they refuse where they hold something else than is expected",
        )
    problems = [
        Problem(
            Severity.WARNING,
            f"{clean_line(name)} does not say what it holds: {result.hosts[name].state}: {result.hosts[name].reason}",
            remedy="it is planned from what is known of it, and refuses where it holds something else",
        )
        for name in silent
    ]
    execution.listener.problems([*problems, *keep_answers(estate, told, marked)])


def keep_answers(
    estate: Estate, answers: Mapping[str, Mapping[str, object]], marked: Mapping[str, int]
) -> list[Problem]:
    """Keep what hosts told, by name: the results of `policy_info`, or `held` of `policy_verify`.

    `marked` is how far the journals were when they were asked. Return a warning for each host whose answer is no state
    of ours; what was known of it stays.
    """
    with state_alone(estate.directory):
        return _keep(estate, answers, marked)


def _keep(estate: Estate, answers: Mapping[str, Mapping[str, object]], marked: Mapping[str, int]) -> list[Problem]:
    problems = []
    hosts = known_records(estate)
    before = {name: one.features for name, one in hosts.items()}
    for name, told in answers.items():
        try:
            hosts[name] = Held(
                ruleset=_text(told, "ruleset"),
                table=_text(told, "table"),
                plan=_text(told, "plan"),
                sequence=int(str(told.get("sequence") or 0)),
                seen=time_text(estate.now),
                reached_from=_text(told, "reached_from"),
                # the part of another enforcer does not tell what this one did
                features={**(hosts[name].features if name in hosts else {}), **_features(told.get("features"))},
            )
        except (ValidationError, ValueError):
            message = f"{clean_line(name)} answers with a state that is not valid; what was known of it stays"
            problems.append(Problem(Severity.WARNING, message, remedy=f"look at the host: {LOOK}"))
    write_state(estate.directory, hosts, marked)
    if {name: one.features for name, one in hosts.items()} != before:
        estate.hosts_told()
    return problems


def _text(told: Mapping[str, object], key: str) -> str:
    value = told.get(key)
    return value if isinstance(value, str) else ""


def _features(value: object) -> dict[str, JsonValue]:
    if not isinstance(value, Mapping):
        return {}
    return {str(key): one for key, one in value.items() if isinstance(one, str | bool | int)}
