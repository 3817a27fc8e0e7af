"""Having hosts look up the names (fqdn) of their policy now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ringfence.operations.emergency_newcomers import carry_over
from ringfence.operations.execution import Execution
from ringfence.operations.hosts import HostsResult, chosen_workloads, run_on_hosts
from ringfence.operations.one_driver import only_driver

if TYPE_CHECKING:
    from ringfence.estate import Estate


def refresh(estate: Estate, words: Sequence[str] = (), execution: Execution | None = None) -> HostsResult:
    """Put what names resolve to now into the tables of workloads; return what became of each.

    Quarantines that stand are put on them too, where they lack them. Raise InputError where a run works on the
    workspace.
    """
    execution = execution or Execution()
    hosts = chosen_workloads(estate, words)
    with only_driver(estate) as seen:
        done = run_on_hosts(estate, "refresh", hosts, execution, seen)
    carry_over(estate, [name for name, host in done.result.hosts.items() if host.ok], execution)
    return done
