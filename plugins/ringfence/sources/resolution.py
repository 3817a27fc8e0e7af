"""Names to addresses, as the machine that Ringfence runs on resolves them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from ringfence.sources.host_variables import sorted_points
from ringfence.sources.identifying import identifying_point

# Waiting for name servers costs no CPU; more at once than that and small resolvers drop queries.
AT_ONCE = 32


def resolve_names(names: Iterable[str]) -> Mapping[str, tuple[int, ...]]:
    """Return the points of every name, both families, sorted; empty for a name that does not resolve."""
    distinct = sorted(set(names))
    if not distinct:
        return {}
    with ThreadPoolExecutor(min(AT_ONCE, len(distinct))) as pool:
        return dict(zip(distinct, pool.map(_resolved, distinct), strict=True))


def resolve_within(
    seconds: float, known: Mapping[str, tuple[int, ...]], names: Iterable[str]
) -> Mapping[str, tuple[int, ...]]:
    """Return the points of names as far as they resolve within some seconds; of others what was `known` of them.

    For work that must not wait for a name server: a question that hangs is left to itself.
    """
    distinct = sorted(set(names))
    found: dict[str, tuple[int, ...]] = {}
    waiting = iter(distinct)
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                name = next(waiting, None)
            if name is None:
                return
            found[name] = _resolved(name)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(AT_ONCE, len(distinct)))]
    until = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    answered = dict(found)
    return {name: answered.get(name) or known.get(name, ()) for name in distinct}


def _resolved(name: str) -> tuple[int, ...]:
    try:
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError):
        return ()
    return sorted_points(identifying_point(str(answer[4][0])) for answer in answers)
