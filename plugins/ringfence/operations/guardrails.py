"""Guardrails that stand against a permission: asked of whole tables, for its ends may have thousands of addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.analysis.explain import Side, explain
from ringfence.analysis.reachability import Crossings, first_pair
from ringfence.model.addresses import address_text
from ringfence.model.errors import InputError
from ringfence.model.rules import Peer
from ringfence.model.selectors import AddressIn, AnyOf, AssetNamed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.compiler import Compilation
    from ringfence.model.emergencies import EmergencyEnd, Order
    from ringfence.model.services import Services

Asked = tuple[str, str, "Services"]


def between_ends(guarded: Compilation, order: Order, pairs: Iterable[Asked]) -> tuple[str, str, Side] | None:
    """Return a client and a server of a permission which a table denies, with the side, None where all passes.

    `pairs` are its ends one by one; they are asked only where no pair of addresses that tables deny is denied by them
    alone, as one that a control path lets through.
    """
    clients, servers = (_peers(guarded, one) for one in (order.first, order.second))
    blocked = False
    for crossing in Crossings(guarded).blocked(clients, servers, order.services):
        pair = first_pair(crossing)
        if pair is None:
            continue
        blocked = True
        client, point, server, other = pair
        if side := _denied(guarded, address_text(point), address_text(other), order.services):
            return client.name if client else address_text(point), server.name if server else address_text(other), side
    return among(guarded, pairs) if blocked else None


def among(guarded: Compilation, pairs: Iterable[Asked]) -> tuple[str, str, Side] | None:
    """Return the first of some pairs that a table denies, with the side, None where all passes."""
    for client, server, services in pairs:
        if side := _denied(guarded, client, server, services):
            return client, server, side
    return None


def _peers(guarded: Compilation, end: EmergencyEnd) -> list[Peer]:
    named = guarded.snapshot.named()
    parts = [AssetNamed(name) for name in sorted(end.names) if name in named]
    outside = [AddressIn(end.outside, "its addresses")] if end.outside else []
    return [Peer(AnyOf((*parts, *outside)))]


def _denied(guarded: Compilation, client: str, server: str, services: Services) -> Side | None:
    try:
        found = explain(guarded, client, server, services)
    except InputError:
        return None  # of two families, or a service that theirs does not have: nothing passes there
    sides = (side for answer in (*found.answers, *found.others) for side in answer.sides)
    return next((side for side in sides if side.verdict == "deny"), None)
