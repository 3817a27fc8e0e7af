"""What the assets of an emergency have become since: it keeps the addresses that it was decided on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.analysis.emergency_members import of_now
from ringfence.analysis.peer_resolution import points_of
from ringfence.model.addresses import addresses_of, range_texts
from ringfence.model.emergencies import EmergencyEnd, Kind, Order
from ringfence.model.errors import InputError, InputErrors, RingfenceError
from ringfence.model.problems import Problem, Severity
from ringfence.operations.emergency_ends import Known
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.intervals import IntervalSet

# What is no host's, and is left out of every quarantine.
NOBODYS = addresses_of(["127.0.0.0/8", "::1", "224.0.0.0/4", "255.255.255.255", "fe80::/10", "ff00::/8"])


def moved(estate: Estate, orders: Iterable[Order] | None = None) -> list[Problem]:
    """Return where those whom emergencies mean have other addresses by now, and who has theirs.

    None for those that stand. Nothing where the inventory cannot be read.
    """
    orders = estate.standing() if orders is None else tuple(orders)
    if not orders:
        return []
    try:
        known = Known(estate.enforcers[0], estate.workspace.definitions, estate.workspace.settings)
    except RingfenceError:
        return []
    return [problem for order in orders for problem in _of_order(order, known)]


def _of_order(order: Order, known: Known) -> Iterator[Problem]:
    present = of_now(order, known.snapshot.assets)
    again = "a new one of what you mean now"
    remedy = f"{again}, then 'ringfence {order.kind.ending} {order.id}'"
    if order.kind is Kind.QUARANTINE:
        ends = [
            (order.first, present.first, "cut off", "cuts it off"),
            (order.second, present.second, "keep", "keeps it"),
        ]
    else:
        words = ("let through", "lets it through")
        ends = [(order.first, present.first, *words), (order.second, present.second, *words)]
    for then, by_now, verb, still in ends:
        for message in _of_end(then, by_now, known, f"{order.title} does not {verb}", f"{order.title} still {still}"):
            yield Problem(Severity.WARNING, message, order.place, remedy)


def _of_end(then: EmergencyEnd, by_now: EmergencyEnd, known: Known, lacks: str, still: str) -> Iterator[str]:
    meant = _meant(then, known)
    new = [one for one in meant.members if one.name not in by_now.names]
    if new:
        words = first_few(sorted(one.name for one in new))
        yield f"'{', '.join(then.said)}' now also means {words}, which {lacks}"
    for one in meant.members:
        if one.name in by_now.names and (other := one.addresses - then.addresses - NOBODYS):
            yield f"{one.name} now has {_texts(other)}, which {lacks}"
    for one in then.members:
        rest = one.addresses - meant.addresses
        holders = [
            asset
            for asset in known.snapshot.assets
            if rest and asset.realm == one.realm and rest.meets(points_of(asset))
        ]
        strangers = sorted(asset.name for asset in holders if asset.name not in by_now.names)
        if strangers:
            yield f"{_texts(rest)} of {one.name} now belongs to {first_few(strangers)}, and {still}"
        elif one.addresses and not holders and one.name not in known.snapshot.named():
            yield f"no source names {one.name} any more, and {still} at {_texts(one.addresses)}"


def _meant(then: EmergencyEnd, known: Known) -> EmergencyEnd:
    """Return whom the words of an end mean now; of several words each, since one of them may mean nobody."""
    ends = []
    for said in then.said:
        try:
            ends.append(known.end((said,)))
        except (InputError, InputErrors):
            continue
    members = {member.name: member for end in ends for member in end.members}
    return replace(then, members=tuple(members.values()))


def _texts(addresses: IntervalSet) -> str:
    return first_few(range_texts(addresses))
