"""What a host tells, line by line: each line is a value of known shape and bounds, or refused.

A host may be a stranger's: no text of it is kept but what was parsed here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ringfence.model.addresses import V6_BASE, point_of
from ringfence.model.errors import InputError
from ringfence.model.rules import Direction
from ringfence.model.services import BLOCK
from ringfence.model.tables import Effect

VERSION = "2"
LONGEST = 400
# Packets of one element, hundredths of a second, lines left out: no kernel counts higher in a life.
MOST = 1 << 53
TRACKED = {"proc": "/proc/net/nf_conntrack", "command": "conntrack", "none": "/proc/net/tcp"}
_EFFECTS = {"denied": Effect.DENY, "watched": Effect.WATCH}
_RULE = re.compile(r"[0-9A-Za-z]{1,32}", re.ASCII)
_HEX_END = re.compile(r"((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4})", re.ASCII)
# What ipset calls protocols instead of their numbers.
_NAMES = {"tcp": 6, "udp": 17, "sctp": 132, "icmp": 1, "icmpv6": 58, "ipv6-icmp": 58, "udplite": 136}
_WITH_PORTS = frozenset((6, 17, 33, 132, 136))


@dataclass(frozen=True, slots=True)
class Hello:
    """The beginning: the order of bytes in a word, what tracks connections there, and whether the login is root."""

    little: bool
    tracked: str
    root: bool


@dataclass(frozen=True, slots=True)
class FlowTold:
    """A flow that the last look did not have; points, an IP protocol, and None for a type that nobody knows."""

    protocol: int
    client: int
    server: int
    port: int | None
    answered: bool


@dataclass(frozen=True, slots=True)
class DenialTold:
    """What one rule has met of one peer until now; `packets` count from when the kernel began to remember it."""

    effect: Effect
    rule: str
    direction: Direction
    protocol: int
    peer: int
    port: int | None
    packets: int


@dataclass(frozen=True, slots=True)
class Unnamed:
    """How many packets one rule has met since the last look of peers that the kernel does not remember."""

    effect: Effect
    rule: str
    packets: int


@dataclass(frozen=True, slots=True)
class Missed:
    """How many lines a look left out."""

    lines: int


@dataclass(frozen=True, slots=True)
class LookEnd:
    """The end of the look of a number; `cpu` is what the reader has used until then, in hundredths of a second."""

    number: int
    cpu: int


Told = Hello | FlowTold | DenialTold | Unnamed | Missed | LookEnd


def parse(line: str, *, little: bool = True) -> Told:
    """Return what a line says. Raise ValueError for any other."""
    if len(line) > LONGEST:
        raise ValueError("it is too long")
    words = line.split(" ")
    match words:
        case ["F", protocol, client, server, port, state]:
            number = _number(protocol, 255)
            return FlowTold(number, _address(client), _address(server), _port(port, number), _answered(state))
        case ["S", "4" | "6", way, local, remote, state]:
            (here, here_port), (there, there_port) = _socket_end(local, little), _socket_end(remote, little)
            if way == "in":
                return FlowTold(6, there, here, here_port, _answered(state))
            if way == "out":
                return FlowTold(6, here, there, there_port, _answered(state))
        case ["D", effect, rule, way, protocol, peer, port, packets] if effect in _EFFECTS and _RULE.fullmatch(rule):
            number = _NAMES[protocol] if protocol in _NAMES else _number(protocol, 255)
            asked = _port(port, number) if number in _WITH_PORTS else None
            return DenialTold(
                _EFFECTS[effect], rule, Direction(way), number, _address(peer), asked, _number(packets, MOST)
            )
        case ["U", effect, rule, "in" | "out", packets] if effect in _EFFECTS and _RULE.fullmatch(rule):
            return Unnamed(_EFFECTS[effect], rule, _number(packets, MOST))
        case ["M", lines]:
            return Missed(_number(lines, MOST))
        case ["T", number, cpu]:
            return LookEnd(_number(number, MOST), _number(cpu, MOST))
        case ["H", version, "0" | "1" as order, tracked, "0" | "1" as root] if tracked in TRACKED:
            if version != VERSION:
                raise ValueError("the reader is of another release")
            return Hello(order == "1", tracked, root == "1")
    raise ValueError("it is no line of the reader")


def _number(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 16 or int(text) > most:
        raise ValueError("a number is not valid")
    return int(text)


def _port(text: str, protocol: int) -> int | None:
    if text == "-":
        return None if protocol in (1, 58) else 0
    return _number(text, BLOCK - 1)


def _answered(text: str) -> bool:
    if text not in ("a", "u"):
        raise ValueError("a state is not valid")
    return text == "a"


@lru_cache(maxsize=1 << 16)
def _address(text: str) -> int:
    if len(text) > 45 or "%" in text:
        raise ValueError("an address is not valid")
    try:
        return point_of(text)
    except InputError as error:
        raise ValueError("an address is not valid") from error


@lru_cache(maxsize=1 << 16)
def _socket_end(text: str, little: bool) -> tuple[int, int]:
    """Return the point and port of an end as /proc/net/tcp prints it: words of 32 bits in the host's own order."""
    found = _HEX_END.fullmatch(text)
    if found is None or len(found[1]) not in (8, 32):
        raise ValueError("a socket is not valid")
    words = [bytes.fromhex(found[1][at : at + 8]) for at in range(0, len(found[1]), 8)]
    whole = b"".join(word[::-1] if little else word for word in words)
    port = int(found[2], 16)
    if len(whole) == 4:
        return int.from_bytes(whole, "big"), port
    if whole.startswith(b"\0" * 10 + b"\xff\xff"):
        return int.from_bytes(whole[12:], "big"), port
    return V6_BASE + int.from_bytes(whole, "big"), port
