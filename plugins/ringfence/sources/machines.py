"""A machine while records are joined: its assets, their keys from sources, and the machine's own reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ringfence.model.addresses import DEFAULT_REALM, FAMILIES
from ringfence.model.assets import Asset
from ringfence.model.intervals import IntervalSet
from ringfence.sources.host_variables import ADDRESSES
from ringfence.sources.identifying import is_bridge_address, is_everybodys_name, is_everybodys_point, normal
from ringfence.sources.identity_keys import (
    KeyReader,
    is_no_machine,
    is_swept,
    keys_of,
    short_name,
    source_facts,
    told_keys_of,
)
from ringfence.sources.reaching import Way, way_to

FQDN = "fqdn"
# The source of what does not say where it comes from: two such assets are two.
NOWHERE = ""


@dataclass(slots=True, eq=False)
class Machine:
    """Assets that are one, where they come from, their keys, and why they were joined.

    `keys` are what sources say, `told` what it says of itself beside; `points` its addresses that tell it from others;
    `behind` names by which it is reached through another machine, which may stand for another one elsewhere.
    """

    assets: list[Asset]
    origins: set[str]
    keys: dict[str, set[str]]
    told: dict[str, set[str]]
    points: set[int]
    ways: set[Way]
    behind: set[str] = field(default_factory=set)
    why: list[str] = field(default_factory=list)

    def take(self, other: Machine, why: str) -> None:
        """Make the other's all this one's."""
        self.assets += other.assets
        self.origins |= other.origins
        for mine, theirs in ((self.keys, other.keys), (self.told, other.told)):
            for name, values in theirs.items():
                mine.setdefault(name, set()).update(values)
        self.points |= other.points
        self.ways |= other.ways
        self.behind |= other.behind
        self.why += [*other.why, why]

    def realms(self) -> set[str]:
        """Return the realms that its sources name."""
        return {asset.realm for asset in self.assets} - {DEFAULT_REALM}

    def names(self) -> set[str]:
        """Return the names of its assets."""
        return {asset.name for asset in self.assets}

    def short_names(self) -> set[str]:
        """Return the first parts of its names, but those that images give to every machine."""
        return {name for asset in self.assets if not is_everybodys_name(name := short_name(asset))}

    def all_keys(self, key: str) -> set[str]:
        """Return the values of a key, as sources and as the machine itself say them."""
        return self.keys.get(key, set()) | self.told.get(key, set())

    def claimed(self) -> set[int]:
        """Return its addresses as sources and as it says itself."""
        return self.points | {point for asset in self.assets for point in asset.claimed}

    def is_no_machine(self) -> bool:
        """Return whether all of it is a service, a load balancer, a pod or the like."""
        return all(is_no_machine(asset) for asset in self.assets)

    def is_managed(self) -> bool:
        """Return whether an inventory lists it, beside what sources of ours know."""
        return any(not source_facts(asset).keys() - {"onprem"} for asset in self.assets)

    def is_swept(self) -> bool:
        """Return whether nothing is known but that an address answered."""
        return all(is_swept(asset) for asset in self.assets)


def machine_of(asset: Asset, readers: Sequence[KeyReader], shared: Mapping[str, int], port: int) -> Machine:
    """Return an asset as a machine; `shared` counts the ways that lead to each host that Ansible connects to."""
    way = way_to(asset, port)
    several = shared.get(way.host, 0) > 1
    keys = keys_of(asset, readers, reached=not (way.port or way.jump or several))
    said = {name: set(values) for name, values in keys.items()}
    if way.port and FQDN in {reader.name for reader in readers}:
        # What listens on one port of one gateway is one machine.
        said.setdefault(FQDN, set()).add(f"{way.host}:{way.port} {way.jump}".rstrip())
    told = {name: set(values - keys.get(name, frozenset())) for name, values in told_keys_of(asset, readers).items()}
    explicit = asset.attributes.get(ADDRESSES) is not None
    points = {point for point in asset.addresses if not is_everybodys_point(point)}
    own = {point for point in points if not is_bridge_address(point)}
    if way.port and not explicit:
        own = points = set()
    return Machine(
        [asset],
        set(origins(asset)),
        said,
        {name: values for name, values in told.items() if values},
        # Who has nothing but an address that engines give to a bridge has it in earnest.
        own or points,
        {way} if way.host and not explicit else set(),
        {name} if way.jump and not (way.port or several) and (name := normal(FQDN, way.host)) else set(),
    )


def ways_to_each(assets: Sequence[Asset], port: int) -> dict[str, int]:
    """Return how many ways lead to each name or address that Ansible connects to."""
    found: dict[str, set[Way]] = {}
    for asset in assets:
        way = way_to(asset, port)
        if way.host:
            found.setdefault(way.host, set()).add(way)
    return {host: len(ways) for host, ways in found.items()}


def origins(asset: Asset) -> frozenset[str]:
    """Return the origins of an asset: its sources, and the kinds of source whose facts it has."""
    kinds = (name for name in source_facts(asset) if name != "onprem")
    return frozenset({*asset.sources, *kinds}) or frozenset({NOWHERE})


def told_apart(one: set[str], other: set[str]) -> bool:
    """Return whether two machines have different values of a key, in a form that both have."""
    forms = {len(value) for value in one} & {len(value) for value in other}
    comparable = [value for value in one | other if len(value) in forms]
    return bool(comparable) and one.isdisjoint(other)


def apart_by_address(one: Machine, other: Machine) -> bool:
    """Return whether both have addresses of a family, and none in common of any."""
    if not one.points.isdisjoint(other.points):
        return False
    return any(_in(one.points, family) and _in(other.points, family) for family in FAMILIES.values())


def same_by_address(one: Machine, other: Machine) -> bool:
    """Return whether a shared address means one machine.

    It does if the first part of a name is equal, or all addresses of a family are. A VIP is held beside a host's own
    addresses, so it is not one of these. A host's report of further addresses completes its sources. Two hosts behind
    one address on two ways are two.
    """
    if (
        one.ways
        and other.ways
        and one.ways.isdisjoint(other.ways)
        and {way.host for way in one.ways} & {way.host for way in other.ways}
    ):
        return False
    if one.short_names() & other.short_names():
        return True
    for family in FAMILIES.values():
        mine, theirs = _in(one.points, family), _in(other.points, family)
        if mine & theirs and (mine == theirs or _in(one.claimed(), family) == _in(other.claimed(), family)):
            return True
    return False


def confirmed(one: Machine, other: Machine, key: str) -> bool:
    """Return whether what sources know of both agrees, so that a host's own word may settle that they are one.

    The address by which Ansible reaches the one is the other's, or they have a name in common and nothing of addresses
    speaks against it. A name beyond a jump host agrees with another `key` only.
    """
    if len(one.realms() | other.realms()) > 1:
        return False
    if one.points & other.points:
        return True
    if apart_by_address(one, other):
        return False
    keys = any(one.keys.get(name, set()) & values for name, values in other.keys.items())
    reached = key != FQDN and (one.behind & other.keys.get(FQDN, set()) or other.behind & one.keys.get(FQDN, set()))
    return bool(keys or reached) or bool(one.short_names() & other.short_names())


def _in(points: set[int], family: IntervalSet) -> set[int]:
    return {point for point in points if point in family}
