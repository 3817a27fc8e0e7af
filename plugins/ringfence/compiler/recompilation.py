"""Recompilation: rules are edited and labels change, and only the tables that can tell the difference are made anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

from ringfence.compiler.compilation import Compilation, collected, grouped
from ringfence.compiler.groups import GroupKey, Groups, Rules
from ringfence.compiler.kinds import Kinds
from ringfence.compiler.names import by_main_names
from ringfence.compiler.precedence import in_deciding_order
from ringfence.compiler.rule_changes import changed_rules, same_settings
from ringfence.model.abilities import LINUX, Abilities
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.rules import Policy, Settings
from ringfence.model.tables import VerdictTable

# Where more assets than this have other labels, all is compiled: that is faster then.
MOST_MOVES = 20


class Recompiler:
    """Holds what a compilation was made from, so that a change costs what it touches and nothing else.

    `compilation` is the newest; older ones that were handed out stay as they are. `abilities` gives those of the
    enforcer of a name.
    """

    compilation: Compilation
    _rules: Rules
    _kinds: Kinds
    _groups: dict[frozenset[str], Groups]
    _assets: Mapping[str, Asset] | None  # None after an error in the middle

    def __init__(
        self,
        snapshot: Snapshot,
        policy: Policy,
        settings: Settings,
        *,
        full: bool = False,
        abilities: Callable[[str], Abilities] = lambda _enforcer: LINUX,
    ) -> None:
        self._full = full
        self._abilities = cache(abilities)
        self._compile(snapshot, self._ruled(snapshot, policy, settings))

    def update(self, snapshot: Snapshot, policy: Policy, settings: Settings) -> Compilation:
        """Return the compilation of another snapshot, policy and settings, equal to one from nothing.

        What is fast: some rules are added, edited or removed that name no new address set and no new asset; labels of a
        few assets become combinations that other assets have. All is compiled for anything else. Raise InputErrors as
        `compile_policy` does.
        """
        rules = self._ruled(snapshot, policy, settings)
        moved = self._relabelled(snapshot)
        changed = changed_rules(self._rules.policy, rules.policy)
        if moved is None or changed is None or not same_settings(self._rules.settings, settings):
            return self._compile(snapshot, rules)
        if not all(groups.knows(rules, changed) for groups in self._groups.values()):
            return self._compile(snapshot, rules)
        self._groups = {realms: groups.ruled(rules, changed) for realms, groups in self._groups.items()}
        self._rules = rules
        self.compilation = collected(snapshot, rules, self._groups.values())
        self._assets = None
        for old, new in moved:
            if not self._move(old, new):
                return self._compile(snapshot, rules)
        self._assets = snapshot.named()
        return self.compilation

    def _ruled(self, snapshot: Snapshot, policy: Policy, settings: Settings) -> Rules:
        policy = by_main_names(policy, snapshot)
        ranked = in_deciding_order(policy.rules, settings.tiers)
        return Rules(ranked, policy, settings, settings.private_addresses(), self._full, self._abilities)

    def _compile(self, snapshot: Snapshot, rules: Rules) -> Compilation:
        kinds, groups = grouped(snapshot, rules)
        self._kinds, self._groups, self._rules = kinds, groups, rules
        self.compilation = collected(snapshot, rules, groups.values())
        self._assets = snapshot.named()
        return self.compilation

    def _relabelled(self, snapshot: Snapshot) -> list[tuple[Asset, Asset]] | None:
        """Return the assets with other labels, before and after; None where assets differ in more, or in too many."""
        if self._assets is None or len(snapshot.assets) != len(self._assets):
            return None
        found = []
        for asset in snapshot.assets:
            old = self._assets.get(asset.name)
            if old is asset:
                continue
            if old is None or _place(old) != _place(asset):
                return None
            if old.label_values() != asset.label_values():
                found.append((old, asset))
        return found if len(found) <= MOST_MOVES else None

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
        self, old: Asset, kind: int, own: Groups | None, moves: Mapping[frozenset[str], list[tuple[int, int, int]]]
    ) -> None:
        tables: dict[str, VerdictTable] = dict(self.compilation.tables)
        enforcement = dict(self.compilation.enforcement)
        if own is not None:
            own.members[own.key(old)].discard(old.name)
        self._kinds.of_asset[old.name] = kind
        if own is not None:
            key = own.key(old)
            own.members[key].add(old.name)
            enforcement[old.name] = own.enforcement[key]
        for realms, found in moves.items():
            groups = self._groups[realms]
            changed: set[GroupKey] = set()
            for point, left, entered in found:
                changed |= groups.moved(groups.view.moved(point, left, entered), left, entered)
            for one in changed:
                tables.update(dict.fromkeys(groups.members[one], groups.tables[one]))
        if own is not None:
            tables[old.name] = own.tables[own.key(old)]
        self.compilation = replace(self.compilation, tables=tables, enforcement=enforcement)


def _place(asset: Asset) -> tuple[object, ...]:
    """Return what a table depends on of an asset beside its labels."""
    return asset.addresses, asset.realm, asset.workload, asset.enforcer, asset.control
