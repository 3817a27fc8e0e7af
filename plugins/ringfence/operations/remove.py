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


def remove(estate: Estate, hosts: Sequence[str], execution: Execution | None = None) -> HostsResult:
    """Remove everything of ours from hosts, and keep that they hold nothing; return what became of each.

    Raise InputError where a run works on the workspace.
    """
    execution = execution or Execution()
    marked = marks(estate.plans)
    with only_driver(estate):
        done = run_on_hosts(estate, "remove", hosts, execution)
    left: dict[str, dict[str, object]] = {name: {} for name, host in done.result.hosts.items() if host.ok}
    execution.listener.problems(keep_answers(estate, left, marked))
    return done
