"""Tests of nft, as `nft -j` writes them: the left side as a field, the right side as values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.beside import values
from ringfence.beside.packets import FORWARD, PORTS, Packet
from ringfence.beside.rules import Match, Test, Truth, agreed, all_of, any_of, negated, never_known, remembered
from ringfence.beside.values import Field, Ranges
from ringfence.model.services import ICMP, ICMPV6
from ringfence.wire.service_words import ICMP_TYPES, ICMPV6_TYPES

Json = Any
# Linux, include/uapi/linux/rtnetlink.h.
_TYPES = {
    "unspec": 0, "unicast": 1, "local": 2, "broadcast": 3, "anycast": 4, "multicast": 5, "blackhole": 6,
    "unreachable": 7, "prohibit": 8,
}  # fmt: skip
# Linux, nf_conntrack_common.h: bits of `ct status`. What nobody translated or expected has none of the second.
_STATUS = {"expected": 1, "seen-reply": 2, "assured": 4, "confirmed": 8, "snat": 16, "dnat": 32, "dying": 512}
_NEVER_SET = 1 | 16 | 32
_OPERATORS: Mapping[str, Callable[[int, int], bool]] = {
    "<": int.__lt__,
    ">": int.__gt__,
    "<=": int.__le__,
    ">=": int.__ge__,
}
_PAYLOADS: Mapping[tuple[str, str], tuple[Field, str]] = {
    ("ip", "saddr"): (values.of_family(values.source, 4), "address"),
    ("ip", "daddr"): (values.of_family(values.destination, 4), "address"),
    ("ip", "protocol"): (values.of_family(values.protocol, 4), "protocol"),
    ("ip6", "saddr"): (values.of_family(values.source, 6), "address"),
    ("ip6", "daddr"): (values.of_family(values.destination, 6), "address"),
    ("ip6", "nexthdr"): (values.of_family(values.protocol, 6), "protocol"),
    ("icmp", "type"): (values.of_protocols(values.message, (ICMP,)), "icmp"),
    ("icmpv6", "type"): (values.of_protocols(values.message, (ICMPV6,)), "icmpv6"),
    ("tcp", "flags"): (values.flags, "flags"),
}
_PORT_FIELDS = {"sport": values.source_port, "dport": values.destination_port}
_WORDS: Mapping[str, Mapping[str, int]] = {
    "protocol": values.PROTOCOLS,
    "icmp": ICMP_TYPES,
    "icmpv6": ICMPV6_TYPES,
    "flags": values.FLAGS,
    "state": values.STATES,
    "type": _TYPES,
    "status": _STATUS,
    "direction": {"original": 0, "reply": 1},
    "family": {"ipv4": 2, "ipv6": 10},
    "ether": {"ip": 0x0800, "ip6": 0x86DD},
    "cast": {"host": 0, "unicast": 0, "broadcast": 1, "multicast": 2},
    "port": {},
    "address": {},
}


# What reading a part of unknown shape may raise.
NOT_UNDERSTOOD = (ValueError, KeyError, TypeError, AttributeError, IndexError)
LONGEST_WORDS = 120


@dataclass(frozen=True, slots=True)
class Left:
    """The left side of a test: a field with the kind of its values, an interface, or several of them in a row.

    `inward`: whether the interface that a packet came in by is meant, or the one that it leaves by.
    """

    text: str
    field: Field = values.unknown
    kind: str = ""
    inward: bool | None = None
    parts: tuple[Left, ...] = ()


class NftMatches:
    """Reads tests of one table; `sets` are its named sets, `edges` the ports and types at which tests may turn.

    `changing` are sets that rules fill while packets pass: nobody can tell what is in them.
    """

    def __init__(self, sets: Mapping[str, Sequence[Json]], changing: frozenset[str], edges: set[int]) -> None:
        self.sets = sets
        self.changing = changing
        self.edges = edges
        self._kept: dict[tuple[str, str], Test] = {}

    def match(self, data: Json) -> Match:
        """Return one test; what is not understood is a test that is never known."""
        try:
            left = left_of(data["left"])
            return Match(self._test(left, data["op"], data["right"]), left.text)
        except NOT_UNDERSTOOD:
            return Match(never_known, words(data["left"] if isinstance(data, dict) and "left" in data else data))

    def choices(self, key: Json, data: Json) -> list[tuple[Match, Json]]:
        """Return the tests of a verdict map, each with what it leads to. Raise one of NOT_UNDERSTOOD."""
        left = left_of(key)
        if isinstance(data, str) and data[1:] in self.changing:
            raise ValueError("a map that changes")
        elements = self.sets[data[1:]] if isinstance(data, str) else data["set"]
        return [(Match(self._among(left, [value]), left.text), verdict) for value, verdict in elements]

    def _test(self, left: Left, operator: str, right: Json) -> Test:
        if operator == "in":
            return self._bits(left, right)
        if operator in ("==", "!="):
            found = self._equals(left, right)
            return found if operator == "==" else _inverted(left, found)
        if operator not in _OPERATORS or not left.kind:
            raise ValueError("an operator")
        limit, compare = _number(left.kind, right), _OPERATORS[operator]
        self._edge(left, limit, limit)
        return _tested(left.field, lambda value: compare(value, limit))

    def _bits(self, left: Left, right: Json) -> Test:
        """Return the test whether one of some flags is set."""
        if left.kind not in ("state", "flags", "status"):
            raise ValueError("not flags")
        mask = _number(left.kind, right)
        if left.kind == "status":
            return (lambda _packet: False) if not mask & ~_NEVER_SET else never_known
        return _tested(left.field, lambda value: bool(value & mask))

    def _equals(self, left: Left, right: Json) -> Test:
        if isinstance(right, str) and right.startswith("@"):
            return self._named(left, right[1:])
        if isinstance(right, dict) and "set" in right:
            return self._among(left, right["set"])
        if left.kind == "flags":
            wanted = _number("flags", right)
            return _tested(left.field, wanted.__eq__)
        return self._among(left, [right])

    def _named(self, left: Left, name: str) -> Test:
        key = (left.text, name)
        if key not in self._kept:
            if name in self.changing:
                raise ValueError("a set that changes")
            self._kept[key] = remembered(self._among(left, self.sets[name]))
        return self._kept[key]

    def _among(self, left: Left, elements: Sequence[Json]) -> Test:
        """Return the test whether the left side is one of some values."""
        if not isinstance(elements, list):
            raise TypeError("no list")
        plain = [_bare(one) for one in elements]
        if left.inward is not None:
            tests = [values.interface_is(_interface(one), left.inward) for one in plain]
            return lambda packet: any_of(test(packet) for test in tests)
        if left.parts:
            return self._rows(left, plain)
        intervals = [_interval(left.kind, one) for one in plain]
        for low, high in intervals:
            self._edge(left, low, high)
        return values.within(left.field, Ranges(intervals))

    def _rows(self, left: Left, elements: Sequence[Json]) -> Test:
        rows = []
        for one in elements:
            if len(one["concat"]) != len(left.parts):
                raise ValueError("another number of parts")
            rows.append([self._among(part, [value]) for part, value in zip(left.parts, one["concat"], strict=True)])
        return lambda packet: any_of(all_of(test(packet) for test in row) for row in rows)

    def _edge(self, left: Left, low: int, high: int) -> None:
        if left.kind in ("port", "icmp", "icmpv6"):
            self.edges.update((low, low + 1, high, high + 1))


def left_of(data: Json) -> Left:
    """Return the left side of a test. Raise one of NOT_UNDERSTOOD for what is no field that this reader knows."""
    text = words(data)
    ((what, told),) = data.items()
    if what == "concat":
        return Left(text, parts=tuple(map(left_of, told)))
    if what == "&":
        masked, mask = left_of(told[0]), _number("flags", told[1])
        if masked.kind != "flags":
            raise ValueError("a mask")
        return Left(text, _masked(masked.field, mask), "flags")
    if what == "payload":
        pair = (told["protocol"], told["field"])
        if pair in _PAYLOADS:
            field, kind = _PAYLOADS[pair]
            return Left(text, field, kind)
        layer, name = pair
        protocols = PORTS if layer == "th" else (values.PROTOCOLS[layer],)
        port = values.of_protocols(_PORT_FIELDS[name], protocols)
        return Left(text, _raw(port) if layer == "th" else port, "port")
    if what == "exthdr" and "field" in told:
        # the packets that are judged have no extension header
        return Left(text, lambda _packet: (), "port")
    if what == "fib":
        ends = {"saddr": values.source_type, "daddr": values.destination_type}
        (end,) = told["flags"]
        if told["result"] != "type":
            raise ValueError("a way")
        return Left(text, ends[end], "type")
    if what == "ct" and set(told) == {"key"}:
        field, kind = {
            "state": (values.state, "state"),
            "direction": (values.direction, "direction"),
            "status": (values.unknown, "status"),
        }[told["key"]]
        return Left(text, field, kind)
    if what == "meta":
        return _meta(text, told["key"])
    raise ValueError("a field")


def _meta(text: str, key: str) -> Left:
    if key in ("iifname", "iif", "oifname", "oif"):
        return Left(text, inward=key.startswith("i"))
    field, kind = {
        "l4proto": (values.protocol, "protocol"),
        "nfproto": (lambda packet: (2 if packet.family == 4 else 10,), "family"),
        "protocol": (lambda packet: (0x0800 if packet.family == 4 else 0x86DD,), "ether"),
        "pkttype": (lambda packet: (0,) if packet.inward and not packet.own else None, "cast"),
    }[key]
    return Left(text, field, kind)


def words(data: Json) -> str:
    """Return an expression in words much like those of nft, of few characters whatever it is."""
    return _words(data, 0)[:LONGEST_WORDS]


def _words(data: Json, depth: int) -> str:
    if depth > 3 or not isinstance(data, dict) or len(data) != 1:
        return json.dumps(data)[:LONGEST_WORDS] if depth <= 3 and not isinstance(data, str) else str(data)
    ((what, told),) = data.items()
    if what == "concat" and isinstance(told, list):
        return " . ".join(_words(one, depth + 1) for one in told[:8])
    if what == "payload" and isinstance(told, dict) and "protocol" in told:
        return f"{told['protocol']} {told.get('field')}"
    if what in ("meta", "ct") and isinstance(told, dict):
        return f"{what} {told.get('dir', '')} {told.get('key')}".replace("  ", " ")
    if what == "fib" and isinstance(told, dict) and isinstance(told.get("flags"), list):
        return f"fib {' . '.join(map(str, told['flags'][:8]))} {told.get('result')}"
    if what == "&" and isinstance(told, list):
        return " & ".join(_words(one, depth + 1) for one in told[:2])
    return str(what) if told is None else f"{what} {json.dumps(told)[:60]}"


def _tested(field: Field, holds: Callable[[int], bool]) -> Test:
    def test(packet: Packet) -> Truth:
        found = field(packet)
        if found is None:
            return None
        return agreed(map(holds, found)) if found else False

    return test


def _inverted(left: Left, test: Test) -> Test:
    """Return the opposite of a test for packets that have what it asks for; others meet neither."""

    def inverted(packet: Packet) -> Truth:
        if left.inward is not None and left.inward != packet.inward and packet.hook != FORWARD:
            # a kernel before 5.5 ends the rule here, a later one compares with no name
            return None
        if any(part.field(packet) == () for part in left.parts or (left,)):
            return False
        return negated(test(packet))

    return inverted


def _masked(field: Field, mask: int) -> Field:
    def masked(packet: Packet) -> values.Values:
        found = field(packet)
        return found if found is None else tuple(value & mask for value in found)

    return masked


def _raw(field: Field) -> Field:
    """Return a field that is read of any packet, whatever its protocol has there."""
    return lambda packet: field(packet) or None


def _bare(element: Json) -> Json:
    """Return the value of an element, without its timeout and comment."""
    return element["elem"]["val"] if isinstance(element, dict) and "elem" in element else element


def _interface(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError("no name")
    return value


def _interval(kind: str, value: Json) -> tuple[int, int]:
    if isinstance(value, dict) and "range" in value:
        low, high = (_number(kind, end) for end in value["range"])
        return low, high
    if isinstance(value, dict) and "prefix" in value and kind == "address":
        return values.addresses(f"{value['prefix']['addr']}/{int(value['prefix']['len'])}")
    number = _number(kind, value)
    return number, number


def _number(kind: str, value: Json) -> int:
    """Return a value as a number; flags that stand beside each other are one. Raise one of NOT_UNDERSTOOD."""
    if isinstance(value, dict) and set(value) == {"|"}:
        value = value["|"]
    if isinstance(value, list):
        if kind not in ("flags", "state", "status"):
            raise ValueError("a list")
        found = 0
        for one in value:
            found |= _number(kind, one)
        return found
    if isinstance(value, int) and not isinstance(value, bool) and kind != "address":
        return value
    if not isinstance(value, str):
        raise TypeError("no value")
    if kind == "address":
        return values.addresses(value)[0]
    return _WORDS[kind][value]
