"""Forgetting snapshots: never the newest, one that a plan was made from, or one of the time of kept flows."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from ringfence.estate.history import SNAPSHOTS
from ringfence.operations.assets import KeptSnapshot, kept_snapshots
from ringfence.operations.forgetting import Choice, Forgetting, Item, delete, forgetting
from ringfence.operations.plans import list_plans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringfence.estate import Estate

DAY = timedelta(days=1)


def snapshots_to_forget(estate: Estate, choice: Choice) -> Forgetting:
    """Return which snapshots a choice lets go, and which it means that stay. Raise InputError for a wrong choice."""
    kept = kept_snapshots(estate)
    items = [Item(one.file.stem, _taken(one), one.head.size, one.file) for one in kept]
    return forgetting(items, choice, _needed(estate, kept), estate.now, "snapshot")


def forget_snapshots(estate: Estate, choice: Choice, shown: Forgetting) -> Forgetting:
    """Delete what was shown, as far as nothing needs it now; return what went and what stayed."""
    now = snapshots_to_forget(estate, choice)
    done = Forgetting(now.still(shown), now.stays, now.named)
    delete(done.goes, estate.history.state / SNAPSHOTS)
    return done


def _needed(estate: Estate, kept: Sequence[KeptSnapshot]) -> dict[str, str]:
    """Return why snapshots stay, by their names."""
    from ringfence.flows.store import FlowStore

    why: dict[str, str] = {}
    if not kept:
        return why
    days = FlowStore(estate.history.flows).days()
    times = [_taken(one) for one in kept]
    for number, one in enumerate(kept):
        # the first says who held an address before it, too
        start = times[number] if number else datetime.min.replace(tzinfo=UTC)
        end = times[number + 1] if number + 1 < len(kept) else datetime.max.replace(tzinfo=UTC)
        midnights = ((day, datetime.combine(day, time(), UTC)) for day in days)
        if (of := next((day for day, at in midnights if at < end and start < at + DAY), None)) is not None:
            why[one.file.stem] = f"flows of {of} are of its time"
    for plan in list_plans(estate):
        same = [one for one in kept if one.head.digest == plan.head.inventory]
        earlier = [one for one in same if one.head.taken[:19] <= plan.head.created[:19]]
        if same:
            why[(earlier or same)[-1].file.stem] = f"plan {plan.head.short} was made from it"
    why[kept[-1].file.stem] = "it is the newest"
    return why


def _taken(one: KeptSnapshot) -> datetime:
    return datetime.fromisoformat(one.head.taken)
