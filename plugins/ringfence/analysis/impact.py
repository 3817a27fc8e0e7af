"""The impact of other labels on some assets: which rules begin and stop to speak of them, and which modes change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ringfence.analysis.peer_resolution import Ends, chosen_addresses, points_of
from ringfence.compiler import Compilation
from ringfence.language.printing import selector_text
from ringfence.model.assets import Asset, Label, Snapshot
from ringfence.model.rules import Direction, Enforcement, Mode, Peer, Rule
from ringfence.model.selectors import AddressIn, AnyAddress, FqdnIs, Internet, Selector, Unknown, leaves


@dataclass(frozen=True, slots=True)
class LabelChange:
    """A label of an asset before and after, None where there is none; `origin` is what gave the earlier one."""

    asset: str
    key: str
    before: str | None
    after: str | None
    origin: str = ""

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "asset": self.asset,
            "label": self.key,
            "before": self.before,
            "after": self.after,
            "given_by": self.origin or None,
        }


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule that begins or stops to speak of some assets on one side.

    `peers` counts the assets on its other side: their tables change with it. `others` are the words there that speak of
    addresses, whoever has them: the internet, a network, a list, a name.
    """

    rule: Rule
    side: str
    begins: tuple[str, ...]
    stops: tuple[str, ...]
    peers: int
    others: tuple[str, ...] = ()

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "rule": self.rule.id,
            "name": self.rule.name,
            "place": str(self.rule.place),
            "action": str(self.rule.action),
            "side": self.side,
            "begins": list(self.begins),
            "stops": list(self.stops),
            "peers": self.peers,
            "others": list(self.others),
        }


@dataclass(frozen=True, slots=True)
class ModeChange:
    """A workload whose mode of one direction changes."""

    asset: str
    direction: Direction
    before: Mode
    after: Mode

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "asset": self.asset,
            "direction": str(self.direction),
            "before": str(self.before),
            "after": str(self.after),
        }


def changed_labels(before: Snapshot, after: Snapshot) -> list[LabelChange]:
    """Return every label that differs between two snapshots of the same assets, by asset and key."""
    new = after.named()
    found = []
    for asset in before.assets:
        other = new[asset.name]
        if asset is other:
            continue
        for key in sorted(asset.labels.keys() | other.labels.keys()):
            old = asset.labels.get(key, Label("", ""))
            values = (asset.labels[key].value if key in asset.labels else None, _value(other, key))
            if values[0] != values[1]:
                found.append(LabelChange(asset.name, key, *values, old.rule))
    return found


def changed_rules(before: Compilation, after: Compilation, names: Iterable[str]) -> list[RuleChange]:
    """Return the rules that speak of other addresses of some assets than before, in the order of the policy."""
    old, new = before.snapshot.named(), after.snapshot.named()
    changed = [(old[name], new[name]) for name in sorted(names)]
    ends = Ends(after.snapshot, after.settings)
    return [
        RuleChange(rule, side, tuple(begins), tuple(stops), len(ends.assets(chosen)), tuple(_others(chosen)))
        for rule in after.policy.rules
        for side, near, far in (("from", rule.sources, rule.destinations), ("to", rule.destinations, rule.sources))
        for begins, stops in [_begins_and_stops(near, changed)]
        if begins or stops
        for chosen in [[peer.selector for peer in far]]
    ]


def changed_modes(before: Compilation, after: Compilation) -> Iterator[ModeChange]:
    """Yield the workloads of which a mode changes, by name."""
    for name in sorted(before.tables.keys() & after.tables.keys()):
        old, new = before.enforcement.get(name), after.enforcement.get(name)
        if old is not new:
            for direction in Direction:
                modes = _mode(old, direction), _mode(new, direction)
                if modes[0] is not modes[1]:
                    yield ModeChange(name, direction, *modes)


def _begins_and_stops(peers: Iterable[Peer], changed: Iterable[tuple[Asset, Asset]]) -> tuple[list[str], list[str]]:
    selectors = [peer.selector for peer in peers]
    begins: list[str] = []
    stops: list[str] = []
    for old, new in changed:
        was, becomes = (
            any(chosen_addresses(one, asset, points_of(asset)) for one in selectors) for asset in (old, new)
        )
        if was != becomes:
            (begins if becomes else stops).append(new.name)
    return begins, stops


def _others(selectors: Iterable[Selector]) -> Iterator[str]:
    for one in selectors:
        if any(isinstance(leaf, AddressIn | AnyAddress | FqdnIs | Internet | Unknown) for leaf in leaves(one)):
            yield selector_text(one)


def _mode(entry: Enforcement | None, direction: Direction) -> Mode:
    return entry.mode(direction) if entry else Mode.OBSERVE


def _value(asset: Asset, key: str) -> str | None:
    labels: Mapping[str, Label] = asset.labels
    return labels[key].value if key in labels else None
