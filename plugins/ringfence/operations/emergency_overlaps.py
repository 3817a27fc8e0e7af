"""Emergencies that stand on the same assets: whom a quarantine isolates besides, and so what stops a permission."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ringfence.model.addresses import range_texts
from ringfence.model.emergencies import EmergencyEnd, Kind, Order
from ringfence.model.errors import RingfenceError

if TYPE_CHECKING:
    from ringfence.estate import Estate

Isolated = Mapping[str, tuple[str, ...]]


def isolated_besides(estate: Estate, order: Order) -> Isolated:
    """Return, by the id of each other quarantine that stands, whom of a quarantine's assets and addresses it isolates.

    Nothing where a file of an emergency is broken: that stops nobody from isolating or releasing a machine.
    """
    found = {}
    for one in _quarantines(estate, order):
        if both := _both(one, order.first):
            found[one.id] = both
    return found


def stops(estate: Estate, permission: Order) -> Isolated:
    """Return, by the id of each quarantine that stands above a permission, whom of its ends that isolates."""
    found = {}
    for one in _quarantines(estate, permission):
        both = {
            *(_both(one, permission.first) if not _kept(one, permission.second) else ()),
            *(_both(one, permission.second) if not _kept(one, permission.first) else ()),
        }
        if both:
            found[one.id] = tuple(sorted(both))
    return found


def _quarantines(estate: Estate, order: Order) -> list[Order]:
    try:
        return [one for one in estate.standing() if one.kind is Kind.QUARANTINE and one.id != order.id]
    except RingfenceError:
        return []


def _both(quarantine: Order, end: EmergencyEnd) -> tuple[str, ...]:
    return (*sorted(quarantine.first.names & end.names), *range_texts(quarantine.first.outside & end.outside))


def _kept(quarantine: Order, end: EmergencyEnd) -> bool:
    return not (end.names - quarantine.second.names or end.outside - quarantine.second.outside)
