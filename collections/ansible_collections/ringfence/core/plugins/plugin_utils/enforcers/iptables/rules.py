"""One rule of iptables as what it means: its conditions in one order and one spelling, and what it does.

Versions and variants print the same rule in other words: options in another order, `--state` for `--ctstate`, `/32`
behind an address, `-m tcp` where a port is asked for, names for protocols. A rule with a word that is not known here
has no meaning, and nothing is guessed of it.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

# What iptables prints for numbers of protocols, from its own list and from /etc/protocols.
PROTOCOLS = {
    "icmp": 1, "igmp": 2, "ggp": 3, "ipencap": 4, "ipv4": 4, "st": 5, "tcp": 6, "egp": 8, "igp": 9, "pup": 12,
    "udp": 17, "hmp": 20, "xns-idp": 22, "rdp": 27, "iso-tp4": 29, "dccp": 33, "xtp": 36, "ddp": 37, "idpr-cmtp": 38,
    "ipv6": 41,
    "ipv6-route": 43, "ipv6-frag": 44, "idrp": 45, "rsvp": 46, "gre": 47, "esp": 50, "ipsec-esp": 50, "ah": 51,
    "ipsec-ah": 51, "skip": 57, "icmpv6": 58, "ipv6-icmp": 58, "ipv6-nonxt": 59, "ipv6-opts": 60, "rspf": 73,
    "vmtp": 81, "eigrp": 88, "ospf": 89, "ospfigp": 89, "ax.25": 93, "ipip": 94, "etherip": 97, "encap": 98, "pim": 103,
    "ipcomp": 108, "vrrp": 112, "l2tp": 115, "isis": 124, "sctp": 132, "fc": 133, "mobility-header": 135,
    "ipv6-mh": 135, "mh": 135, "udplite": 136, "mpls-in-ip": 137, "manet": 138, "hip": 139, "shim6": 140, "wesp": 141,
    "rohc": 142, "ethernet": 143,
}  # fmt: skip
_MODULES = frozenset(
    ("tcp", "udp", "sctp", "icmp", "icmp6", "set", "conntrack", "state", "mark", "owner", "cgroup", "hl", "ttl")
)
_PLAIN_TARGETS = {"RETURN": "return", "DROP": "drop", "ACCEPT": "accept"}
_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,8}|[0-9]{1,10}")
_PORTS = re.compile(r"([0-9]{1,5})(?::([0-9]{1,5}))?")


class Parsed(NamedTuple):
    """A rule's conditions, sorted, and what it does with a packet that meets them.

    `verdict` is `goto X`, `jump X`, `return`, `drop`, `accept`, `add …`, `map …`, `log …`, `mark …`, or empty. `known`
    says whether every word has a meaning here.
    """

    conditions: tuple[str, ...]
    verdict: str
    known: bool


UNKNOWN = Parsed((), "", known=False)


@lru_cache(maxsize=65536)
def parse_rule(text: str) -> Parsed:
    """Return the meaning of a rule, its text without `-A CHAIN`."""
    try:
        return _Words(shlex.split(text)).parsed()
    except (ValueError, KeyError, StopIteration):
        return UNKNOWN


class _Words:
    def __init__(self, words: list[str]) -> None:
        self.words = iter(words)
        self.conditions: list[str] = []
        self.verdict = ""

    def parsed(self) -> Parsed:
        negated = False
        for word in self.words:
            if word == "!":
                if negated:
                    raise ValueError(word)
                negated = True
                continue
            if word in ("-j", "-g"):
                if negated or self.verdict:
                    raise ValueError(word)
                self.verdict = self._verdict(word)
                continue
            condition = self._condition(word)
            if condition:
                self.conditions.append(f"!{condition}" if negated else condition)
                negated = False
            elif negated:
                raise ValueError(word)
        if negated:
            raise ValueError("!")
        return Parsed(tuple(sorted(self.conditions)), self.verdict, known=True)

    def _condition(self, word: str) -> str:
        if word == "-m":
            module = next(self.words)
            if module == "ah":
                return "ah"
            if module not in _MODULES:
                raise ValueError(module)
            return ""
        return _CONDITIONS[word](self)

    def number(self) -> int:
        return number_of(next(self.words))

    def _verdict(self, word: str) -> str:
        target = next(self.words)
        if word == "-g":
            return f"goto {target}"
        if target in _PLAIN_TARGETS:
            return _PLAIN_TARGETS[target]
        if target == "SET":
            return self._set_target()
        if target == "LOG":
            return f"log {self._only('--log-prefix')}"
        if target == "MARK":
            value, mask = marked(self._only("--set-xmark"))
            return f"mark {value:#x}/{mask:#x}"
        return f"jump {target}"

    def _only(self, option: str) -> str:
        if next(self.words) != option:
            raise ValueError(option)
        return next(self.words)

    def _set_target(self) -> str:
        kind = next(self.words)
        name, flags = next(self.words), next(self.words)
        wanted, verb = {"--add-set": ("--exist", "add"), "--map-set": ("--map-mark", "map")}[kind]
        if next(self.words) != wanted:
            raise ValueError(kind)
        return f"{verb} {name} {flags}"


def number_of(text: str) -> int:
    """Return a number, decimal or with 0x. Raises ValueError."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return int(text, 16) if text.startswith("0x") else int(text)


def marked(text: str) -> tuple[int, int]:
    """Return value and mask of `0x10/0xff`; without a mask it is all bits. Raises ValueError."""
    value, slash, mask = text.partition("/")
    return number_of(value), number_of(mask) if slash else 0xFFFFFFFF


def _number_of_protocol(name: str) -> Callable[[_Words], str]:
    def condition(words: _Words) -> str:
        text = next(words.words)
        return f"{name} {PROTOCOLS[text] if text in PROTOCOLS else number_of(text)}"

    return condition


def _network(side: str) -> Callable[[_Words], str]:
    return lambda words: f"{side} {ipaddress.ip_network(next(words.words), strict=False)}"


def _ports(side: str) -> Callable[[_Words], str]:
    def condition(words: _Words) -> str:
        met = _PORTS.fullmatch(next(words.words))
        if not met:
            raise ValueError(side)
        low, high = int(met[1]), int(met[2] or met[1])
        return f"{side} {low}" if low == high else f"{side} {low}:{high}"

    return condition


def _states(words: _Words) -> str:
    return f"state {','.join(sorted(next(words.words).split(',')))}"


def _flags(words: _Words) -> str:
    return "flags " + " ".join(",".join(sorted(next(words.words).split(","))) for _ in range(2))


def _mark(words: _Words) -> str:
    value, mask = marked(next(words.words))
    return f"mark {value:#x}/{mask:#x}"


def _word(name: str) -> Callable[[_Words], str]:
    return lambda words: f"{name} {next(words.words)}"


def _counted(name: str) -> Callable[[_Words], str]:
    return lambda words: f"{name} {words.number()}"


_CONDITIONS = {
    "-p": _number_of_protocol("p"),
    "-s": _network("s"),
    "-d": _network("d"),
    "-i": _word("i"),
    "-o": _word("o"),
    "--sport": _ports("sport"),
    "--dport": _ports("dport"),
    "--ctstate": _states,
    "--state": _states,
    "--ctdir": _word("ctdir"),
    "--ctproto": _number_of_protocol("ctproto"),
    "--ctorigsrcport": _ports("ctorigsrcport"),
    "--ctorigsrc": _network("ctorigsrc"),
    "--ctreplsrc": _network("ctreplsrc"),
    "--match-set": lambda words: f"set {next(words.words)} {next(words.words)}",
    "--tcp-flags": _flags,
    "--icmp-type": _word("icmp"),
    "--icmpv6-type": _word("icmp6"),
    "--hl-eq": _counted("hl"),
    "--ttl-eq": _counted("ttl"),
    "--mark": _mark,
    "--uid-owner": _word("uid"),
    "--path": _word("path"),
}
