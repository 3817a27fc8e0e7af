"""What a host lists of its firewall, taken apart: chains of both families and both variants of iptables, and sets.

The text has sections, each behind a line `# section <name>`: `ipset` holds what `ipset save` prints, `ipv4 legacy`,
`ipv4 nft`, `ipv6 legacy` and `ipv6 nft` what `iptables-save -c` of that variant prints. A variant that a host does not
have has no section.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .rules import Parsed, parse_rule

SECTION = "# section "
FAMILIES = {"ipv4": 4, "ipv6": 6}
VARIANTS = ("legacy", "nft")
_COUNTED = re.compile(r"\[(\d+):(\d+)\] (?=-A )")
_COUNTED_INSIDE = re.compile(r" -c (\d+) (\d+)(?= |$)")
_CHAIN = re.compile(r":(\S+) (\S+)(?: \[\d+:\d+\])?")
# Options of a set that are followed by a value, and those that are not.
_VALUED = ("family", "hashsize", "maxelem", "timeout", "bucketsize", "initval", "netmask", "markmask", "size")
_FLAGS = ("counters", "comment", "skbinfo", "forceadd")


@dataclass(frozen=True)
class Rule:
    """One rule: the listing's line, its text behind `-A CHAIN`, what it means, and what it has counted."""

    line: int
    text: str
    parsed: Parsed
    packets: int = 0
    bytes: int = 0


@dataclass
class Chain:
    """A chain and its rules; `policy` is `-` for one that somebody made."""

    name: str
    line: int
    policy: str = "-"
    rules: list[Rule] = field(default_factory=list)


@dataclass
class SetBlock:
    """A set of ipset: its properties by name, and its elements, each a key and options behind it."""

    name: str
    line: int
    kind: str
    properties: dict[str, str]
    elements: list[tuple[int, str, tuple[str, ...]]] = field(default_factory=list)


Tables = dict[str, dict[str, Chain]]


@dataclass
class Listing:
    """Everything listed; `tables` by family and variant, and lines that cannot be read in `strangers`."""

    sets: dict[str, SetBlock] = field(default_factory=dict)
    tables: dict[tuple[int, str], Tables] = field(default_factory=dict)
    strangers: list[tuple[int, str, str]] = field(default_factory=list)
    has_sets: bool = False


def parse_listing(text: str) -> Listing:
    """Return a listing taken apart. A line that has no meaning is not an error; it is one of `strangers`."""
    listing = Listing()
    section = ""
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(SECTION):
            if table:
                listing.strangers.append((number, f"table {table}", "does not end: the listing is not whole"))
            section, table = line.removeprefix(SECTION).strip(), ""
            _begin(listing, section, number)
        elif not line.strip() or line.startswith("#"):
            continue
        elif section == "ipset":
            _set_line(listing, number, line)
        elif (key := _place(section)) is not None:
            table = _table_line(listing, listing.tables[key], table, number, line)
        else:
            listing.strangers.append((number, line, "stands in no section that is known"))
    if table:
        listing.strangers.append((0, f"table {table}", "does not end: the listing is not whole"))
    return listing


def _place(section: str) -> tuple[int, str] | None:
    family, _, variant = section.partition(" ")
    return (FAMILIES[family], variant) if family in FAMILIES and variant in VARIANTS else None


def _begin(listing: Listing, section: str, number: int) -> None:
    key = _place(section)
    if section == "ipset":
        listing.has_sets = True
    elif key is None or key in listing.tables:
        listing.strangers.append((number, section, "is not a section that is known, or one a second time"))
    if key is not None:
        listing.tables.setdefault(key, {})


def _table_line(listing: Listing, tables: Tables, table: str, number: int, line: str) -> str:
    """Take one line of a variant's tables; return the table that goes on behind it, empty between two."""
    if line.startswith("*"):
        name = line[1:].strip()
        if table or name in tables:
            listing.strangers.append((number, line, "begins a table inside of another, or a second time"))
        tables.setdefault(name, {})
        return name
    if line == "COMMIT":
        return ""
    chains = tables.get(table)
    if chains is None:
        listing.strangers.append((number, line, "is not in a table"))
        return table
    if named := _CHAIN.fullmatch(line):
        if named[1] in chains:
            listing.strangers.append((number, line, "is a chain that there is already"))
        chains.setdefault(named[1], Chain(named[1], number, named[2]))
        return table
    rule = _rule(number, line)
    if rule is None:
        listing.strangers.append((number, line, "is not a line of iptables-save"))
    else:
        if rule[0] not in chains:
            listing.strangers.append((number, line, "is in a chain that is not listed"))
        chains.setdefault(rule[0], Chain(rule[0], number)).rules.append(rule[1])
    return table


def _rule(number: int, line: str) -> tuple[str, Rule] | None:
    counted = _COUNTED.match(line) or _COUNTED_INSIDE.search(line)
    bare = line.replace(counted[0], "", 1) if counted else line
    words = bare.split(" ", 2)
    if words[0] != "-A" or len(words) < 2:
        return None
    text = words[2] if len(words) > 2 else ""
    packets, size = (int(counted[1]), int(counted[2])) if counted else (0, 0)
    return words[1], Rule(number, text, parse_rule(text), packets, size)


def _set_line(listing: Listing, number: int, line: str) -> None:
    words = line.split()
    if words[0] == "create" and len(words) > 2 and words[1] not in listing.sets:
        properties = _properties(words[3:])
        if properties is not None:
            listing.sets[words[1]] = SetBlock(words[1], number, words[2], properties)
            return
    elif words[0] == "add" and len(words) > 2 and words[1] in listing.sets:
        listing.sets[words[1]].elements.append((number, words[2], tuple(words[3:])))
        return
    listing.strangers.append((number, line, "is not a line of ipset"))


def _properties(words: list[str]) -> dict[str, str] | None:
    properties: dict[str, str] = {}
    left = iter(words)
    for word in left:
        if word in _VALUED:
            value = next(left, None)
            if value is None:
                return None
            properties[word] = value
        elif word in _FLAGS:
            properties[word] = "yes"
        else:
            return None
    return properties
