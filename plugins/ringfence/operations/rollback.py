"""Putting the last confirmed table back where another one waits for its confirmation."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from ringfence.operations.drive import drive
from ringfence.operations.execution import Execution
from ringfence.operations.one_driver import only_driver
from ringfence.operations.plan_result import PlanResult
from ringfence.operations.plans import chosen_plan

if TYPE_CHECKING:
    from ringfence.estate import Estate


def roll_back(
    estate: Estate, name: str, limit: Sequence[str] = (), execution: Execution | None = None, *, of_run: bool = False
) -> PlanResult:
    """Take hosts with an unconfirmed plan back to what they had before; return the result of every host.

    Raise InputError where a run works on the workspace, unless it is that run which asks (`of_run`).
    """
    chosen = chosen_plan(estate, name)
    variables = {"ringfence_plan": str(chosen.directory)}
    hosts = sorted(chosen.plan.hosts)
    driver: AbstractContextManager[dict[str, str]] = nullcontext({}) if of_run else only_driver(estate)
    with driver as seen:
        variables |= seen
        result = drive(estate, "rollback", variables, hosts, execution or Execution(), limit=limit)
    return PlanResult(chosen.plan, result)
