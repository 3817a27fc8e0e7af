"""Which variant of iptables carries our chains, and whether they are entered first, once, and from nowhere else.

The kernel asks both variants' tables. So ours are found where they are, and must be where the host's own rules are: who
looks at one variant alone would else not see the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .listing import VARIANTS, Chain, Listing, Rule, Tables
from .shapes import HOOKS, MARK_CHAINS, OURS

Report = Callable[..., None]
MISSING = "is not there: everything is open"
_SETS_MARK = re.compile(
    r"-j (?:MARK --set-xmark 0x[0-9a-f]+/(0x[0-9a-f]+)|CONNMARK --restore-mark(?: .*--nfmask (0x[0-9a-f]+))?)"
)


def carrying(listing: Listing, family: int, report: Report) -> tuple[str, Tables]:
    """Return the variant that has our chains of a family, with its tables; the first listed where none has."""
    listed = {variant: listing.tables[family, variant] for variant in VARIANTS if (family, variant) in listing.tables}
    ours = [variant for variant, tables in listed.items() if any(map(_has_ours, tables.values()))]
    if not listed:
        report(0, f"iptables of IPv{family}", "is not listed", "open")
        return "", {}
    if len(ours) > 1:
        report(0, f"chains of IPv{family}", "stand in both variants of iptables, and one of them is not enforced alone")
    chosen = _entered(listed, ours) if ours else next(iter(listed))
    foreign = [variant for variant, tables in listed.items() if any(map(_has_foreign, tables.values()))]
    if ours and foreign and chosen not in foreign:
        report(
            0,
            f"chains of IPv{family}",
            f"stand in the variant {chosen}, and the rules of this host in the variant {foreign[0]}",
        )
    return chosen, listed[chosen]


def _entered(listed: dict[str, Tables], ours: list[str]) -> str:
    """Return the variant whose INPUT leads to ours, of several."""
    for variant in ours:
        chain = listed[variant].get("filter", {}).get("INPUT")
        if chain and any(rule.parsed.verdict == "jump rf_in" for rule in chain.rules):
            return variant
    return ours[0]


def _has_ours(chains: dict[str, Chain]) -> bool:
    return any(OURS.fullmatch(name) for name in chains)


def _has_foreign(chains: dict[str, Chain]) -> bool:
    return any(
        not OURS.fullmatch(name) and any(_leads(rule) is None for rule in chain.rules) for name, chain in chains.items()
    )


def _leads(rule: Rule) -> str | None:
    """Return the chain of ours that a rule leads to, or None."""
    for word in rule.text.split():
        if OURS.fullmatch(word):
            return word
    return None


def check_entries(tables: Tables, family: int, report: Report) -> dict[str, bool]:
    """Report where our chains are not entered as they should be; return for `in` and `out` whether they are at all.

    The keys `mark in` and `mark out` say the same of the chains that mark packets.
    """
    filters = tables.get("filter", {})
    met = {}
    for direction, hook in HOOKS.items():
        met[direction] = _entry(filters, hook, f"rf_{direction}", f"IPv{family} {direction}", report, "open")
    marking = tables.get("mangle", {})
    for hook, name in MARK_CHAINS.items():
        if name in marking:
            met[f"mark {name.removeprefix('rf_')}"] = _entry(
                marking, hook, name, f"IPv{family} mangle", report, "shape"
            )
    for table, chains in tables.items():
        hooks = {"filter": tuple(HOOKS.values()), "mangle": tuple(MARK_CHAINS)}.get(table, ())
        for chain in chains.values():
            if OURS.fullmatch(chain.name):
                continue
            for rule in chain.rules:
                if _leads(rule) and not (chain.name in hooks and rule.text in _ENTRIES):
                    report(rule.line, rule.text, f"leads to a chain of ours, in chain {chain.name} of {table}")
    return met


_ENTRIES = ("-j rf_in", "-j rf_out", "-j rf_post")


def _entry(chains: dict[str, Chain], hook: str, name: str, way: str, report: Report, change: str) -> bool:
    rules = chains[hook].rules if hook in chains else []
    places = [at for at, rule in enumerate(rules) if rule.text == f"-j {name}"]
    if not places or name not in chains:
        report(0, f"{way}: chain {hook}", f"does not lead to {name}: nothing of ours is met", change)
        return False
    if places[0] > 0:
        before = rules[0]
        report(before.line, before.text, f"comes before ours in chain {hook}: what it accepts is not checked", change)
    for at in places[1:]:
        report(rules[at].line, rules[at].text, f"leads to ours a second time in chain {hook}")
    return True


def check_marks(tables: Tables, mask: int, report: Report) -> None:
    """Report rules of others that set bits of the mark which tell our classes apart."""
    for table, chains in tables.items():
        for chain in chains.values():
            for rule in chain.rules if not OURS.fullmatch(chain.name) else ():
                met = _SETS_MARK.search(rule.text)
                if met and int(met[1] or met[2] or "0xffffffff", 16) & mask:
                    report(rule.line, rule.text, f"sets bits of the mark that ours need ({mask:#x}), in {table}")
