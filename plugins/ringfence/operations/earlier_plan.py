"""Which plan a rollback brings back: the newest earlier one that hosts of a plan confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.model.errors import InputError
from ringfence.operations.plans import chosen_plan
from ringfence.plan.journals import events
from ringfence.plan.store import heads
from ringfence.wire.journal_lines import CONFIRMED

if TYPE_CHECKING:
    from ringfence.estate import Estate


def earlier_plan(estate: Estate, name: str) -> str:
    """Return the short name of the plan to go back to from a plan. Raise InputError where there is none."""
    plan = chosen_plan(estate, name).plan
    before = [one for one in heads(estate.plans) if one[1].sequence < plan.sequence]
    for directory, head in sorted(before, key=lambda one: one[1].sequence, reverse=True):
        if any(event.event == CONFIRMED and event.host in plan.hosts for event in events(directory, head)):
            return head.short
    raise InputError(
        f"before plan {plan.short} its hosts confirmed no other: there is nothing to go back to",
        remedy="'ringfence remove HOST' takes everything off a host",
    )
