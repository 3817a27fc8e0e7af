"""`ringfence check`: all that can be said of a workspace before anything is planned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ringfence.cli.session import Session, command
from ringfence.model.counts import counted
from ringfence.model.errors import InputError
from ringfence.model.problems import Problem, Severity

if TYPE_CHECKING:
    from ringfence.analysis.invariants import Broken
    from ringfence.analysis.policy_tests import Failure


@command("check", "check", "check --strict")
@click.option("--strict", is_flag=True, help="Exit with 1 also where there are warnings.")
def check(session: Session, strict: bool) -> None:
    """Check language, references, tests and invariants; invariants are proven, not sampled."""
    try:
        problems, failed, broken = checked(session)
    except InputError as error:
        if not session.output.as_json:
            raise
        problems, failed, broken = [_problem(one) for one in getattr(error, "errors", (error,))], [], []
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    if session.output.as_json:
        session.output.data(
            {
                "problems": [problem.data() for problem in problems],
                "failed_tests": [failure.data() for failure in failed],
                "broken_invariants": [one.data() for one in broken],
            }
        )
    else:
        session.output.problems(problems)
        _answers(session, failed, broken)
        _summary(session, problems, failed, broken)
    if errors:
        click.get_current_context().exit(2)
    if failed or broken or (strict and problems):
        click.get_current_context().exit(1)


def checked(
    session: Session, *, linted: bool = True, told: bool = True
) -> tuple[list[Problem], list[Failure], list[Broken]]:
    """Return the problems, failing tests and broken invariants; raises InputErrors for bad files.

    With `told`, hosts that cannot take their tables by what they say of themselves are no workloads.
    """
    from ringfence.analysis.checks import problems as estate_problems
    from ringfence.analysis.invariants import broken
    from ringfence.analysis.lint import lint
    from ringfence.analysis.policy_tests import failures
    from ringfence.language import check_references

    workspace = session.workspace
    problems = [
        *workspace.problems,
        *session.survey.problems,
        *check_references(workspace.mentions, session.survey.snapshot),
    ]
    if any(problem.severity is Severity.ERROR for problem in problems):
        return problems, [], []
    full = session.compiled(full=True) if told else session.installed(full=True)
    taken = session.compiled() if told else None
    problems += estate_problems(session.compilation, taken, session.enforcers[1])
    if linted:
        said = {problem.place for problem in problems}
        problems += [problem for problem in lint(full) if problem.place not in said]
    with session.output.working("proving tests and invariants"):
        return problems, failures(full), broken(full)


def _answers(session: Session, failed: Sequence[Failure], broken: Sequence[Broken]) -> None:
    for failure in failed:
        session.output.line(f"{failure.test.place}: {failure}", style="red")
    for one in broken:
        example = one.example
        session.output.line(
            f"{one.invariant.place}: invariant '{one.invariant.name}' does not hold: {example.client} → "
            f"{example.server} on {example.service} is {'denied' if one.invariant.expect == 'allow' else 'allowed'}",
            style="red",
        )
        for decision in example.decisions:
            place = f" ({decision.place})" if decision.place else ""
            session.output.line(f"  {decision.side:<4}  {decision.verdict}: {decision.rule}{place}")


def _summary(
    session: Session, problems: Sequence[Problem], failed: Sequence[Failure], broken: Sequence[Broken]
) -> None:
    policy = session.workspace.policy
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    warnings = len(problems) - errors
    # what no packet can meet is not broken, and proves nothing either
    wrong = {problem.place for problem in problems if problem.severity is Severity.ERROR}
    wrong |= {failure.test.place for failure in failed} | {one.invariant.place for one in broken}
    tests, invariants = (
        f"{sum(one.place not in wrong for one in statements)}/{len(statements)}"
        for statements in (policy.tests, policy.invariants)
    )
    session.output.line(
        f"{counted(len(policy.rules), 'rule')}, {counted(len(session.survey.snapshot.assets), 'asset')}: "
        f"{counted(errors, 'error')}, {counted(warnings, 'warning')}; "
        f"tests {tests}, invariants {invariants}",
        style="red" if errors or failed or broken else "yellow" if warnings else "green",
    )


def _problem(error: InputError) -> Problem:
    return Problem(Severity.ERROR, error.message, error.place, error.remedy)
