"""Never two drivers on one host: what changes hosts and is no run keeps runs away, and waits for none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ringfence.model.errors import InputError
from ringfence.rollout.runs import RUNS, left_at_hosts, no_run_begins, run_directories

if TYPE_CHECKING:
    from ringfence.estate import Estate


@contextmanager
def only_driver(estate: Estate) -> Iterator[dict[str, str]]:
    """Keep runs of the workspace from beginning, and give the variable by which others see who works on a host.

    Raise InputError where a run works or begins, or where what was killed left Ansible at a host.
    """
    state = estate.history.state
    with no_run_begins(state):
        living = next((one.id for one in reversed(run_directories(state)) if one.lives()), None)
        if living is not None:
            raise InputError(
                f"a run works on this workspace already: {living}",
                remedy="'ringfence attach --abort' ends it, 'ringfence attach --roll-back' ends it and rolls it back",
            )
        left = left_at_hosts(state)
        if left is not None:
            raise left
        yield {"ringfence_run": str(state / RUNS)}
