"""How an operation is carried out: who hears of it, who may cancel it, and what runs playbooks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ringfence.estate.listening import SILENT, Listener
from ringfence.rollout.cancellation import Cancellation

if TYPE_CHECKING:
    from ringfence.rollout import Event, PlaybookResult

__all__ = ["Cancellation", "Event", "Execution", "PlaybookResult", "Runner"]


class Runner(Protocol):
    """Runs a playbook of the collection; `ringfence.rollout.run_playbook` is one."""

    def __call__(
        self,
        name: str,
        inventory: Sequence[Path | str],
        extravars: Mapping[str, object],
        on_event: Callable[[Event], None],
        *,
        directory: Path,
        limit: Sequence[str],
        expected: Sequence[str],
        check: bool,
        cancel: Cancellation,
    ) -> PlaybookResult:
        """Return what became of every host. Raise Interrupted where it was cancelled."""


@dataclass(frozen=True, slots=True)
class Execution:
    """The surroundings of one operation; `runner` None is Ansible's."""

    listener: Listener = SILENT
    cancel: Cancellation = field(default_factory=Cancellation)
    runner: Runner | None = None

    def run_playbook(self) -> Runner:
        """Return what runs playbooks."""
        if self.runner is not None:
            return self.runner
        from ringfence.rollout import run_playbook

        return run_playbook
