"""Rules far wider than their traffic, and a narrower rule that still lets through all that was seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ringfence.analysis.peer_resolution import Ends, points_of
from ringfence.analysis.rule_use import RuleUses, Use
from ringfence.language.writing import flow_text
from ringfence.model.assets import Asset
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Action, Peer, Rule
from ringfence.model.selectors import AllOf, LabelIn, Selector
from ringfence.model.services import parse_service, service_texts
from ringfence.model.services import union as all_services

# A rule is far wider where it allows this many times what was used, and more than some beyond it.
FAR = 10
MORE_PORTS, MORE_ASSETS = 64, 10
# What a person would still write in one rule.
MOST_SERVICES, MOST_VALUES, MOST_LABELS = 8, 3, 3


@dataclass(frozen=True, slots=True)
class Width:
    """What a side of a rule, or its services, allow and what was used of it.

    `allowed` counts of assets only those that were seen, as of the others nothing is known; `outside` says that it also
    allows addresses that no asset holds, and none of these was used.
    """

    what: str
    allowed: int
    used: int
    outside: bool = False

    def __str__(self) -> str:
        words = "services" if self.what == "services" else f"assets in '{self.what}'"
        said = f"{self.used:,} of {self.allowed:,} {words} used" if self.allowed else ""
        open_to = f"'{self.what}' is open to addresses that no asset holds, and none of them was seen"
        return "; ".join(part for part in (said, open_to if self.outside else "") if part)

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {"what": self.what, "allowed": self.allowed, "used": self.used, "unused_outside": self.outside}


@dataclass(frozen=True, slots=True)
class Narrower:
    """Parts of a rule to put in place of its own; an empty one stays. Each still chooses all that was used.

    `sources` and `destinations` are labels that the assets have in common which were used, `services` what was used.
    """

    sources: Mapping[str, tuple[str, ...]]
    destinations: Mapping[str, tuple[str, ...]]
    services: tuple[str, ...]

    def written(self) -> dict[str, object]:
        """Return the parts in the words of the grammar, by their key."""
        found: dict[str, object] = {}
        for key, labels in (("from", self.sources), ("to", self.destinations)):
            if labels:
                found[key] = {name: values[0] if len(values) == 1 else list(values) for name, values in labels.items()}
        if self.services:
            found["allow"] = self.services[0] if len(self.services) == 1 else list(self.services)
        return found

    def words(self) -> str:
        """Return the parts as a person would write them in the rule."""
        return ", ".join(f"{key}: {flow_text(value)}" for key, value in self.written().items())


def widths(rule: Rule, uses: RuleUses) -> list[Width]:
    """Return in what a rule that allows is far wider than the flows that it decided; nothing where none were."""
    use = uses.of(rule)
    if rule.action is not Action.ALLOW or not use.count.flows:
        return []
    found = []
    for what, peers, used, unknown in _sides(rule, use):
        allowed = uses.names(peers) & uses.evidence.keys()
        outside = not unknown and bool(used) and _open(uses.ends, peers)
        if outside or (not unknown and _far(len(allowed), len(used), MORE_ASSETS)):
            found.append(Width(what, len(allowed), len(used), outside))
    points = max(rule.services.v4.size(), rule.services.v6.size())
    if use.services and _far(points, len(use.services), MORE_PORTS):
        found.append(Width("services", points, len(use.services)))
    return found


def narrower(rule: Rule, uses: RuleUses, wide: Iterable[Width]) -> Narrower | None:
    """Return a narrower rule where that is obvious: few services, or labels that all used assets have in common."""
    parts = {one.what for one in wide}
    use = uses.of(rule)
    services: tuple[str, ...] = ()
    if "services" in parts:
        services = service_texts(IntervalSet.of((point, point) for point in use.services))
    labels = {
        what: _common(uses.ends, peers, used) if what in parts else {} for what, peers, used, _ in _sides(rule, use)
    }
    found = Narrower(labels["from"], labels["to"], services if len(services) <= MOST_SERVICES else ())
    return found if found.written() else None


def narrowed(rule: Rule, by: Narrower) -> Rule:
    """Return a rule with the parts of a narrower one."""
    sides = ((rule.sources, by.sources), (rule.destinations, by.destinations))
    sources, destinations = (_within(peers, labels) if labels else peers for peers, labels in sides)
    services = all_services(map(parse_service, by.services)) if by.services else rule.services
    return replace(rule, sources=sources, destinations=destinations, services=services)


def _sides(rule: Rule, use: Use) -> tuple[tuple[str, tuple[Peer, ...], set[str], int], ...]:
    return (
        ("from", rule.sources, use.clients, use.unknown_clients),
        ("to", rule.destinations, use.servers, use.unknown_servers),
    )


def _far(allowed: int, used: int, more: int) -> bool:
    return used > 0 and allowed >= FAR * used and allowed - used >= more


def _open(ends: Ends, peers: Iterable[Peer]) -> bool:
    selectors = [peer.selector for peer in peers]
    return any(ends.outside(selectors, realm) for realm in {asset.realm for asset in ends.snapshot.assets})


def _within(peers: tuple[Peer, ...], labels: Mapping[str, tuple[str, ...]]) -> tuple[Peer, ...]:
    selector: Selector = AllOf(tuple(LabelIn(key, values) for key, values in labels.items()))
    return tuple(dict.fromkeys(Peer(selector, peer.process) for peer in peers))


def _common(ends: Ends, peers: tuple[Peer, ...], used: set[str]) -> dict[str, tuple[str, ...]]:
    """Return labels that choose every used asset and as few others as possible; nothing where that is no fewer.

    They stand in place of the peers, so that they may choose only what these choose.
    """
    if len({peer.process for peer in peers}) > 1:
        return {}
    found = ends.assets([peer.selector for peer in peers])
    allowed, within = (
        [asset for asset, _ in found],
        {asset.name for asset, points in found if points == points_of(asset)},
    )
    wanted = [asset for asset in allowed if asset.name in used]
    if not wanted:
        return {}
    values = _shared(wanted)
    chosen: dict[str, tuple[str, ...]] = {}
    left = list(ends.snapshot.assets)
    while len(chosen) < MOST_LABELS:
        fewest = min(
            ((key, _having(left, key, found)) for key, found in values.items() if key not in chosen),
            key=lambda one: len(one[1]),
            default=None,
        )
        if fewest is None or len(fewest[1]) == len(left):
            break
        chosen[fewest[0]], left = values[fewest[0]], fewest[1]
    others_too = any(asset.name not in within for asset in left)
    fewer = len(left) < len(allowed) or _open(ends, peers)
    return {} if others_too or not fewer else dict(sorted(chosen.items()))


def _shared(assets: Iterable[Asset]) -> dict[str, tuple[str, ...]]:
    """Return the keys that all of some assets have, each with its values where these are few."""
    found: dict[str, set[str]] | None = None
    for asset in assets:
        labels = asset.label_values()
        if found is None:
            found = {key: {value} for key, value in labels.items()}
        else:
            found = {key: values | {labels[key]} for key, values in found.items() if key in labels}
    return {key: tuple(sorted(values)) for key, values in (found or {}).items() if len(values) <= MOST_VALUES}


def _having(assets: Iterable[Asset], key: str, values: tuple[str, ...]) -> list[Asset]:
    return [asset for asset in assets if key in asset.labels and asset.labels[key].value in values]
