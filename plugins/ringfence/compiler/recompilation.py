"""Recompilation: one asset's labels change, and only the tables that can tell the difference are made anew."""

from __future__ import annotations

from dataclasses import replace

from ringfence.compiler.compilation import Compilation, collected, grouped
from ringfence.compiler.groups import GroupKey, Groups, Rules
from ringfence.compiler.names import by_main_names
from ringfence.compiler.precedence import in_deciding_order
from ringfence.model.abilities import LINUX
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.rules import Policy, Settings
from ringfence.model.tables import VerdictTable


class Recompiler:
    """Holds what a compilation was made from, so that a changed asset costs what it touches and nothing else.

    `compilation` is the newest; older ones that were handed out stay as they are.
    """

    def __init__(self, snapshot: Snapshot, policy: Policy, settings: Settings, *, full: bool = False) -> None:
        policy = by_main_names(policy, snapshot)
        ranked = in_deciding_order(policy.rules, settings.tiers)
        self._rules = Rules(ranked, policy, settings, settings.private_addresses(), full, lambda _enforcer: LINUX)
        self._compile(snapshot)

    def _compile(self, snapshot: Snapshot) -> None:
        self._kinds, self._groups = grouped(snapshot, self._rules)
        self.compilation = collected(snapshot, self._rules, self._groups.values())
        self._assets = snapshot.named()

    def relabel(self, asset: Asset) -> Compilation:
        """Return the compilation with an asset of the snapshot replaced by one that differs in its labels alone.

        Where the change makes a new label combination, empties one, or touches a shared address, all is compiled.
        Raises KeyError for an asset that the snapshot does not hold.
        """
        old = self._assets[asset.name]
        snapshot = self.compilation.snapshot
        assets = tuple(asset if one is old else one for one in snapshot.assets)
        snapshot = replace(snapshot, assets=assets)
        if replace(old, labels=asset.labels, attributes=asset.attributes) != asset or not self._move(old, asset):
            self._compile(snapshot)
            return self.compilation
        self._assets[asset.name] = asset
        self.compilation = replace(
            self.compilation, snapshot=snapshot, tables=self._tables, enforcement=self._enforcement
        )
        return self.compilation

    def _move(self, old: Asset, new: Asset) -> bool:
        """Move an asset to the kind of its new labels; return whether that could be done; if not, nothing changed."""
        kind = self._kinds.numbers.get(self._kinds.key(new))
        before = self._kinds.of_asset[old.name]
        if kind is None:
            return False
        moves = {}
        for realms, groups in self._groups.items():
            if old.realm in realms and kind != before:
                found = groups.view.moves(old.addresses, before, kind)
                if found is None:
                    return False
                moves[realms] = found
        own = self._groups.get(self._rules.settings.sees(old.realm)) if old.workload and old.addresses else None
        if own is not None:
            regions = frozenset(map(own.view.regions.at, old.addresses))
            if (kind, regions, *own.key(new)[2:]) not in own.members:
                return False
        self._apply(old, kind, own, moves)
        return True

    def _apply(
        self, old: Asset, kind: int, own: Groups | None, moves: dict[frozenset[str], list[tuple[int, int, int]]]
    ) -> None:
        tables: dict[str, VerdictTable] = dict(self.compilation.tables)
        self._enforcement = dict(self.compilation.enforcement)
        if own is not None:
            own.members[own.key(old)].discard(old.name)
        self._kinds.of_asset[old.name] = kind
        if own is not None:
            key = own.key(old)
            own.members[key].add(old.name)
            self._enforcement[old.name] = own.enforcement[key]
        for realms, found in moves.items():
            groups = self._groups[realms]
            changed: set[GroupKey] = set()
            for point, left, entered in found:
                changed |= groups.moved(groups.view.moved(point, left, entered), left, entered)
            for one in changed:
                tables.update(dict.fromkeys(groups.members[one], groups.tables[one]))
        if own is not None:
            tables[old.name] = own.tables[own.key(old)]
        self._tables = tables
