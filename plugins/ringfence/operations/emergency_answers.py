"""What a workspace knows of the emergencies that hosts tell of: who approved one, who released it and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.model.errors import RingfenceError

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.emergencies import Order
    from ringfence.rollout import HostResult, PlaybookResult


def with_orders(estate: Estate, result: PlaybookResult) -> PlaybookResult:
    """Return a result of `info` or `verify` whose emergencies have `approved_by`, `released_by` and `released_at`.

    These are the workspace's own word. Where its files cannot be read the result stays as it is.
    """
    try:
        known = {one.id: one for one in estate.emergencies()}
    except RingfenceError:
        known = {}
    if not known:
        return result
    return replace(result, hosts={name: _of_host(host, known) for name, host in result.hosts.items()})


def _of_host(host: HostResult, known: Mapping[str, Order]) -> HostResult:
    held = host.result.get("held")
    if isinstance(held, Mapping):
        return replace(host, result={**host.result, "held": _told(held, known)})
    return replace(host, result=_told(host.result, known))


def _told(told: Mapping[str, object], known: Mapping[str, Order]) -> Mapping[str, object]:
    entries = told.get("emergency")
    if not isinstance(entries, list):
        return told
    return {**told, "emergency": [_entry(one, known) if isinstance(one, Mapping) else one for one in entries]}


def _entry(told: Mapping[str, object], known: Mapping[str, Order]) -> Mapping[str, object]:
    order = known.get(str(told.get("id")))
    if order is None:
        return told
    return {
        **told,
        "approved_by": list(order.approved_by),
        "released_by": order.released_by,
        "released_at": order.released,
    }
