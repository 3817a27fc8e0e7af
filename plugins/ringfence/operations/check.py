"""All that can be said of a workspace before anything is planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.model.errors import InputError, InputErrors, RingfenceError
from ringfence.model.problems import Problem, Severity
from ringfence.operations.beside_tests import cut_tests
from ringfence.operations.emergency_moves import moved
from ringfence.operations.option_problems import option_problems
from ringfence.operations.signers_check import signer_problems

if TYPE_CHECKING:
    from ringfence.analysis.invariants import Broken
    from ringfence.analysis.policy_tests import Failure
    from ringfence.estate import Estate


@dataclass(frozen=True, slots=True)
class Findings:
    """Problems of files and assets, tests that fail, and invariants that do not hold."""

    problems: Sequence[Problem]
    failed: Sequence[Failure] = ()
    broken: Sequence[Broken] = ()

    @property
    def errors(self) -> int:
        """Return how many of the problems are errors."""
        return sum(problem.severity is Severity.ERROR for problem in self.problems)

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return {
            "problems": [problem.data() for problem in self.problems],
            "failed_tests": [failure.data() for failure in self.failed],
            "broken_invariants": [one.data() for one in self.broken],
        }


def check(estate: Estate, *, linted: bool = True, told: bool = True) -> Findings:
    """Return problems, with `linted` also of doubtful rules. Raise InputErrors for broken files.

    With `told`, hosts whose own facts say that they cannot take their tables are not workloads.
    """
    from ringfence.analysis.checks import problems as estate_problems
    from ringfence.analysis.invariants import broken
    from ringfence.analysis.lint import lint
    from ringfence.analysis.policy_tests import failures
    from ringfence.language import check_references

    workspace = estate.workspace
    found = estate.survey()
    problems = [*workspace.problems, *found.problems, *check_references(workspace.mentions, found.snapshot)]
    problems += signer_problems(estate.directory, workspace.settings.emergencies)
    problems += moved(estate)
    if any(problem.severity is Severity.ERROR for problem in problems):
        return Findings(problems)
    problems += option_problems(estate)
    full = estate.compiled(full=True) if told else estate.installed(full=True)
    taken = estate.compiled() if told else None
    problems += estate_problems(estate.compilation, taken, estate.enforcers[1])
    if linted:
        said = {problem.place for problem in problems}
        problems += [problem for problem in lint(full) if problem.place not in said]
    if told:
        problems += cut_tests(estate, full)
    with estate.listener.working("proving tests and invariants"):
        return Findings(problems, failures(full), broken(full))


def findings_of(error: RingfenceError) -> Findings:
    """Return the errors of files that are broken, or of what failed outside, as problems."""
    errors = getattr(error, "errors", (error,))
    return Findings([Problem(Severity.ERROR, one.message, one.place, one.remedy) for one in errors])


def refuse_errors(estate: Estate) -> None:
    """Raise InputErrors for what `check` finds wrong: errors, failing tests, broken invariants.

    What a host says of itself stops no plan: the plan leaves it out and says so.
    """
    found = check(estate, linted=False, told=False)
    errors = [
        InputError(problem.message, problem.place, problem.remedy)
        for problem in found.problems
        if problem.severity is Severity.ERROR
    ]
    errors += [InputError(str(failure), failure.test.place) for failure in found.failed]
    errors += [
        InputError(
            f"invariant '{one.invariant.name}' does not hold: {one.example.client} → {one.example.server} "
            f"on {one.example.service}",
            one.invariant.place,
            "ringfence check says which rules decide it",
        )
        for one in found.broken
    ]
    if errors:
        raise InputErrors(errors)
