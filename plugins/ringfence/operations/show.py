"""A plan to look at, and the hosts of it that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ringfence.operations.drive import refuse_unknown
from ringfence.operations.plans import ChosenPlan, chosen_plan

if TYPE_CHECKING:
    from ringfence.estate import Estate


def shown_plan(estate: Estate, name: str, hosts: Sequence[str] = ()) -> ChosenPlan:
    """Return a plan. Raise InputErrors for hosts that it says nothing of."""
    chosen = chosen_plan(estate, name)
    plan = chosen.plan
    refuse_unknown(hosts, {*plan.workloads, *plan.left_out}, f"plan {plan.short}")
    return chosen
