"""Scans: one client that many servers or ports refuse, or leave without an answer, in a short time."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace

from ringfence.watch.events import DENIALS, Kind, WatchEvent

# Clients that are watched for scans; the one heard of longest ago is forgotten first.
CLIENTS = 4096
# Seconds after which a scan that goes on is told again.
AGAIN = 60


@dataclass(slots=True)
class _Tries:
    """What a client tried, oldest first: the time, the server and the service; how often each target stands there."""

    tried: deque[tuple[float, tuple[int, str]]] = field(default_factory=deque)
    targets: dict[tuple[int, str], int] = field(default_factory=dict)
    told: float = 0.0


class Scans:
    """Tells of a client once `targets` different servers and services did not let it in within `within` seconds."""

    def __init__(self, targets: int, within: int) -> None:
        self._targets = targets
        self._within = within
        self._clients: OrderedDict[int, _Tries] = OrderedDict()

    def take(self, event: WatchEvent) -> tuple[bool, WatchEvent | None]:
        """Return whether an attempt is part of a scan, and the scan as an event of its own.

        That is when it begins, and each minute that it goes on.
        """
        if event.answered or (event.kind not in DENIALS and event.kind is not Kind.ALLOWED):
            return False, None
        now = event.time.timestamp()
        tries = self._clients.pop(event.client.point, None) or _Tries()
        self._clients[event.client.point] = tries
        if len(self._clients) > CLIENTS:
            self._clients.popitem(last=False)
        target = (event.server.point, event.service)
        tries.tried.append((now, target))
        tries.targets[target] = tries.targets.get(target, 0) + 1
        while tries.tried and (tries.tried[0][0] < now - self._within or len(tries.tried) > 4 * self._targets):
            _, old = tries.tried.popleft()
            tries.targets[old] -= 1
            if not tries.targets[old]:
                del tries.targets[old]
        if len(tries.targets) < self._targets:
            return False, None
        if now - tries.told < AGAIN:
            return True, None
        tries.told = now
        servers = len({server for server, _ in tries.targets})
        services = len({service for _, service in tries.targets})
        detail = f"{servers} servers, {services} services, none let it in"
        return True, replace(event, kind=Kind.SCAN, rule="", place="", count=len(tries.targets), detail=detail)
