"""Whom an emergency is about by now: who took the name of one that is gone, and who came into a network since."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.analysis.held_containers import held_by
from ringfence.analysis.peer_resolution import points_of
from ringfence.model.addresses import DEFAULT_REALM
from ringfence.model.emergencies import EmergencyEnd, Kind, Member, Order
from ringfence.model.intervals import EMPTY, IntervalSet

if TYPE_CHECKING:
    from ringfence.model.assets import Asset


def of_now(order: Order, assets: Collection[Asset]) -> Order:
    """Return an emergency with those assets of now that it is about besides those that it names.

    A machine that has every address of an asset which is gone is that one under another name, and one with an address
    in a network that is meant came into it since. Without this such a host would be told to refuse itself, and no more
    be isolated. Containers stay as they are: engines give their addresses to others.
    """
    inside = {one.asset.name for several in held_by(assets).values() for one in several}
    names = frozenset(one.name for one in assets)
    able = [one for one in assets if one.addresses and one.name not in inside]
    told = order.kind is Kind.QUARANTINE  # whoever comes later is given no permission
    first = _end(order.first, able, names, told=told)
    second = _end(order.second, able, names, told=told)
    return order if first is order.first and second is order.second else replace(order, first=first, second=second)


def _end(end: EmergencyEnd, assets: Collection[Asset], names: frozenset[str], *, told: bool) -> EmergencyEnd:
    gone = [one for one in end.members if one.addresses and one.name not in names]
    outside = end.outside if told else EMPTY
    found = tuple(_besides(end, gone, outside, assets)) if gone or outside else ()
    return replace(end, members=(*end.members, *found)) if found else end


def _besides(
    end: EmergencyEnd, gone: Collection[Member], outside: IntervalSet, assets: Collection[Asset]
) -> Iterator[Member]:
    for asset in assets:
        if asset.name in end.names:
            continue
        points = points_of(asset)
        took = [one for one in gone if one.realm == asset.realm and points.issuperset(one.addresses)]
        came = asset.realm == DEFAULT_REALM and outside.meets(points)
        if took or came:
            met = took[0].addresses if took else outside & points
            yield Member(asset.name, met, asset.realm)
