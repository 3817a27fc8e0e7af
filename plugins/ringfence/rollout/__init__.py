"""A plan through Ansible: the collection's playbooks run by ansible-runner, with events and plain results."""

from ringfence.rollout.cancellation import Cancellation
from ringfence.rollout.events import Event, EventKind
from ringfence.rollout.interruption import Interrupted
from ringfence.rollout.results import HostResult, PlaybookResult
from ringfence.rollout.runner import run_playbook

__all__ = ["Cancellation", "Event", "EventKind", "HostResult", "Interrupted", "PlaybookResult", "run_playbook"]
