"""Stretches of the service line: a question about many ports, cut where its answer may change."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from ringfence.model.intervals import Interval, IntervalSet
from ringfence.model.services import BLOCK, ICMP, ICMPV6

# RFC 792, RFC 4443: a message type is one octet, so the rest of its block of the line stands for nothing.
LAST_TYPE = 255


def stretches(asked: IntervalSet, edges: Iterable[int]) -> Iterator[Interval]:
    """Yield the asked points in order as closed intervals, none of which crosses an edge.

    An edge is a point where an outcome may change. Points after the last ICMP type are not edges.
    """
    cuts = sorted({edge for edge in edges if not _is_no_type(edge)})
    for low, high in asked:
        inside = cuts[bisect_right(cuts, low) : bisect_left(cuts, high + 1)]
        yield from zip((low, *inside), (*(cut - 1 for cut in inside), high), strict=True)


def _is_no_type(point: int) -> bool:
    protocol, port = divmod(point, BLOCK)
    return protocol in (ICMP, ICMPV6) and port > LAST_TYPE
