"""Having hosts look up the names (fqdn) of their policy now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ringfence.operations.execution import Execution
from ringfence.operations.hosts import HostsResult, chosen_workloads, run_on_hosts

if TYPE_CHECKING:
    from ringfence.estate import Estate


def refresh(estate: Estate, words: Sequence[str] = (), execution: Execution | None = None) -> HostsResult:
    """Put what names resolve to now into the tables of workloads; return what became of each."""
    return run_on_hosts(estate, "refresh", chosen_workloads(estate, words), execution or Execution())
