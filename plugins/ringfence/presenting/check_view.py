"""What `check` found, in lines: tests that fail, invariants that do not hold, and the sum of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ringfence.model.counts import counted
from ringfence.model.problems import Severity
from ringfence.presenting.line import Line

if TYPE_CHECKING:
    from ringfence.model.rules import Policy
    from ringfence.operations.check import Findings


def answers(found: Findings) -> Iterator[Line]:
    """Yield the lines of tests and invariants; an invariant's with the rules that decide its example."""
    for failure in found.failed:
        yield Line(f"{failure.test.place}: {failure}", style="red")
    for one in found.broken:
        example = one.example
        yield Line(
            f"{one.invariant.place}: invariant '{one.invariant.name}' does not hold: {example.client} → "
            f"{example.server} on {example.service} is {'denied' if one.invariant.expect == 'allow' else 'allowed'}",
            style="red",
        )
        for decision in example.decisions:
            place = f" ({decision.place})" if decision.place else ""
            yield Line(f"  {decision.side:<4}  {decision.verdict}: {decision.rule}{place}")


def summary(found: Findings, policy: Policy, assets: int) -> Line:
    """Return the line at the end."""
    warnings = len(found.problems) - found.errors
    # what no packet can meet is not broken, and proves nothing either
    wrong = {problem.place for problem in found.problems if problem.severity is Severity.ERROR}
    wrong |= {failure.test.place for failure in found.failed} | {one.invariant.place for one in found.broken}
    tests, invariants = (
        f"{sum(one.place not in wrong for one in statements)}/{len(statements)}"
        for statements in (policy.tests, policy.invariants)
    )
    return Line(
        f"{counted(len(policy.rules), 'rule')}, {counted(assets, 'asset')}: "
        f"{counted(found.errors, 'error')}, {counted(warnings, 'warning')}; "
        f"tests {tests}, invariants {invariants}",
        style="red" if found.errors or found.failed or found.broken else "yellow" if warnings else "green",
    )
