"""The same machine seen by several sources becomes one asset: which assets are one, and which only look it.

Keys decide in the order of their strength. Two assets of one source are two; a value that they share, as clones share
the UUID of their template, identifies nobody. A weaker key never joins what a stronger one tells apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from ringfence.model.addresses import DEFAULT_REALM, FAMILIES, address_text
from ringfence.model.assets import Asset
from ringfence.model.errors import Place
from ringfence.model.identity import ADDRESS, Identity
from ringfence.model.problems import Problem, Severity
from ringfence.sources.identity_keys import key_readers, keys_of, short_name, source_facts
from ringfence.sources.merging import contradictions_problem, merged

FQDN = "fqdn"
NAMED = 5
# The source of what does not say where it comes from: two such assets are two.
NOWHERE = ""
_PLACE = Place("ringfence.yml")


@dataclass(slots=True, eq=False)
class _Machine:
    """What is one so far: assets, where they come from, their keys, and why they were joined."""

    assets: list[Asset]
    origins: set[str]
    keys: dict[str, set[str]]
    why: list[str] = field(default_factory=list)

    def take(self, other: _Machine, why: str) -> None:
        self.assets += other.assets
        self.origins |= other.origins
        for name, values in other.keys.items():
            self.keys.setdefault(name, set()).update(values)
        self.why += [*other.why, why]

    def realms(self) -> set[str]:
        return {asset.realm for asset in self.assets} - {DEFAULT_REALM}

    def points(self) -> set[int]:
        return {point for asset in self.assets for point in asset.addresses}

    def names(self) -> set[str]:
        return {asset.name for asset in self.assets}


def one_asset_each(
    assets: Sequence[Asset], identity: Identity, known: Collection[str] = frozenset()
) -> tuple[tuple[Asset, ...], list[Problem]]:
    """Return the assets with those that are one machine merged, sorted by name, and what to tell of it.

    A merged asset has the name that it had (`known` are the names there were), else that of the source that comes first
    (`prefer`, then the order of the sources' names), the addresses of all of them, and the attribute `identity`: its
    `hosts` by name with their sources, the keys `by` which they are one, `from` which source every merged attribute is,
    and the `contradictions`. Raises InputError for an expression of `identity` that cannot be compiled.
    """
    assets = tuple(sorted(assets, key=lambda asset: asset.name))
    origins = [_origins(asset) for asset in assets]
    if len({one for each in origins for one in each}) < 2 and not identity.same:
        return assets, []
    readers = key_readers(identity.keys)
    order = [key.name for key in identity.keys]
    joining = _Joining(
        [
            _Machine([asset], set(own), {name: set(values) for name, values in keys_of(asset, readers).items()})
            for asset, own in zip(assets, origins, strict=True)
        ],
        order,
        [frozenset(group) for group in identity.different],
    )
    problems = joining.join_named(identity.same)
    for name in order:
        joining.join_by(name)
    found = [
        machine.assets[0] if len(machine.assets) == 1 else merged(machine.assets, machine.why, identity.prefer, known)
        for machine in joining.machines()
    ]
    problems += [*joining.problems(), *contradictions_problem(found)]
    return tuple(sorted(found, key=lambda asset: asset.name)), problems


class _Joining:
    """Machines that become fewer as keys are looked at."""

    def __init__(self, machines: Iterable[_Machine], order: Sequence[str], different: Sequence[frozenset[str]]) -> None:
        self.order = order
        self.different = different
        self._of = {machine.assets[0].name: machine for machine in machines}
        self._unclear: dict[tuple[str, str], list[str]] = defaultdict(list)

    def machines(self) -> list[_Machine]:
        """Return the machines, each once."""
        return list({id(machine): machine for machine in self._of.values()}.values())

    def join_named(self, groups: Sequence[Sequence[str]]) -> list[Problem]:
        """Join what a person said to be one; return what is wrong with that."""
        problems = []
        for group in groups:
            unknown = sorted(name for name in group if name not in self._of)
            if unknown:
                message = f"identity.same names {', '.join(repr(name) for name in unknown)}, which no source has"
                problems.append(Problem(Severity.WARNING, message, _PLACE, "correct the name, or delete it"))
            machines = [self._of[name] for name in group if name in self._of]
            self._join(machines, "identity.same")
        return problems

    def join_by(self, key: str) -> None:
        """Join the machines that share a value of a key, where nothing speaks against it."""
        for (_, value), holders in sorted(self._holders(key).items(), key=lambda item: str(item[0])):
            machines = list({id(self._of[name]): self._of[name] for name in holders}.values())
            if len(machines) < 2:
                continue
            against = self._against(key, machines)
            if against is None:
                self._join(machines, f"{key} {value}")
            elif against:
                names = sorted(min(machine.names()) for machine in machines)
                self._unclear[key, against].append(f"{', '.join(repr(name) for name in names)} ({value})")

    def problems(self) -> list[Problem]:
        """Return a warning for every reason for which assets that share a key stay apart."""
        found = []
        for (key, against), groups in sorted(self._unclear.items()):
            more = f" and {len(groups) - NAMED} more" if len(groups) > NAMED else ""
            message = f"{'; '.join(groups[:NAMED])}{more}: of several sources, with the same {key}, but {against}"
            remedy = "say in ringfence.yml what is so: identity: {same: [[…, …]]} or {different: [[…, …]]}"
            found.append(Problem(Severity.WARNING, message, None, remedy))
        return found

    def _holders(self, key: str) -> Mapping[tuple[str, str], list[str]]:
        holders: dict[tuple[str, str], list[str]] = defaultdict(list)
        for name, machine in self._of.items():
            for asset in machine.assets:
                if asset.name != name:
                    continue
                realm = asset.realm if key in (ADDRESS, FQDN, "mac") else ""
                values = map(address_text, asset.addresses) if key == ADDRESS else machine.keys.get(key, ())
                for value in values:
                    holders[realm, value].append(name)
        return {place: names for place, names in holders.items() if len(names) > 1}

    def _against(self, key: str, machines: Sequence[_Machine]) -> str | None:
        """Return why machines that share a value are not one; '' where that needs no words, None where they are."""
        pairs = list(combinations(machines, 2))
        apart = [pair for pair in pairs if not pair[0].origins.isdisjoint(pair[1].origins)]
        if apart:
            # Several holders in one source are a VIP, or clones; that matters where another source has it too.
            return "" if len(apart) == len(pairs) or key == ADDRESS else "one source has it twice"
        for one, other in pairs:
            names = one.names() | other.names()
            if any(len(names & group) > 1 for group in self.different):
                return ""
            if len(one.realms() | other.realms()) > 1:
                return "they are in two realms"
            stronger = self.order[: self.order.index(key)]
            for strong in (name for name in stronger if name not in (FQDN, ADDRESS)):
                if _told_apart(one.keys.get(strong, set()), other.keys.get(strong, set())):
                    return f"with another {strong}"
            if key == ADDRESS and not _same_by_address(one, other):
                return "with other names and other addresses beside it"
        return None

    def _join(self, machines: Sequence[_Machine], why: str) -> None:
        for other in machines[1:]:
            first = self._of[machines[0].assets[0].name]
            if other is not first:
                first.take(other, why)
                for name in other.names():
                    self._of[name] = first


def _origins(asset: Asset) -> frozenset[str]:
    """Return where an asset comes from: its sources, and the kinds of source whose facts it carries."""
    kinds = (name for name in source_facts(asset) if name != "onprem")
    return frozenset({*asset.sources, *kinds}) or frozenset({NOWHERE})


def _told_apart(one: set[str], other: set[str]) -> bool:
    """Return whether two machines have different values of a key, in a form that both have."""
    forms = {len(value) for value in one} & {len(value) for value in other}
    comparable = [value for value in one | other if len(value) in forms]
    return bool(comparable) and one.isdisjoint(other)


def _same_by_address(one: _Machine, other: _Machine) -> bool:
    """Return whether sharing an address means being one: the first part of a name is equal, or all of one family's.

    A VIP is held beside a host's own addresses, and so is none of these.
    """
    if {short_name(asset) for asset in one.assets} & {short_name(asset) for asset in other.assets}:
        return True
    for family in FAMILIES.values():
        mine = {point for point in one.points() if point in family}
        theirs = {point for point in other.points() if point in family}
        if mine and mine == theirs:
            return True
    return False
