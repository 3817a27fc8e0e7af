"""What waits to be written, so much and no more, shared fairly by the hosts that told of it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Waiting(Generic[T]):
    """Holds so many values by key. Where it is full the host with the most gives way: no liar pushes out others."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._of: dict[str, dict[Hashable, T]] = {}
        self._hosts: dict[Hashable, str] = {}

    def get(self, key: Hashable) -> T | None:
        """Return what waits under a key, None where nothing does."""
        host = self._hosts.get(key)
        return None if host is None else self._of[host][key]

    def put(self, host: str, key: Hashable, value: T) -> bool:
        """Have a value wait, in place of the one of its key; return False where it, or another one, was forgotten."""
        owner = self._hosts.get(key)
        whole = owner is not None or len(self._hosts) < self._most
        if not whole:
            if len(self._of.get(host, ())) * len(self._of) >= self._most:  # it has its share
                return False
            largest = max(self._of.values(), key=len)
            oldest = next(iter(largest))
            del largest[oldest], self._hosts[oldest]
        self._hosts.setdefault(key, host)
        self._of.setdefault(owner or host, {})[key] = value
        return whole

    def take(self) -> list[T]:
        """Return and forget all that waits."""
        found = [value for values in self._of.values() for value in values.values()]
        self._of, self._hosts = {}, {}
        return found
