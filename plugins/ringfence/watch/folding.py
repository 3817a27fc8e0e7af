"""Folding: of many events of one kind the first is told at once, the others are counted and told later as one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ringfence.watch.events import Kind, WatchEvent

Key = tuple[object, ...]
# Seconds in which equal events are one.
WITHIN = 60.0
# Kinds of events that are remembered; what is more is told as the first of its kind.
REMEMBERED = 20_000


def folding_key(event: WatchEvent) -> Key:
    """Return what events have in common that are one for people: labels of both ends, service, rule, kind."""
    return event.kind, _who(event, "client"), _who(event, "server"), event.service, event.rule


def _who(event: WatchEvent, side: str) -> object:
    end = event.client if side == "client" else event.server
    if event.kind is Kind.SCAN:
        return end.point if side == "client" else None
    if end.labels is None:
        return None
    return tuple(sorted(end.labels.items())) or end.asset


@dataclass(slots=True)
class _Held:
    event: WatchEvent
    since: float
    count: int = 0


class Folding:
    """Tells the first event of each key at once, and how many followed when a minute is over."""

    def __init__(self, within: float = WITHIN) -> None:
        self._within = within
        self._held: OrderedDict[Key, _Held] = OrderedDict()

    def take(self, event: WatchEvent) -> WatchEvent | None:
        """Return an event that is to be told now; one that was held back is counted."""
        key = folding_key(event)
        held = self._held.get(key)
        if held is not None:
            held.count += event.count
            held.event = event
            return None
        self._held[key] = _Held(event, event.time.timestamp())
        if len(self._held) > REMEMBERED:
            self._held.popitem(last=False)
        return event

    def due(self, now: float) -> Iterator[WatchEvent]:
        """Yield what was held back long enough, as one event with its count; `now` in seconds since 1970."""
        while self._held:
            key, held = next(iter(self._held.items()))
            if now - held.since < self._within:
                return
            del self._held[key]
            if held.count:
                self._held[key] = _Held(held.event, now)
                yield replace(held.event, count=held.count)

    def rest(self) -> Iterator[WatchEvent]:
        """Yield all that is held back, each as one event with its count, and forget it."""
        held, self._held = self._held, OrderedDict()
        for one in held.values():
            if one.count:
                yield replace(one.event, count=one.count)
