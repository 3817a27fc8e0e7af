"""Confirming a plan that waits on its hosts, over new connections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ringfence.operations.drive import drive
from ringfence.operations.execution import Execution
from ringfence.operations.one_driver import only_driver
from ringfence.operations.plan_result import PlanResult
from ringfence.operations.plans import chosen_plan

if TYPE_CHECKING:
    from ringfence.estate import Estate


def confirm(estate: Estate, name: str, limit: Sequence[str] = (), execution: Execution | None = None) -> PlanResult:
    """Confirm a plan where it waits and return what became of every host. Raise InputError where a run works."""
    chosen = chosen_plan(estate, name)
    variables = {"ringfence_plan": str(chosen.directory)}
    with only_driver(estate) as seen:
        variables |= seen
        result = drive(estate, "confirm", variables, sorted(chosen.plan.hosts), execution or Execution(), limit=limit)
    return PlanResult(chosen.plan, result)
