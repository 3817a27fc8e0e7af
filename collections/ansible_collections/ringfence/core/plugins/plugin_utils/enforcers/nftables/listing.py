"""What `nft -nn -y list table` prints, taken apart into sets, maps and chains, every part with its line.

Versions print the same thing in different words (`2` or `ipv4`, `3600s` or `1h`, `0x2,0x4` or `established,related`);
rules and properties are brought to one wording here, with counters' values taken out. Nothing is interpreted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_COUNTER = re.compile(r"counter packets (\d+) bytes (\d+)")
_COUNT = re.compile(r"\s*# count \d+$")
_BRACES = re.compile(r"(?<!vmap )\{ ([^{}]*) \}")
_NUMBERS = re.compile(r"\d+(?: \. \d+)*", re.ASCII)
_DURATION = re.compile(r"^timeout (\S+)$")
_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_WORDS = (
    (re.compile(r"\bmeta nfproto 2\b"), "meta nfproto ipv4"),
    (re.compile(r"\bmeta nfproto 10\b"), "meta nfproto ipv6"),
    # nft 0.9.8 says the family once more where a concatenation of `ip` or `ip6` fields needs it anyway.
    (re.compile(r"^meta nfproto ipv(?:4 (?=ip )|6 (?=ip6 ))"), ""),
    (re.compile(r"\bct state (0x0*2,0x0*4|0x0*4,0x0*2|related,established)( |$)"), r"ct state established,related\2"),
    # nft 1.0.6 prints a mask behind a slash, 0.9.8 and 1.1.3 in front.
    (re.compile(r"\bct state 0x0*2(?= )"), "ct state established"),
    (re.compile(r"\btcp flags != 0x2 / 0x2,0x10(?= |$)"), "tcp flags & (0x2 | 0x10) != 0x2"),
    (re.compile(r"\bip protocol igmp\b"), "ip protocol 2"),
    (re.compile(r"\bpriority filter\b"), "priority 0"),
)
_PROTOCOLS = {"tcp": "6", "udp": "17", "sctp": "132"}


@dataclass(frozen=True)
class Rule:
    """A rule in one wording, its line, and the packets and bytes of its counter."""

    text: str
    line: int
    packets: int = 0
    bytes: int = 0


@dataclass
class SetBlock:
    """A set or map: `kind` is `set` or `map`; `elements` are texts as printed, with `key : verdict` in a map."""

    kind: str
    name: str
    line: int
    properties: list[str] = field(default_factory=list)
    elements: list[str] = field(default_factory=list)


@dataclass
class ChainBlock:
    """A chain; `header` is the line of type, hook, priority and policy, empty for others."""

    name: str
    line: int
    header: str = ""
    rules: list[Rule] = field(default_factory=list)


@dataclass
class Listing:
    """A table's parts by name; `strangers` are lines that belong to none: flags, other objects, other tables.

    `found`: the table begins; `ended`: the listing is whole, not cut off.
    """

    found: bool = False
    ended: bool = False
    sets: dict[str, SetBlock] = field(default_factory=dict)
    chains: dict[str, ChainBlock] = field(default_factory=dict)
    strangers: list[tuple[int, str]] = field(default_factory=list)


def seconds(text: str) -> float:
    """Return a duration of nft's (`1h`, `3600s`, `59m58s920ms`) in seconds."""
    total = 0.0
    for number, unit in re.findall(r"(\d+)(ms|d|h|m|s)", text):
        total += int(number) / 1000 if unit == "ms" else int(number) * _UNITS[unit]
    return total


def parse_listing(text: str, table: str = "table inet ringfence") -> Listing:
    """Return the parts of one table's listing."""
    listing = Listing()
    block: SetBlock | ChainBlock | None = None
    elements: list[str] | None = None
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if elements is not None:
            elements.append(line)
        elif not line:
            continue
        elif isinstance(block, SetBlock) and line.startswith("elements = {"):
            elements = [line.removeprefix("elements = {")]
        elif line == "}" and block is not None:
            block = None
        elif block is not None:
            _add_line(block, line, number)
        elif line == f"{table} {{" and not listing.found:
            listing.found = True
        elif listing.found and not listing.ended and (opened := _opened(line, number)):
            block = opened
            known = listing.sets if isinstance(block, SetBlock) else listing.chains
            if block.name in known:
                listing.strangers.append((number, line))
            known[block.name] = block  # type: ignore[assignment, index]  # one name, one kind
        elif line == "}" and listing.found and not listing.ended:
            listing.ended = True
        else:
            listing.strangers.append((number, line))
        if elements is not None and line.endswith("}"):
            assert isinstance(block, SetBlock)
            block.elements = [part for part in map(str.strip, " ".join(elements)[:-1].split(",")) if part]
            elements = None
    return listing


def _opened(line: str, number: int) -> SetBlock | ChainBlock | None:
    words = line.split()
    if len(words) != 3 or words[2] != "{":
        return None
    if words[0] in ("set", "map"):
        return SetBlock(words[0], words[1], number)
    return ChainBlock(words[1], number) if words[0] == "chain" else None


def _add_line(block: SetBlock | ChainBlock, line: str, number: int) -> None:
    if isinstance(block, SetBlock):
        block.properties.append(_property(line))
    elif not block.rules and not block.header and line.startswith("type "):
        block.header = _one_wording(line)
    else:
        counter = _COUNTER.search(line)
        packets, octets = (int(counter[1]), int(counter[2])) if counter else (0, 0)
        block.rules.append(Rule(_one_wording(_COUNTER.sub("counter", line)), number, packets, octets))


def _property(line: str) -> str:
    line = _COUNT.sub("", line)
    if duration := _DURATION.match(line):
        return f"timeout {seconds(duration[1]):.0f}s"
    return line


def _one_wording(line: str) -> str:
    for pattern, replacement in _WORDS:
        line = pattern.sub(replacement, line)
    return _BRACES.sub(_sorted_braces, line)


def _sorted_braces(braces: re.Match[str]) -> str:
    members = [_PROTOCOLS.get(member, member) for member in map(str.strip, braces[1].split(","))]
    if all(_NUMBERS.fullmatch(member) for member in members):
        members.sort(key=lambda member: [int(number) for number in member.split(" . ")])
    return f"{{ {', '.join(members)} }}"
