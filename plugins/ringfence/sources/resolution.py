"""Names to addresses, as the machine that Ringfence runs on resolves them."""

from __future__ import annotations

import socket
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


def _resolved(name: str) -> tuple[int, ...]:
    try:
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError):
        return ()
    return sorted_points(identifying_point(str(answer[4][0])) for answer in answers)
