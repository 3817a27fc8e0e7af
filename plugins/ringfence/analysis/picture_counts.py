"""Flows of a picture counted by state and sign."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ringfence.model.picture import WORST_FIRST, PolicyState, Sign, SignCount


class Counting:
    """Counts of some flows by state and sign, and when the last of them was."""

    def __init__(self, states: Sequence[PolicyState]) -> None:
        self._states = states
        self.signs: dict[PolicyState, dict[Sign, SignCount]] = {state: {} for state in states}
        self.refused = SignCount()
        self.connections = 0
        self.last: datetime | None = None

    def add(self, codes: Sequence[object] | None, count: SignCount, last: object) -> None:
        """Count flows that have some signs, in the order of the states; None for those that were refused."""
        if codes is None:
            self.refused += count
        else:
            self.connections += count.connections
            for state, code in zip(self._states, codes, strict=True):
                of_state, sign = self.signs[state], WORST_FIRST[whole(code)]
                of_state[sign] = of_state.get(sign, SignCount()) + count
        if isinstance(last, datetime):
            last = last.replace(tzinfo=UTC)
            self.last = last if self.last is None else max(self.last, last)


def whole(value: object) -> int:
    """Return a whole number of a result."""
    assert isinstance(value, int)
    return value


def time_of(value: object) -> datetime | None:
    """Return a time of a result, which is UTC."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else None
