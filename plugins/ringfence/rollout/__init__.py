"""A plan through Ansible: the collection's playbooks run by ansible-runner, with events and plain results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.lazy_names import lazy_names

if TYPE_CHECKING:
    from ringfence.rollout.cancellation import Cancellation
    from ringfence.rollout.events import Event, EventKind
    from ringfence.rollout.interruption import Interrupted
    from ringfence.rollout.results import HostResult, PlaybookResult
    from ringfence.rollout.runner import run_playbook

__all__ = [
    "Cancellation",
    "Event",
    "EventKind",
    "HostResult",
    "Interrupted",
    "PlaybookResult",
    "run_playbook",
]

__getattr__ = lazy_names(
    __name__,
    {
        "cancellation": ("Cancellation",),
        "events": (
            "Event",
            "EventKind",
        ),
        "interruption": ("Interrupted",),
        "results": (
            "HostResult",
            "PlaybookResult",
        ),
        "runner": ("run_playbook",),
    },
)
