"""What a playbook did with a plan, host by host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.operations.drive import exit_status

if TYPE_CHECKING:
    from ringfence.plan import Plan
    from ringfence.rollout import PlaybookResult


@dataclass(frozen=True, slots=True)
class PlanResult:
    """A plan and what became of its hosts; `interrupted` where a person stopped it."""

    plan: Plan
    result: PlaybookResult
    interrupted: bool = False

    @property
    def well(self) -> int:
        """Return how many hosts did what was asked."""
        return sum(host.ok for host in self.result.hosts.values())

    @property
    def changed(self) -> list[str]:
        """Return the names of the hosts that changed."""
        return sorted(name for name, host in self.result.hosts.items() if host.changed)

    @property
    def exit_status(self) -> int:
        """Return the status of the command, of one that was not interrupted."""
        return exit_status(self.result)
