"""Generations: names of a ruleset that was loaded in stages end in `_2`, `_3`, …, those of a first one in nothing.

What the chains of the hooks lead to is the generation that is enforced; it is read under plain names. Of others nothing
is enforced: they are what a load that was interrupted left, and are told apart as leftovers.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from .listing import Listing
from .shapes import GOTO, HOOKS

_NAMED = re.compile(
    r"\b("
    r"(?:control|cut(?:_icmp|_bare)?|standing)[46]"
    r"|(?:in|out)_[dlrsp][46]?_[0-9a-f]{12}"
    r"|dyn[46]_[0-9a-f]{12}"
    r"|(?:allow|deny|watch)_[0-9A-Za-z]+(?:_(?:in|out))?(?:_log)?"
    r"|(?:denied|watched)_[0-9A-Za-z]+_(?:in|out)[46](?:_bare)?"
    r")(_\d+)?(?!\w)"
)


def one_generation(listing: Listing) -> tuple[Listing, list[str]]:
    """Return a listing with the enforced generation under plain names, and the names of what others left."""
    enforced = _enforced(listing)
    endings = _endings(listing)
    if enforced is None or (not enforced and not any(endings.values())):
        return listing, []
    leftovers = {
        name
        for name, ending in endings.items()
        if ending != enforced and not (name in listing.chains and listing.chains[name].header)
    }
    read = replace(listing, sets={}, chains={})
    for block in listing.sets.values():
        if block.name not in leftovers:
            name = _plain(block.name, enforced)
            read.sets[name] = replace(block, name=name, elements=[_plain(one, enforced) for one in block.elements])
    for chain in listing.chains.values():
        if chain.name not in leftovers:
            name = _plain(chain.name, enforced)
            rules = [replace(rule, text=_plain(rule.text, enforced)) for rule in chain.rules]
            read.chains[name] = replace(chain, name=name, rules=rules)
    return read, sorted(leftovers)


def _endings(listing: Listing) -> dict[str, str]:
    """Return the names that generations have, with their endings."""
    named = map(_NAMED.fullmatch, (*listing.sets, *listing.chains))
    return {match[0]: match[2] or "" for match in named if match}


def _enforced(listing: Listing) -> str | None:
    """Return the ending of the names that are enforced, or None where there are no chains of the hooks."""
    bases = [listing.chains[hook] for hook in HOOKS.values() if hook in listing.chains]
    for base in bases:
        goto = GOTO.fullmatch(base.rules[-1].text) if base.rules else None
        named = _NAMED.fullmatch(goto[1]) if goto else None
        if named:
            return named[2] or ""
    # they were emptied by hand: what there is most of stood behind them
    endings = Counter(_endings(listing).values())
    return endings.most_common(1)[0][0] if bases and endings else None


def _plain(text: str, enforced: str) -> str:
    """Return a text with names of the enforced generation without their ending, and no other name like one of them."""

    def plain(named: re.Match[str]) -> str:
        ending = named[2] or ""
        return named[1] if ending == enforced else named[0] if ending else f"{named[1]}_1"

    return _NAMED.sub(plain, text)
