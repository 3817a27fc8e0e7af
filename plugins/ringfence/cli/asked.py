"""What hosts tell about themselves, kept for the next plan: what they hold, what they can, where Ansible comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ringfence.model.errors import OutsideError
from ringfence.plan import Held, known, write_state
from ringfence.plan.artefact import time_text

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ringfence.cli.session import Session


def ask_hosts(session: Session) -> None:
    """Ask every workload what it holds, and keep the answers; raises OutsideError naming those that do not answer."""
    from ringfence.cli.driving import drive

    workloads = sorted(session.compilation.tables)
    outcome = drive(session, "info", {"ringfence_hosts": ":".join(workloads)}, workloads)
    keep_answers(session, {name: host.result for name, host in outcome.hosts.items() if host.ok})
    silent = sorted(name for name, host in outcome.hosts.items() if not host.ok)
    if silent:
        raise OutsideError(
            f"{len(silent)} hosts do not say what they hold: {', '.join(silent[:10])}"
            f"{' …' if len(silent) > 10 else ''}: {outcome.hosts[silent[0]].reason}",
            remedy="reach them, or plan without --rebase: they refuse where they hold something else than is expected",
        )


def keep_answers(session: Session, answers: Mapping[str, Mapping[str, object]]) -> None:
    """Keep what hosts told, by name: the results of `linux_policy_info`, or `held` of `linux_policy_verify`."""
    hosts = known(session.directory, session.directory / "plans")
    for name, told in answers.items():
        try:
            hosts[name] = Held(
                ruleset=_text(told, "ruleset"),
                table=_text(told, "table"),
                plan=_text(told, "plan"),
                sequence=int(str(told.get("sequence") or 0)),
                seen=time_text(session.now),
                reached_from=_text(told, "reached_from"),
                features=_features(told.get("features")),
            )
        except (ValidationError, ValueError) as error:
            raise OutsideError(f"{name} answers with what is no state of ours: {error}") from error
    write_state(session.directory, hosts)


def _text(told: Mapping[str, object], key: str) -> str:
    value = told.get(key)
    return value if isinstance(value, str) else ""


def _features(value: object) -> dict[str, JsonValue]:
    if not isinstance(value, Mapping):
        return {}
    return {str(key): one for key, one in value.items() if isinstance(one, str | bool)}
