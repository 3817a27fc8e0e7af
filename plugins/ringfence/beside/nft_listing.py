"""Tables of nft, as `nft -nn -s -j list table` tells them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ringfence.beside.nft_matches import NOT_UNDERSTOOD, NftMatches, words
from ringfence.beside.rules import Chain, Kind, Match, Rule, Table, Verdict, never_known

Json = Any
FAMILIES = {"ip": (4,), "ip6": (6,), "inet": (4, 6), "bridge": (4, 6), "netdev": (4, 6), "arp": ()}
ENDS = {"accept": Kind.ACCEPT, "drop": Kind.DROP, "reject": Kind.DROP, "return": Kind.RETURN}
# What a rule may do without any consequence for where the packet goes. A helper expects other connections than this.
HARMLESS = {"counter", "log", "comment", "ct helper", "secmark", "ct timeout", "ct expectation", "last", "continue"}
# Keys of what may be changed without a consequence here: what is compared with them is never known anyhow.
CHANGED = {("meta", key) for key in ("mark", "priority", "nftrace", "secmark")} | {
    ("ct", key) for key in ("mark", "label", "secmark", "event", "helper")
}
# What a router clamps is no part of what rules ask for.
CHANGED |= {("tcp option", "maxseg")}
# What may end a rule before its verdict, for reasons that no packet shows.
LIMITS = {"limit", "quota", "ct count", "set", "connlimit"}


class NotATable(ValueError):
    """What was told is no table of the shape that nft writes."""


def read_table(text: str, edges: set[int]) -> tuple[Table, dict[str, list[bool]]]:
    """Return a table, and of each chain which of its rules hold parts that iptables wrote and nft cannot tell.

    Raise NotATable where the text is none. What is not understood of a rule makes it one of which nothing is known.
    """
    try:
        items = json.loads(text)["nftables"]
        told = [(kind, one) for item in items for kind, one in item.items() if kind != "metainfo"]
        ((_, head),) = [one for one in told if one[0] == "table"]
        family, name = str(head["family"]), str(head["name"])
        table = Table(f"table {family} {name[:64]}", name, FAMILIES[family])
        for kind, one in told:
            if kind == "chain":
                table.chains[str(one["name"])] = _chain(one, family)
        rules = [one for kind, one in told if kind == "rule"]
        sets = {str(one["name"]): one.get("elem", []) for kind, one in told if kind in ("set", "map")}
        matches = NftMatches(sets, frozenset(_changing(rules)), edges)
        foreign: dict[str, list[bool]] = {chain: [] for chain in table.chains}
        for one in rules:
            chain = table.chains[str(one["chain"])]
            marks = foreign[chain.name]
            marks.append(any(isinstance(part, dict) and "xt" in part for part in one["expr"]))
            chain.rules += _rules(one["expr"], len(marks), matches)
    except (*NOT_UNDERSTOOD, RecursionError) as error:
        raise NotATable("what nft lists of it is not understood") from error
    return table, foreign


def _chain(data: Json, family: str) -> Chain:
    chain = Chain(str(data["name"]), device=family in ("bridge", "netdev") or "dev" in data)
    if "hook" in data:
        chain.hook = str(data["hook"])
        chain.priority = int(data["prio"])
        chain.nat = data.get("type") == "nat"
        chain.drops = {"accept": False, "drop": True}[data.get("policy", "accept")]
    return chain


def _changing(rules: list[Json]) -> Iterator[str]:
    """Yield the sets that rules fill or empty."""
    for rule in rules:
        for part in rule["expr"]:
            for what in ("set", "map"):
                if isinstance(part, dict) and isinstance(part.get(what), dict):
                    yield str(part[what].get(what, ""))[1:]


def _rules(parts: list[Json], number: int, matches: NftMatches) -> Iterator[Rule]:
    """Yield what one rule does: its verdict, and before it each thing that it does to packets on the way."""
    tests: list[Match] = []
    for part in parts:
        if not isinstance(part, dict) or len(part) != 1:
            tests.append(Match(never_known, words(part)))
            yield Rule(tuple(tests), Verdict(Kind.UNKNOWN, words(part)), number)
            continue
        ((what, told),) = part.items()
        if what == "match":
            tests.append(matches.match(told))
        elif what in HARMLESS or (what == "mangle" and _changed(told) in CHANGED):
            continue
        elif what in LIMITS:
            tests.append(Match(never_known, what))
        elif what in ENDS:
            yield Rule(tuple(tests), Verdict(ENDS[what]), number)
            return
        elif what in ("jump", "goto"):
            yield Rule(tuple(tests), Verdict(Kind(what), str(told["target"])), number)
            return
        elif what == "vmap":
            try:
                choices = [(match, _verdict(one)) for match, one in matches.choices(told["key"], told["data"])]
            except NOT_UNDERSTOOD:
                yield Rule(tuple(tests), Verdict(Kind.UNKNOWN, words(part)), number)
                continue
            yield Rule(tuple(tests), None, number, tuple(choices))
        else:
            yield Rule(tuple(tests), Verdict(Kind.UNKNOWN, words(part)), number)


def _verdict(data: Json) -> Verdict:
    ((what, told),) = data.items()
    return Verdict(ENDS[what]) if what in ENDS else Verdict(Kind(what), str(told["target"]))


def _changed(told: Json) -> tuple[str, str]:
    """Return what a rule sets, as a pair of words; empty ones where that is not understood."""
    try:
        ((what, key),) = told["key"].items()
        return str(what), str(key["name" if what == "tcp option" else "key"])
    except NOT_UNDERSTOOD:
        return "", ""
