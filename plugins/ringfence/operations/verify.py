"""Reading the kernels' tables back and comparing them with a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ringfence.model.errors import InputError, RingfenceError
from ringfence.model.problems import Problem, Severity
from ringfence.operations.drive import drive
from ringfence.operations.emergency_answers import with_orders
from ringfence.operations.emergency_newcomers import lacking
from ringfence.operations.emergency_readings import keep_readings
from ringfence.operations.execution import Execution
from ringfence.operations.host_state import keep_answers
from ringfence.operations.kept_proofs import keep_proofs
from ringfence.operations.other_firewalls import keep_reports
from ringfence.operations.plan_result import PlanResult
from ringfence.operations.plans import ChosenPlan, chosen_plan
from ringfence.plan.artefact import time_text
from ringfence.plan.journals import last_confirmed, marks

if TYPE_CHECKING:
    from ringfence.estate import Estate


def verify(
    estate: Estate, name: str | None = None, limit: Sequence[str] = (), execution: Execution | None = None
) -> PlanResult:
    """Return how hosts compare with a plan, by default the last confirmed one; keep their state and what was found."""
    from ringfence.rollout import Interrupted

    execution = execution or Execution()
    chosen = chosen_plan(estate, name) if name is not None else confirmed_plan(estate)
    marked = marks(estate.plans)
    interrupted = False
    variables = {"ringfence_plan": str(chosen.directory)}
    try:
        result = drive(estate, "verify", variables, sorted(chosen.plan.hosts), execution, limit=limit)
    except Interrupted as stopped:
        result, interrupted = stopped.result, True
    held = {name: host.result["held"] for name, host in result.hosts.items() if "held" in host.result}
    told = {name: one for name, one in held.items() if isinstance(one, Mapping)}
    try:
        problems = keep_answers(estate, told, marked)
    except RingfenceError as error:
        # what was proven is told all the same
        problems = [Problem(Severity.WARNING, error.message, error.place, error.remedy)]
    try:
        keep_proofs(estate, chosen.plan.digest, result.hosts, time_text(estate.now), chosen.plan.hosts)
    except RingfenceError as error:
        problems = [*problems, Problem(Severity.WARNING, error.message, error.place, error.remedy)]
    problems = [
        *problems,
        *keep_reports(estate, result.hosts),
        *lacking(estate, result.hosts),
        *keep_readings(estate, result.hosts),
    ]
    execution.listener.problems(problems)
    return PlanResult(chosen.plan, with_orders(estate, result), interrupted)


def confirmed_plan(estate: Estate) -> ChosenPlan:
    """Return the last plan that any host has confirmed. Raise InputError where there is none."""
    last = last_confirmed(estate.plans)
    if last is None:
        raise InputError("no host has confirmed a plan yet", remedy="name one: ringfence verify PLAN")
    return chosen_plan(estate, str(last))
