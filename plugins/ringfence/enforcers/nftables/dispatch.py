"""From an address to what decides next: an interval map for each family, its most numerous target as the default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ringfence.enforcers.nftables.text import (
    PROTOCOL_OF_FAMILY,
    TYPE_OF_FAMILY,
    Parts,
    chain_text,
    content_name,
    elements_text,
    set_text,
)
from ringfence.model.range_texts import RangeTexts

Targets = Mapping[str, Sequence[RangeTexts]]


def by_address(parts: Parts, prefix: str, field: str, targets: Mapping[int, Targets]) -> str:
    """Return the chain that leads each address (`field`: saddr or daddr) to its target, by family.

    `targets` gives, for one family or both, the sets whose ranges of this family lead to every target; they must cover
    the family. Where only one target is left there is no chain, and that target itself is returned.
    """
    rules: list[str] = []
    defaults: list[str] = []
    for family, of_family in targets.items():
        counts = {target: sum(one.count(family) for one in sets) for target, sets in of_family.items()}
        default = max(counts, key=lambda target: (counts[target], target))
        defaults.append(default)
        elements = ",\n\t\t\t".join(
            one.joined(f" : goto {target},\n\t\t\t", (family,)) + f" : goto {target}"
            for target, sets in of_family.items()
            if target != default
            for one in sets
        )
        if elements:
            rules.append(_lookup(parts, prefix, field, family, elements))
    if not rules and defaults[0] == defaults[-1]:
        return defaults[0]
    if defaults[0] != defaults[-1]:
        rules.append(f"meta nfproto ipv4 goto {defaults[0]}")
    rules.append(f"goto {defaults[-1]}")
    name = content_name(prefix, *rules)
    parts.chains[name] = chain_text(name, rules)
    return name


def _lookup(parts: Parts, prefix: str, field: str, family: int, elements: str) -> str:
    name = content_name(f"{prefix}{family}", elements)
    parts.sets[name] = set_text(
        "map", name, f"type {TYPE_OF_FAMILY[family]} : verdict", "flags interval", elements_text(elements)
    )
    return f"{PROTOCOL_OF_FAMILY[family]} {field} vmap @{name}"
