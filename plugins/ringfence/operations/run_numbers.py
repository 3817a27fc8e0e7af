"""A run in numbers: what its plan's simulation says of flows, how long it holds, what its hosts denied since."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.model.errors import InputError
from ringfence.model.host_denials import HostDenials
from ringfence.operations.info import info
from ringfence.operations.plans import chosen_plan
from ringfence.operations.runs import told_by
from ringfence.rollout.host_counters import denied_by_rule, packets
from ringfence.rollout.results import collect
from ringfence.rollout.run_denials import RunDenials
from ringfence.rollout.runs import RunDirectory, run_directories

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.operations.execution import Execution


@dataclass(frozen=True, slots=True)
class FlowsOfPlan:
    """How many distinct flows a plan's own simulation has denied and allowed, before the plan and under it."""

    denied_before: int
    denied_after: int
    allowed_before: int
    allowed_after: int


@dataclass(frozen=True, slots=True)
class RunNumbers:
    """A run's numbers. `flows` is None where the plan looked at no flow, `denials` where nobody asked the hosts yet.

    `until` is when the next run with one of its hosts began, ISO text, empty where none did: so long the tables held.
    """

    flows: FlowsOfPlan | None = None
    until: str = ""
    denials: RunDenials | None = None


def run_numbers(estate: Estate, run: RunDirectory) -> RunNumbers:
    """Return what is known of a run without asking anybody. Raise InputError for a damaged one."""
    return RunNumbers(_flows(estate, run), _next(estate, run), run.denials())


def ask_denials(estate: Estate, run: RunDirectory, execution: Execution) -> RunDenials:
    """Ask the hosts that a run brought its table to what they denied since, and keep that in the run.

    A table's counters begin at zero when it is loaded. Raise InputError where no host confirmed it yet.
    """
    facts = run.facts()
    results = collect(told.event for told in told_by(run))
    hosts = [name for name in facts.hosts if name in results and results[name].ok]
    if not hosts:
        raise InputError("no host confirmed the plan of this run yet", remedy="ask again when one did")
    answers = info(estate, hosts, execution).result.hosts
    found = []
    for name in hosts:
        host = answers.get(name)
        if host is None or not host.ok:
            found.append(HostDenials(name, reason=host.reason or host.state if host else "it did not answer"))
        elif str(host.result.get("plan"))[:12] != facts.plan[:12]:
            found.append(HostDenials(name, reason="it now holds another plan"))
        else:
            found.append(HostDenials(name, packets(host, "deny"), packets(host, "watch"), denied_by_rule(host)))
    told = RunDenials(estate.now.strftime("%Y-%m-%dT%H:%M:%SZ"), tuple(found))
    run.keep_denials(told)
    return told


def _flows(estate: Estate, run: RunDirectory) -> FlowsOfPlan | None:
    with suppress(InputError):
        categories = chosen_plan(estate, run.facts().plan).plan.simulation.get("categories")
        if isinstance(categories, dict):
            newly_denied, still_denied, newly_allowed, still_allowed = (
                _count(categories.get(name))
                for name in ("newly_denied", "still_denied", "newly_allowed", "still_allowed")
            )
            return FlowsOfPlan(
                newly_allowed + still_denied,
                newly_denied + still_denied,
                newly_denied + still_allowed,
                newly_allowed + still_allowed,
            )
    return None


def _count(value: object) -> int:
    flows = value.get("flows") if isinstance(value, Mapping) else None
    return flows if isinstance(flows, int) else 0


def _next(estate: Estate, run: RunDirectory) -> str:
    hosts = set(run.facts().hosts)
    for other in run_directories(estate.history.state):
        with suppress(InputError):
            if other.id > run.id and hosts & set(other.facts().hosts):
                return other.facts().started
    return ""
