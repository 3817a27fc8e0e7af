"""Asking hosts what they enforce, and what they denied or would have denied, by rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.operations.emergency_answers import with_orders
from ringfence.operations.emergency_newcomers import lacking
from ringfence.operations.emergency_readings import keep_readings
from ringfence.operations.execution import Execution
from ringfence.operations.host_state import keep_answers
from ringfence.operations.hosts import HostsResult, chosen_workloads, run_on_hosts
from ringfence.operations.other_firewalls import forget_gone, keep_reports
from ringfence.plan.journals import last_confirmed, marks

if TYPE_CHECKING:
    from ringfence.estate import Estate


def info(estate: Estate, words: Sequence[str] = (), execution: Execution | None = None) -> HostsResult:
    """Return the state that workloads report, and keep it for the next plan.

    Rules have the names that the last confirmed plan gives them, if there is one.
    """
    execution = execution or Execution()
    hosts = chosen_workloads(estate, words)
    marked = marks(estate.plans)
    plan = last_confirmed(estate.plans)
    done = run_on_hosts(estate, "info", hosts, execution, {"ringfence_plan": str(plan.absolute()) if plan else None})
    told = {name: host.result for name, host in done.result.hosts.items() if host.ok}
    problems = [*keep_answers(estate, told, marked), *keep_reports(estate, done.result.hosts)]
    forget_gone(estate)
    execution.listener.problems(
        [*problems, *lacking(estate, done.result.hosts), *keep_readings(estate, done.result.hosts)]
    )
    return replace(done, result=with_orders(estate, done.result))
