"""The nearest rule: the one that would have allowed a denied connection but for the fewest labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.analysis.peer_resolution import chosen_addresses, chosen_outside
from ringfence.compiler import Compilation
from ringfence.model.addresses import address_text, family_of
from ringfence.model.assets import Asset
from ringfence.model.errors import Place
from ringfence.model.intervals import IntervalSet
from ringfence.model.memberships import sets_of
from ringfence.model.rules import Action, Peer
from ringfence.model.selectors import AllOf, AnyOf, FqdnIs, LabelExists, LabelIn, Selector

End = tuple[Asset | None, int]


@dataclass(frozen=True, slots=True)
class Nearest:
    """A rule that nearly allows a connection, and what it misses, in words."""

    rule: str
    place: Place
    misses: tuple[str, ...]

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {"rule": self.rule, "place": str(self.place), "misses": list(self.misses)}


def nearest_rule(compilation: Compilation, client: End, server: End, services: IntervalSet) -> Nearest | None:
    """Return the allow rule for one of these services that misses least, or None where no rule allows any of them.

    A rule that misses nothing (its tier lost, or it speaks for the other side) counts as nearest with no misses.
    """
    family = family_of(server[1])
    private = compilation.settings.private_addresses()
    best: Nearest | None = None
    for rule in compilation.policy.rules:
        if rule.action is not Action.ALLOW or not rule.services.of(family).meets(services):
            continue
        from_misses = _peer_misses(rule.sources, client, private)
        to_misses = _peer_misses(rule.destinations, server, private)
        if from_misses is None or to_misses is None:
            continue
        found = Nearest(rule.name, rule.place, (*from_misses, *to_misses))
        if best is None or len(found.misses) < len(best.misses):
            best = found
    return best


def _peer_misses(peers: Sequence[Peer], end: End, private: IntervalSet) -> tuple[str, ...] | None:
    found = [misses for peer in peers if (misses := _misses(peer.selector, end, private)) is not None]
    return min(found, key=len) if found else None


def _misses(selector: Selector, end: End, private: IntervalSet) -> tuple[str, ...] | None:
    """Return what an end lacks to be chosen, in words; None where no label would change it."""
    asset, point = end
    here = IntervalSet(((point, point),))
    if chosen_addresses(selector, asset, here) if asset else chosen_outside(selector, here, private):
        return ()
    if asset is None and not sets_of(selector):
        return None
    match selector:
        case FqdnIs(name):
            return (f"needs {address_text(point)} to be an answer to {name}",)
        case LabelIn(key, values) if asset:
            has = asset.labels.get(key)
            wanted = " or ".join(values)
            return (
                f"needs {key}={wanted}, {asset.name} has {f'{key}={has.value} ({has.rule})' if has else f'no {key}'}",
            )
        case LabelExists(key, exists) if asset:
            return (f"needs {'a label' if exists else 'no label'} {key} on {asset.name}",)
        case AllOf(parts):
            total: tuple[str, ...] = ()
            for part in parts:
                misses = _misses(part, end, private)
                if misses is None:
                    return None
                total = (*total, *(miss for miss in misses if miss not in total))
            return total
        case AnyOf(parts):
            found = [misses for part in parts if (misses := _misses(part, end, private)) is not None]
            return min(found, key=len) if found else None
        case _:
            return None
