"""How a workload meets the container of another host: at that host's address, and at the port that it publishes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from ringfence.analysis.held_containers import held_by
from ringfence.model.addresses import FAMILIES, addresses_of
from ringfence.model.intervals import IntervalSet, union
from ringfence.model.services import PORT_PROTOCOLS, Services, point_of

if TYPE_CHECKING:
    from ringfence.model.assets import Asset
    from ringfence.model.emergencies import EmergencyEnd

# Addresses of a host, all of one family, and points of the service line.
Met = tuple[IntervalSet, IntervalSet]
FACTS = "ringfence_containers"


@dataclass(frozen=True, slots=True)
class Carrier:
    """A container and the host that holds it, which sends for it and hands on to it what it publishes."""

    container: Asset
    host: Asset

    def sends(self, services: Services) -> Iterator[Met]:
        """Yield from where services are asked for that the container asks for."""
        for family, addresses in self._families():
            if points := services.of(family):
                yield addresses, points

    def serves(self, services: Services) -> Iterator[Met]:
        """Yield where services of the container are published."""
        for protocol, port, published, at in _published(self.container):
            for family, addresses in self._families():
                met = addresses & at if at else addresses
                if met and point_of(protocol, port) in services.of(family):
                    point = point_of(protocol, published)
                    yield met, IntervalSet(((point, point),))

    def published(self, services: Services) -> Services:
        """Return the services of the host that are some of the container's."""
        found = list(self.serves(services))
        v4, v6 = (union(points for met, points in found if met & whole) for whole in FAMILIES.values())
        return Services(v4, v6)

    def _families(self) -> Iterator[tuple[int, IntervalSet]]:
        own = IntervalSet.of((one, one) for one in self.host.addresses)
        for family, whole in FAMILIES.items():
            if found := own & whole:
                yield family, found


Carriers = Mapping[str, Carrier]


def carriers(assets: Iterable[Asset]) -> Carriers:
    """Return the containers among some assets that others of these hold, by name."""
    known = tuple(assets)
    held = held_by(known)
    if not held:
        return {}
    named = {one.name: one for one in known}
    return {one.asset.name: Carrier(one.asset, named[host]) for host, several in held.items() for one in several}


def unmet(far: EmergencyEnd, known: Carriers, realms: frozenset[str], near: Collection[str]) -> tuple[Carrier, ...]:
    """Return the containers of an end that a workload meets by their hosts alone.

    Those that are `near` it, or whose addresses its realm sees, it meets themselves.
    """
    found = [known[one.name] for one in far.members if one.name in known and one.realm not in realms]
    return tuple(one for one in found if one.container.name not in near and one.host.name not in near)


def met_over_hosts(
    some: Iterable[Carrier], services: Services, realms: frozenset[str], *, asked: bool
) -> Iterator[Met]:
    """Yield at which addresses and points a workload meets containers that it asks for something, or that ask it."""
    for one in some:
        if one.host.realm in realms:
            yield from one.serves(services) if asked else one.sends(services)


def _published(container: Asset) -> Iterator[tuple[int, int, int, IntervalSet | None]]:
    """Yield protocol, port of the container, port of its host, and the addresses where that is published; None: all."""
    told = container.attributes.get(FACTS)
    listed = told.get("ports") if isinstance(told, Mapping) else None
    for one in listed if isinstance(listed, list) else ():
        protocol = PORT_PROTOCOLS.get(str(one.get("protocol", "tcp"))) if isinstance(one, Mapping) else None
        if protocol is None or not all(_is_port(one.get(name)) for name in ("port", "published")):
            continue
        text = str(one.get("published_at") or "")
        try:
            every = not text or ip_address(text).is_unspecified
            at = FAMILIES[ip_address(text).version] if text and every else None if every else addresses_of([text])
        except ValueError:
            continue
        yield protocol, one["port"], one["published"], at


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 16
