"""Rolling a run back while it goes on: it ends, what waits is taken back, and another run brings back the rest.

The process of the run does it itself: it holds the workspace's lock, so no other drives these hosts in between, and
whoever asked for it may leave. The directory of the run says who asked (`control.json`) and what came of it
(`back.json`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.model.errors import InputError, RingfenceError
from ringfence.operations.earlier_plan import earlier_plan
from ringfence.operations.runs import begin, refuse_ended
from ringfence.person import person
from ringfence.rollout.results import INTERRUPTED, HostResult
from ringfence.rollout.runs import RunBack, RunDirectory

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.operations.apply import Rollout
    from ringfence.operations.execution import Execution
    from ringfence.operations.passwords import Passwords

TAKEN_BACK = "the run was rolled back: this host holds what it held before"


@dataclass(frozen=True, slots=True)
class WayBack:
    """What rolling a run back would do: the plan that comes back, its short name."""

    run: RunDirectory
    plan: str


def way_back(estate: Estate, run: RunDirectory) -> WayBack:
    """Return how a run that works can be rolled back. Raise InputError where it has ended, or nothing was before it."""
    refuse_ended(run)
    return WayBack(run, earlier_plan(estate, run.facts().plan))


def roll_back_run(estate: Estate, run: RunDirectory) -> WayBack:
    """Have a run end and be rolled back; return the way. Raise InputError where there is none."""
    way = way_back(estate, run)
    run.steer(abort=True, back=person())
    return way


def go_back(
    estate: Estate,
    run: RunDirectory,
    done: Rollout,
    execution: Execution,
    passwords: Passwords,
    release: Callable[[], None],
) -> Rollout:
    """Take a run back that has just ended, in its own process; return what became of its hosts by that.

    `release` gives the workspace's lock away, for the run that brings the earlier plan back. What comes of it is
    written into the directory of the run; nothing is raised.
    """
    try:
        done, left = _taken_back(estate, done, execution)
        changed = [name for name, host in done.result.hosts.items() if host.ok and host.changed]
        back = _restored(estate, run, execution, passwords, release) if changed else RunBack()
        if left:
            remedy = "they go back by themselves when their time to confirm is over"
            back = replace(back, error=f"not taken back at once: {', '.join(left)}", remedy=remedy)
    except RingfenceError as error:
        back = RunBack(error=error.message, remedy=error.remedy or "")
    run.went_back(back)
    return done


def _taken_back(estate: Estate, done: Rollout, execution: Execution) -> tuple[Rollout, list[str]]:
    """Take back what waits on hosts whose step was cut short; return what is known then, and the hosts that refused."""
    from ringfence.operations.rollback import roll_back

    between = [name for name, host in done.result.hosts.items() if host.state == INTERRUPTED]
    if not between:
        return done, []
    taken = roll_back(estate, done.plan.digest, between, execution, of_run=True).result.hosts
    well = [name for name in between if name in taken and taken[name].ok]
    hosts: dict[str, HostResult] = dict(done.result.hosts)
    for name in well:
        hosts[name] = replace(hosts[name], reason=TAKEN_BACK)
    return replace(done, result=replace(done.result, hosts=hosts)), sorted(set(between) - set(well))


def _restored(
    estate: Estate, run: RunDirectory, execution: Execution, passwords: Passwords, release: Callable[[], None]
) -> RunBack:
    """Make the plan that brings back what was held before, and begin to roll it out."""
    from ringfence.operations.apply import ApplyRequest
    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.operations.plan import PlanRequest, make_plan

    facts = run.facts()
    asked = PlanRequest(flows=FlowSelection(), restore=earlier_plan(estate, facts.plan))
    plan = make_plan(estate, asked, execution).draft.plan
    limit = tuple(name for name in facts.limit if name in plan.hosts)
    if facts.limit and not limit:
        raise InputError("the plan before has none of these hosts", remedy="'ringfence remove HOST' frees a host")
    release()
    begun, _ = begin(estate, ApplyRequest(plan.digest, limit=limit, confirm_within=facts.confirm_within), passwords)
    return RunBack(begun.id, plan.digest)
