"""Tables of iptables, of either variant, as `iptables-save` and `ip6tables-save` tell them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ringfence.beside.ipsets import IpSet
from ringfence.beside.iptables_matches import IptablesMatches
from ringfence.beside.rules import Chain, Kind, Match, Rule, Table, Verdict, never_known

# Linux, include/uapi/linux/netfilter_ipv4.h: priorities of each table's chains, by hook where they differ.
PRIORITIES = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
HOOKS = {
    "PREROUTING": "prerouting", "INPUT": "input", "FORWARD": "forward", "OUTPUT": "output",
    "POSTROUTING": "postrouting",
}  # fmt: skip
SOURCE_NAT = 100
ENDS = {"ACCEPT": Kind.ACCEPT, "DROP": Kind.DROP, "REJECT": Kind.DROP, "RETURN": Kind.RETURN}
# Targets behind which the packet goes on as it was: what they change is compared by nothing that is ever known here.
HARMLESS = {
    "LOG", "NFLOG", "ULOG", "AUDIT", "MARK", "CONNMARK", "SECMARK", "CONNSECMARK", "CLASSIFY", "CHECKSUM", "TOS",
    "DSCP", "TTL", "HL", "TCPMSS", "TCPOPTSTRIP", "TRACE", "SET", "IDLETIMER", "LED", "RATEEST", "TEE", "HMARK", "ECN",
}  # fmt: skip
# Ours, which are judged by the plan.
OURS = re.compile(r"rfe?_")
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_ESCAPED = re.compile(r"\\(.)")
_CHAIN = re.compile(r":(\S{1,64}) (\S+)(?: \[\d+:\d+\])?")


class NotAListing(ValueError):
    """What was told is nothing that iptables-save writes."""


def read_tables(text: str, variant: str, family: int, sets: Mapping[str, IpSet], edges: set[int]) -> list[Table]:
    """Return the tables of a listing. Raise NotAListing for what is no line of one, or where its end is missing."""
    tables: list[Table] = []
    table: Table | None = None
    lines = text.splitlines()
    changing = frozenset(found.group(1) for found in re.finditer(r"--(?:add|del)-set (\S+)", text))
    matches = IptablesMatches(family, sets, changing, edges)
    for line in lines:
        if line.startswith("*") and table is None:
            name = line[1:].strip()
            table = Table(f"{_program(family)} ({variant}) {name[:32]}", name, (family,))
        elif table is not None and line.startswith(":"):
            _declare(table, line)
        elif table is not None and line.startswith("-A "):
            _add(table, line, matches)
        elif table is not None and line.strip() == "COMMIT":
            tables.append(table)
            table = None
        elif line.strip() and not line.startswith("#"):
            raise NotAListing("a line of it is not understood")
        elif "incompatible" in line:
            raise NotAListing("it has rules that iptables cannot tell")
    if table is not None:
        raise NotAListing("it ends within a table")
    return tables


def _program(family: int) -> str:
    return "ip6tables" if family == 6 else "iptables"


def _declare(table: Table, line: str) -> None:
    found = _CHAIN.match(line)
    if not found:
        raise NotAListing("a chain of it is not understood")
    name, policy = found.groups()
    chain = table.chains.setdefault(name, Chain(name))
    if policy == "-":
        return
    if name not in HOOKS or policy not in ("ACCEPT", "DROP"):
        raise NotAListing("a chain of it is not understood")
    chain.hook, chain.drops, chain.nat = HOOKS[name], policy == "DROP", table.name == "nat"
    chain.priority = PRIORITIES.get(table.name, 0)
    if chain.nat and chain.hook in ("input", "postrouting"):
        chain.priority = SOURCE_NAT


def _add(table: Table, line: str, matches: IptablesMatches) -> None:
    words = split(line)
    name = words[1] if len(words) > 1 else ""
    if OURS.match(name):
        return
    chain = table.chains.get(name)
    if chain is None:
        raise NotAListing("a rule of it is in no chain of it")
    table.counts[name] = table.counts.get(name, 0) + 1
    chain.rules += _rules(words[2:], table.counts[name], matches)


def _rules(words: list[str], number: int, matches: IptablesMatches) -> Iterator[Rule]:
    at = next((index for index, word in enumerate(words) if word in ("-j", "-g", "--jump", "--goto")), len(words))
    tests = matches.read(words[:at])
    if at == len(words):
        return
    goto, rest = words[at] in ("-g", "--goto"), words[at + 1 :]
    if not rest:
        yield Rule((*tests, Match(never_known, "a target without a name")), Verdict(Kind.UNKNOWN, "no target"), number)
        return
    target, options = rest[0], rest[1:]
    if OURS.match(target):
        return
    if target in ENDS:
        yield Rule(tests, Verdict(ENDS[target]), number)
    elif target in HARMLESS or (target == "CT" and not {"--notrack", "--zone", "--zone-orig"} & set(options)):
        return
    elif target in matches.targets_of_nobody:
        yield Rule(tests, Verdict(Kind.UNKNOWN, " ".join(["-j", target, *options])), number)
    else:
        yield Rule(tests, Verdict(Kind.GOTO if goto else Kind.JUMP, target), number)


def split(line: str) -> list[str]:
    """Return the words of a line; iptables-save writes quotes around words with blanks, and escapes within them."""
    return [
        _ESCAPED.sub(r"\1", quoted) if plain == "" else plain
        for quoted, plain in ((found.group(1) or "", found.group(2) or "") for found in _WORD.finditer(line))
    ]
