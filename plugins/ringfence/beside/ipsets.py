"""Sets of ipset, as `ipset save` tells them: what is in those whose kind is known, and nothing of others."""

from __future__ import annotations

from dataclasses import dataclass, field

from ringfence.beside.values import PROTOCOLS, Ranges, addresses

# Elements of a set with ports that are looked at one by one.
MOST_ROWS = 20_000
_KINDS = ("hash:ip", "hash:net", "bitmap:ip", "bitmap:port", "hash:ip,port", "hash:net,port")


@dataclass(slots=True)
class IpSet:
    """One set: the intervals of its addresses or ports, or rows of an interval of addresses with one of services.

    A service is `protocol * 65536 + port`. `known` is False where it holds what this reader does not understand.
    """

    kind: str
    known: bool = True
    ranges: Ranges = field(default_factory=lambda: Ranges(()))
    rows: list[tuple[tuple[int, int], tuple[int, int]]] = field(default_factory=list)


def read_sets(text: str) -> dict[str, IpSet]:
    """Return the sets of a listing by name; a line that is none makes the set that it is of unknown."""
    sets: dict[str, IpSet] = {}
    intervals: dict[str, list[tuple[int, int]]] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 3 and words[0] == "create":
            sets[words[1]] = IpSet(words[2], known=words[2] in _KINDS)
            intervals[words[1]] = []
        elif len(words) >= 3 and words[0] == "add" and words[1] in sets:
            one = sets[words[1]]
            try:
                _add(one, words[2], intervals[words[1]])
            except (ValueError, KeyError):
                one.known = False
            # an element that ends may be gone by now; what excepts others is no element
            one.known = one.known and not {"nomatch", "wildcard"} & set(words[3:])
    for name, one in sets.items():
        one.ranges = Ranges(intervals[name])
    return sets


def _add(one: IpSet, element: str, intervals: list[tuple[int, int]]) -> None:
    if one.kind == "bitmap:port":
        intervals.append(_ports(element))
    elif one.kind.endswith(",port"):
        address, _, service = element.partition(",")
        protocol, colon, port = service.partition(":")
        if not colon or len(one.rows) >= MOST_ROWS:
            raise ValueError("a service")
        low, high = _ports(port)
        base = PROTOCOLS[protocol] << 16
        one.rows.append((addresses(address), (base + low, base + high)))
    elif one.known:
        intervals.append(addresses(element))


def _ports(text: str) -> tuple[int, int]:
    low, dash, high = text.partition("-")
    return int(low), int(high if dash else low)
