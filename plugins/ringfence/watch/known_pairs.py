"""Label pairs that were seen before, of the flow store: two that meet for the first time are an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ringfence.watch.events import End, Kind, WatchEvent

Labels = tuple[tuple[str, str], ...] | None
# Pairs that are remembered; beyond that no pair is called new.
MOST = 200_000


class KnownPairs:
    """The pairs of label combinations that flows were seen between, by the values of some label keys.

    Where none was ever kept there is nothing that a pair could be new against: then none is.
    """

    def __init__(self, keys: Iterable[str], rows: Iterable[Mapping[str, object]]) -> None:
        self._keys = tuple(keys)
        self._pairs = {(_sorted(row["from"]), _sorted(row["to"])) for row in rows}
        self.known = len(self._pairs)

    def is_new(self, event: WatchEvent) -> bool:
        """Return whether the labels of both ends met for the first time; from now on they are known."""
        if not self.known or len(self._pairs) >= MOST:
            return False
        pair = self._labels(event.client), self._labels(event.server)
        if pair in self._pairs:
            return False
        self._pairs.add(pair)
        return True

    def event(self, event: WatchEvent) -> WatchEvent:
        """Return that a flow is the first of its label pair."""
        return replace(event, kind=Kind.NEW_PAIR, rule="", place="", detail="never seen before")

    def _labels(self, end: End) -> Labels:
        if end.labels is None:
            return None
        return tuple(sorted((key, value) for key, value in end.labels.items() if key in self._keys))


def _sorted(labels: object) -> Labels:
    return tuple(sorted((str(key), str(value)) for key, value in labels.items())) if isinstance(labels, dict) else None
