"""Compilation: a snapshot and a policy turned into the verdict tables of all workloads, equal ones shared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from ringfence.compiler.groups import Groups, Rules
from ringfence.compiler.kinds import Kinds
from ringfence.compiler.names import by_main_names
from ringfence.compiler.precedence import in_deciding_order
from ringfence.compiler.regions import Regions
from ringfence.compiler.selection import address_sets
from ringfence.compiler.view import View
from ringfence.model.abilities import LINUX, Abilities
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.rules import Enforcement, Policy, Settings
from ringfence.model.selectors import Selector
from ringfence.model.tables import VerdictTable


@dataclass(frozen=True, slots=True)
class Compilation:
    """The tables of all workloads that have an address, by asset name; equal workloads share one object.

    `enforcement` is the entry of the policy that set a workload's modes, None if no entry matched (observe).
    `unaddressed` names the workloads without an address, which have no table. `unenforced` has the tables that no
    enforcer loads, and `why` the reasons: for every question such an asset is not a workload. `abilities` are those of
    every enforcer that a workload names.
    """

    snapshot: Snapshot
    policy: Policy
    settings: Settings
    tables: Mapping[str, VerdictTable]
    enforcement: Mapping[str, Enforcement | None]
    unaddressed: tuple[str, ...] = ()
    unenforced: Mapping[str, VerdictTable] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)
    abilities: Mapping[str, Abilities] = field(default_factory=dict)

    def distinct(self) -> list[VerdictTable]:
        """Return every table once."""
        return list({id(table): table for table in self.tables.values()}.values())

    def enforced(self, installed: Collection[str]) -> Compilation:
        """Return the compilation with those tables alone that an installed enforcer (by its name) brings to a host."""
        named = self.snapshot.named()
        return self.without(
            {
                name: f"no enforcer is called '{named[name].enforcer}'"
                for name in self.tables
                if named[name].enforcer not in installed
            }
        )

    def without(self, why: Mapping[str, str]) -> Compilation:
        """Return the compilation without the tables that nothing brings to their hosts, for the reasons given."""
        lacking = {name: table for name, table in self.tables.items() if name in why}
        if not lacking:
            return self
        tables = {name: table for name, table in self.tables.items() if name not in lacking}
        reasons = {name: why[name] for name in lacking}
        return replace(self, tables=tables, unenforced={**self.unenforced, **lacking}, why={**self.why, **reasons})


def compile_policy(
    snapshot: Snapshot,
    policy: Policy,
    settings: Settings,
    *,
    full: bool = False,
    abilities: Callable[[str], Abilities] = lambda _enforcer: LINUX,
    only: Collection[str] | None = None,
) -> Compilation:
    """Compile a policy for a snapshot; with `full`, as if every workload's modes were `full`.

    `abilities` returns the abilities of an enforcer by its name: a workload's table distinguishes what its enforcer
    can distinguish. With `only`, the workloads of these names alone get their tables.

    Raise InputErrors for a name that two assets share, and KeyError for a tier that the settings do not have; the
    language refuses such a tier earlier.
    """
    policy = by_main_names(policy, snapshot)
    ranked = in_deciding_order(policy.rules, settings.tiers)
    rules = Rules(ranked, policy, settings, settings.private_addresses(), full, cache(abilities))
    _, groups = grouped(snapshot, rules, only)
    return collected(snapshot, rules, groups.values())


def grouped(
    snapshot: Snapshot, rules: Rules, only: Collection[str] | None = None
) -> tuple[Kinds, dict[frozenset[str], Groups]]:
    """Return the kinds of a snapshot's assets and, by the realms they see, the compiled groups of its workloads.

    With `only`, of the workloads of these names.
    """
    selectors = _selectors(rules.policy)
    kinds = Kinds(snapshot.assets, selectors)
    regions = Regions([*(one for selector in selectors for one in address_sets(selector)), rules.private])
    by_view: dict[frozenset[str], list[Asset]] = {}
    for asset in snapshot.assets:
        if asset.workload and asset.addresses and (only is None or asset.name in only):
            by_view.setdefault(rules.settings.sees(asset.realm), []).append(asset)
    groups = {}
    for realms, workloads in by_view.items():
        view = View([asset for asset in snapshot.assets if asset.realm in realms], kinds, regions)
        groups[realms] = Groups(workloads, view, kinds, rules)
    return kinds, groups


def collected(snapshot: Snapshot, rules: Rules, groups: Iterable[Groups]) -> Compilation:
    """Return the tables of compiled groups by the names of their members."""
    tables: dict[str, VerdictTable] = {}
    enforcement: dict[str, Enforcement | None] = {}
    for one in groups:
        for key, members in one.members.items():
            tables.update(dict.fromkeys(members, one.tables[key]))
            enforcement.update(dict.fromkeys(members, one.enforcement[key]))
    unaddressed = tuple(asset.name for asset in snapshot.assets if asset.workload and not asset.addresses)
    abilities = {
        name: rules.abilities(name) for name in sorted({one.enforcer for one in snapshot.assets if one.workload})
    }
    return Compilation(snapshot, rules.policy, rules.settings, tables, enforcement, unaddressed, abilities=abilities)


def _selectors(policy: Policy) -> list[Selector]:
    """Return every selector of a policy that the tables depend on, once."""
    peers = (peer for rule in policy.rules for peer in (*rule.sources, *rule.destinations))
    return list(dict.fromkeys([*(peer.selector for peer in peers), *(one.where for one in policy.enforcement)]))
