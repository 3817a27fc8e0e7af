"""Leaving hosts without a trace: the table, the boot unit and the state go, and nothing is enforced there any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ringfence.operations.execution import Execution
from ringfence.operations.host_state import keep_answers
from ringfence.operations.hosts import HostsResult, run_on_hosts
from ringfence.operations.one_driver import only_driver
from ringfence.plan.journals import marks

if TYPE_CHECKING:
    from ringfence.estate import Estate


def remove(
    estate: Estate, hosts: Sequence[str], execution: Execution | None = None, *, release: bool = False
) -> HostsResult:
    """Remove everything of ours from hosts, and keep that they hold nothing; return what became of each.

    A host on which a quarantine stands refuses, unless `release` ends that too.

    Raise InputError where a run works on the workspace.
    """
    execution = execution or Execution()
    marked = marks(estate.plans)
    with only_driver(estate) as seen:
        variables = {**seen, "ringfence_release": True} if release else seen
        done = run_on_hosts(estate, "remove", hosts, execution, variables)
    left: dict[str, dict[str, object]] = {name: {} for name, host in done.result.hosts.items() if host.ok}
    execution.listener.problems(keep_answers(estate, left, marked))
    return done
