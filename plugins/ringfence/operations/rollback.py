"""Putting the last confirmed table back where another one waits for its confirmation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ringfence.operations.drive import drive
from ringfence.operations.execution import Execution
from ringfence.operations.plan_result import PlanResult
from ringfence.operations.plans import chosen_plan

if TYPE_CHECKING:
    from ringfence.estate import Estate


def roll_back(estate: Estate, name: str, limit: Sequence[str] = (), execution: Execution | None = None) -> PlanResult:
    """Take hosts where a plan waits unconfirmed back to what they held; return what became of every host."""
    chosen = chosen_plan(estate, name)
    variables = {"ringfence_plan": str(chosen.directory)}
    result = drive(estate, "rollback", variables, sorted(chosen.plan.hosts), execution or Execution(), limit=limit)
    return PlanResult(chosen.plan, result)
