"""Having hosts look up the names (fqdn) of their policy now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ringfence.operations.emergency_newcomers import carry_over
from ringfence.operations.execution import Execution
from ringfence.operations.hosts import HostsResult, chosen_workloads, run_on_hosts

if TYPE_CHECKING:
    from ringfence.estate import Estate


def refresh(estate: Estate, words: Sequence[str] = (), execution: Execution | None = None) -> HostsResult:
    """Put what names resolve to now into the tables of workloads; return what became of each.

    Quarantines that stand are put on them too, where they lack them.
    """
    execution = execution or Execution()
    done = run_on_hosts(estate, "refresh", chosen_workloads(estate, words), execution)
    carry_over(estate, [name for name, host in done.result.hosts.items() if host.ok], execution)
    return done
