"""The same machine seen by several sources becomes one asset: which assets are one, and which only look it.

Keys decide in the order of their strength. Two assets of one source are two; a value that they share, as clones share
the UUID of their template, identifies nobody. A weaker key never joins what a stronger one tells apart. A key that only
a host itself tells joins it with another record where what sources know of both agrees, and nowhere else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations

from ringfence.model.addresses import address_text
from ringfence.model.assets import Asset
from ringfence.model.errors import Place
from ringfence.model.identity import ADDRESS, Identity
from ringfence.model.problems import Problem, Severity
from ringfence.sources.by_address_alone import address_alone_problem
from ringfence.sources.identifying import is_locally_administered
from ringfence.sources.identity_keys import key_readers
from ringfence.sources.machines import (
    FQDN,
    Machine,
    apart_by_address,
    confirmed,
    machine_of,
    origins,
    same_by_address,
    told_apart,
    ways_to_each,
)
from ringfence.sources.merging import contradictions_problem, merged, workload_problem
from ringfence.wire.first_few import first_few

MAC = "mac"
STAY_TWO = "look at the host; where they are one machine, say so: identity: {same: [[…, …]]} in ringfence.yml"
# A value that more have than any one machine has records identifies nobody, and is not compared pair by pair.
MOST_HOLDERS = 50
_PLACE = Place("ringfence.yml")


def one_asset_each(
    assets: Sequence[Asset], identity: Identity, known: Collection[str] = frozenset(), port: int = 22
) -> tuple[tuple[Asset, ...], list[Problem]]:
    """Return the assets with those that are one machine merged, sorted by name, and what to tell of it.

    A merged asset has the name that it had (`known` are the names there were), else that of the source that comes first
    (`prefer`, then the order of the sources' names), the addresses of all of them, and the attribute `identity`: its
    `hosts` by name with their sources, the keys `by` which they are one, `from` which source every merged attribute is,
    and the `contradictions`. `port` is where the workspace's hosts are managed. Raises InputError for an expression of
    `identity` that cannot be compiled.
    """
    assets = tuple(sorted(assets, key=lambda asset: asset.name))
    if len({one for asset in assets for one in origins(asset)}) < 2 and not identity.same:
        return assets, []
    readers = key_readers(identity.keys)
    order = [key.name for key in identity.keys]
    ways = ways_to_each(assets, port)
    joining = _Joining(
        [machine_of(asset, readers, ways, port) for asset in assets],
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
    problems += [*joining.problems(), *address_alone_problem(found, assets)]
    problems += [*workload_problem(found, assets), *contradictions_problem(found)]
    return tuple(sorted(found, key=lambda asset: asset.name)), problems


class _Joining:
    """Machines that become fewer as keys are looked at."""

    def __init__(self, machines: Iterable[Machine], order: Sequence[str], different: Sequence[frozenset[str]]) -> None:
        self.order = order
        self.different = different
        self._of = {machine.assets[0].name: machine for machine in machines}
        self._unclear: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._claims: dict[str, set[tuple[str, str, str]]] = defaultdict(set)

    def machines(self) -> list[Machine]:
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
        for (_, value), (said, told) in sorted(self._holders(key).items(), key=lambda item: str(item[0])):
            for machines in self._believed(key, value, self._each(said), self._each(told)):
                against = self._against(key, value, machines)
                if against is None:
                    self._join(machines, f"{key} {value}")
                elif against:
                    self._unclear[key, against].append(_counted(machines, value))

    def problems(self) -> list[Problem]:
        """Return a warning for every reason for which assets that share a key stay apart."""
        found = []
        for (key, against), groups in sorted(self._unclear.items()):
            message = f"{first_few(groups, joint='; ')}: of several sources, with the same {key}, but {against}"
            remedy = "say in ringfence.yml what is so: identity: {same: [[…, …]]} or {different: [[…, …]]}"
            found.append(Problem(Severity.WARNING, message, None, remedy))
        for key, claims in sorted(self._claims.items()):
            apart = sorted(claim for claim in claims if self._of[claim[0]] is not self._of[claim[1]])
            told = [f"'{host}' says that it has the {key} of '{other}' ({value})" for host, other, value in apart]
            message = f"{first_few(told, joint='; ')}: nothing else says that they are one machine, so they stay two"
            if told:
                found.append(Problem(Severity.WARNING, message, None, STAY_TWO))
        return found

    def _each(self, names: Iterable[str]) -> list[Machine]:
        return list({id(self._of[name]): self._of[name] for name in names}.values())

    def _holders(self, key: str) -> Mapping[tuple[str, str], tuple[list[str], list[str]]]:
        """Return who has each value of a key that several have: as sources say, and as a host itself says."""
        holders: dict[tuple[str, str], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
        for name, machine in self._of.items():
            for asset in machine.assets:
                if asset.name != name:
                    continue
                realm = asset.realm if key in (ADDRESS, FQDN, MAC) else ""
                if key == ADDRESS:
                    said: Iterable[str] = () if machine.is_swept() else map(address_text, machine.points)
                else:
                    said = machine.keys.get(key, ())
                for value in said:
                    holders[realm, value][0].append(name)
                for value in machine.told.get(key, ()):
                    holders[realm, value][1].append(name)
        return {place: found for place, found in holders.items() if len(found[0]) + len(found[1]) > 1}

    def _believed(
        self, key: str, value: str, said: Sequence[Machine], told: Sequence[Machine]
    ) -> Iterable[Sequence[Machine]]:
        """Yield machines that may be one by a value: those of sources, and hosts that say it and whom these confirm.

        Where no source has the value, hosts that confirm each other. A host that nobody confirms stays alone.
        """
        told = [host for host in told if not any(host is one for one in said)]
        if not said and len(told) > MOST_HOLDERS:
            self._unclear[key, "only they themselves say so, and so many have it that it identifies nobody"].append(
                _counted(told, value)
            )
            return
        believed = [host for host in told if any(confirmed(host, one, key) for one in said)]
        for host in told:
            others = said or [one for one in told if one is not host and one.origins.isdisjoint(host.origins)]
            if others and not any(confirmed(host, one, key) for one in others):
                first, second = min(host.names()), min(min(one.names()) for one in others)
                pair = (first, second) if said else tuple(sorted((first, second)))
                self._claims[key].add((pair[0], pair[1], value))
        if said:
            group = [*said, *believed]
            if len(group) > 1:
                yield group
            return
        for one, other in combinations(told, 2):
            if confirmed(one, other, key):
                yield [one, other]

    def _against(self, key: str, value: str, machines: Sequence[Machine]) -> str | None:
        """Return why machines that share a value are not one; '' where that needs no words, None where they are."""
        if len(machines) > MOST_HOLDERS:
            one_source = set.intersection(*(machine.origins for machine in machines))
            return "" if one_source or key == ADDRESS else "so many have it that it identifies nobody"
        pairs = list(combinations(machines, 2))
        apart = [pair for pair in pairs if not pair[0].origins.isdisjoint(pair[1].origins)]
        if apart:
            # Several holders in one source are a VIP, or clones; that matters where another source has it too.
            return "" if len(apart) == len(pairs) or key == ADDRESS else "one source has it twice"
        if len(machines) > 2 and all(_differ(*pair) for pair in pairs):
            return "with other names and addresses each, so it identifies nobody"
        for one, other in pairs:
            reason = self._between(key, value, one, other)
            if reason is not None:
                return reason
        return None

    def _between(self, key: str, value: str, one: Machine, other: Machine) -> str | None:
        names = one.names() | other.names()
        if any(len(names & group) > 1 for group in self.different):
            return ""
        if len(one.realms() | other.realms()) > 1:
            return "they are in two realms"
        alike = bool(one.short_names() & other.short_names())
        if one.is_no_machine() != other.is_no_machine() and not alike:
            # A service, a pod or a load balancer is not the machine whose address it has.
            return "one of them is not a machine by itself" if one.is_managed() or other.is_managed() else ""
        for strong in self.order[: self.order.index(key)]:
            if strong not in (FQDN, ADDRESS) and told_apart(one.all_keys(strong), other.all_keys(strong)):
                return f"with another {strong}"
        if key == MAC and is_locally_administered(value) and told_apart(_global_macs(one), _global_macs(other)):
            return "that one is made by software, and those of their hardware differ"
        if (
            key == FQDN
            and apart_by_address(one, other)
            and value.partition(".")[0] not in (one.short_names() | other.short_names())
        ):
            return "with other names and other addresses, as behind a load balancer"
        if key == ADDRESS and not same_by_address(one, other):
            return "with other names and other addresses beside it"
        return None

    def _join(self, machines: Sequence[Machine], why: str) -> None:
        for other in machines[1:]:
            first = self._of[machines[0].assets[0].name]
            if other is not first:
                first.take(other, why)
                for name in other.names():
                    self._of[name] = first


def _counted(machines: Sequence[Machine], value: str) -> str:
    """Return the first machines by name, how many more there are, and the value that they share."""
    names = sorted(min(machine.names()) for machine in machines)
    return f"{first_few([repr(name) for name in names])} ({value})"


def _differ(one: Machine, other: Machine) -> bool:
    """Return whether two machines have neither a name nor an address in common where both have some."""
    return not one.short_names() & other.short_names() and apart_by_address(one, other)


def _global_macs(machine: Machine) -> set[str]:
    return {mac for mac in machine.all_keys(MAC) if not is_locally_administered(mac)}
