"""Rolling a plan out: a canary, then growing waves, each host confirmed over a new connection."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.model.errors import InputError, OutsideError
from ringfence.model.problems import Problem, Severity
from ringfence.operations.drive import INTERRUPTED, drive, exit_status, refuse_unknown
from ringfence.operations.emergency_newcomers import carry_over
from ringfence.operations.execution import Execution
from ringfence.operations.kept_proofs import forget_proofs
from ringfence.operations.plans import ChosenPlan, chosen_plan

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.plan import Plan
    from ringfence.rollout import PlaybookResult


@dataclass(frozen=True, slots=True)
class ApplyRequest:
    """What `ringfence apply` takes; `confirm_within` is in seconds, `run` the directory by which people steer it."""

    plan: str
    limit: tuple[str, ...] = ()
    excuse: tuple[str, ...] = ()
    renew: bool = False
    check: bool = False
    confirm_within: int = 30
    allowed_signers: Path | None = None
    force_lockout_test: bool = False
    run: Path | None = None

    def extravars(self, directory: Path) -> dict[str, object]:
        """Return the variables of the rollout playbook; those that are not given are None."""
        return {
            "ringfence_plan": str(directory),
            "ringfence_confirm_within": self.confirm_within,
            "ringfence_excused": list(self.excuse),
            "ringfence_allowed_signers": str(self.allowed_signers.absolute()) if self.allowed_signers else None,
            "ringfence_renew": True if self.renew else None,
            "ringfence_force_lockout_test": True if self.force_lockout_test else None,
            "ringfence_run": str(self.run) if self.run else None,
        }

    def waves(self, plan: Plan) -> list[list[str]]:
        """Return the plan's waves, of the hosts of the limit alone."""
        return [[host for host in wave if not self.limit or host in self.limit] for wave in plan.waves]


@dataclass(frozen=True, slots=True)
class Rollout:
    """What became of a plan on its hosts; `interrupted` where a person stopped it."""

    plan: Plan
    request: ApplyRequest
    result: PlaybookResult
    interrupted: bool = False

    @property
    def left_in_between(self) -> bool:
        """Return whether a host may hold a table that waits for its confirmation."""
        return not self.request.check and any(host.state == INTERRUPTED for host in self.result.hosts.values())

    @property
    def exit_status(self) -> int:
        """Return the status of the command, of one that was not interrupted."""
        return exit_status(self.result)


def apply(estate: Estate, request: ApplyRequest, execution: Execution | None = None) -> Rollout:
    """Roll a plan out and return what became of every host.

    Raise InputError for a plan that is not valid any more or hosts that it says nothing of.
    """
    from ringfence.rollout import Interrupted

    chosen = checked_plan(estate, request)
    plan = chosen.plan
    execution = execution or Execution()
    interrupted = False
    try:
        result = drive(
            estate,
            "rollout",
            request.extravars(chosen.directory),
            sorted(plan.hosts),
            execution,
            waves=request.waves(plan),
            limit=request.limit,
            check=request.check,
        )
    except Interrupted as stopped:
        result, interrupted = stopped.result, True
    if not request.check:
        try:
            forget_proofs(estate, [name for name, host in result.hosts.items() if host.changed])
        except OutsideError as error:  # what became of the hosts is told all the same
            problem = Problem(Severity.WARNING, error.message, error.place, "ringfence verify")
            execution.listener.problems([problem])
    if not request.check and not interrupted:
        carry_over(estate, [name for name, host in result.hosts.items() if host.ok], execution)
    return Rollout(plan, request, result, interrupted)


def checked_plan(estate: Estate, request: ApplyRequest, *, valid: bool = True) -> ChosenPlan:
    """Return the plan of a request, with `valid` one that may be rolled out now.

    Raise InputError where it is not, or says nothing of a host of the request.
    """
    chosen = chosen_plan(estate, request.plan)
    plan = chosen.plan
    if valid and plan.expired(estate.now):
        raise InputError(f"plan {plan.short} was valid until {plan.valid_until}", remedy="make a new one")
    refuse_unknown({*request.limit, *request.excuse}, plan.hosts, f"plan {plan.short}")
    return chosen
