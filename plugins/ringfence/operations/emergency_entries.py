"""What each host is given of an emergency: whom it cuts off, what it lets through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ringfence.analysis.carrying_hosts import Carriers, met_over_hosts, unmet
from ringfence.model.addresses import FAMILIES, range_texts
from ringfence.model.emergencies import Kind, Order
from ringfence.model.services import BLOCK, EVERY_SERVICE
from ringfence.wire.emergency_lines import WITH_PORTS, Emergency, Grant

if TYPE_CHECKING:
    from ringfence.analysis.held_containers import Inside
    from ringfence.model.assets import Asset
    from ringfence.model.emergencies import EmergencyEnd
    from ringfence.model.intervals import IntervalSet
    from ringfence.model.rules import Settings

Ports = tuple[tuple[int, int], ...]


def entry_of(
    order: Order,
    host: Asset,
    settings: Settings,
    inside: Sequence[Inside] = (),
    carried: Carriers | None = None,
    behind: Sequence[Inside] = (),
) -> Emergency | None:
    """Return what a host, which holds some containers, is given of an emergency, None where it has no part in it.

    `carried` are the containers of all hosts, by name: it meets those of others by their hosts. For those `behind` it
    the host judges what it forwards.
    """
    if order.kind is Kind.QUARANTINE:
        return _quarantine(order, host, settings, inside, behind)
    grants = tuple(_grants(order, host, settings, inside, carried or {}, behind))
    return _entry(order, (*inside, *behind), grants=grants) if grants else None


def _quarantine(
    order: Order, host: Asset, settings: Settings, inside: Sequence[Inside], behind: Sequence[Inside]
) -> Emergency | None:
    own = {one.asset.name for one in inside}
    realms = settings.sees(host.realm).union(*(settings.sees(one.asset.realm) for one in inside))
    kept = (*_called(order.second, inside), *range_texts(order.second.met_in(realms, without=own)))
    if host.name in order.first.names:
        return _entry(order, inside, isolates=True, kept=kept)
    cut = tuple(one.called for one in inside if one.asset.name in order.first.names)
    # who is kept meets the isolated as always, and so does what it forwards
    remote = () if host.name in order.second.names else range_texts(order.first.met_in(realms, without=own))
    if not cut and not remote:
        return None
    keeps = cut or any(one.asset.name in order.first.names for one in behind)
    return _entry(order, inside, inside=cut, remote=remote, kept=kept if keeps else _called(order.second, inside))


def _entry(order: Order, containers: Sequence[Inside], **parts: Any) -> Emergency:
    """Return an emergency of some parts, with the addresses of those containers that they name."""
    grants: tuple[Grant, ...] = parts.get("grants", ())
    texts = [*parts.get("kept", ()), *(text for grant in grants for text in (*grant.local, *grant.remote))]
    named = {*(f"@{one}" for one in parts.get("inside", ())), *texts}
    held = tuple((one.called, one.addresses) for one in containers if f"@{one.called}" in named)
    return Emergency(order.id, str(order.kind), order.since, order.ends, order.who, order.why, containers=held, **parts)


def _called(end: EmergencyEnd, inside: Sequence[Inside]) -> tuple[str, ...]:
    """Return those of a host's containers that an end names, as lines name them."""
    return tuple(f"@{one.called}" for one in inside if one.asset.name in end.names)


def _grants(
    order: Order,
    host: Asset,
    settings: Settings,
    inside: Sequence[Inside],
    carried: Carriers,
    behind: Sequence[Inside],
) -> Iterator[Grant]:
    for words, near, far in ((("out", "from"), order.first, order.second), (("in", "to"), order.second, order.first)):
        if host.name in near.names:
            end = _End(words[0], host.name, settings.sees(host.realm), inside, carried=carried)
            yield from end.grants(order, far, inside)
        for one in inside:
            if one.asset.name in near.names:
                end = _End(words[1], host.name, settings.sees(one.asset.realm), inside, (f"@{one.called}",), carried)
                yield from end.grants(order, far, [other for other in inside if other is not one])
        for one in behind:
            if one.asset.name in near.names:
                end = _End(words[1], host.name, settings.sees(one.asset.realm), inside, (f"@{one.called}",), carried)
                yield from end.grants(order, far, inside)


@dataclass(frozen=True, slots=True)
class _End:
    """An end that something is opened for: the host, or a container of it that `local` names, and what it sees."""

    direction: str
    host: str
    realms: frozenset[str]
    inside: Sequence[Inside]
    local: tuple[str, ...] = ()
    carried: Carriers = field(default_factory=dict)

    def grants(self, order: Order, far: EmergencyEnd, others: Sequence[Inside]) -> Iterator[Grant]:
        """Yield what is opened: to who is known by addresses, and to other containers of the host."""
        own = {self.host, *(one.asset.name for one in self.inside)}
        remotes: dict[tuple[int | None, Ports], list[str]] = {}
        for addresses, points in self._met(order, far, own):
            for service in _services(points):
                remotes.setdefault(service, []).extend(range_texts(addresses))
        for (protocol, ports), remote_texts in remotes.items():
            yield Grant(self.direction, protocol, tuple(remote_texts), ports, self.local)
        if called := _called(far, others):
            services = dict.fromkeys(one for family in FAMILIES for one in _services(order.services.of(family)))
            for protocol, ports in services:
                yield Grant(self.direction, protocol, called, ports, self.local)

    def _met(self, order: Order, far: EmergencyEnd, own: set[str]) -> Iterator[tuple[IntervalSet, IntervalSet]]:
        for family, whole in FAMILIES.items():
            if remote := far.met_in(self.realms, without=own - {self.host}) & whole:
                yield remote, order.services.of(family)
        asked = self.direction in ("out", "from")
        some = unmet(far, self.carried, self.realms, own)
        yield from met_over_hosts(some, order.services, self.realms, asked=asked)


def _services(points: IntervalSet) -> Iterator[tuple[int | None, Ports]]:
    """Yield the protocols of some points, None for every one, each with its ports or types, none for all of them."""
    if points == EVERY_SERVICE:
        yield None, ()
        return
    ports: dict[int, list[tuple[int, int]]] = {}
    for low, high in points:
        for protocol in range(low // BLOCK, high // BLOCK + 1):
            first, last = max(low - protocol * BLOCK, 0), min(high - protocol * BLOCK, BLOCK - 1)
            ports.setdefault(protocol, []).append((first, last))
    for protocol, spans in sorted(ports.items()):
        most = WITH_PORTS.get(protocol, 0)
        whole = spans == [(0, BLOCK - 1)]
        yield protocol, () if whole else tuple((low, min(high, most)) for low, high in spans if low <= most)
