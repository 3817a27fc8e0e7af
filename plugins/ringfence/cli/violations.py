"""`ringfence violations`: what a watch found that the policy does not want, and what people accepted of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ringfence.cli.default_group import LISTING, DefaultGroup
from ringfence.cli.session import Session, command
from ringfence.cli.shell_completion_values import violation_ids
from ringfence.model.counts import counted

if TYPE_CHECKING:
    from ringfence.operations.violations import Violations

STATUSES = ("new", "accepted", "fixed")


@click.group("violations", cls=DefaultGroup, otherwise=LISTING)
def violations() -> None:
    """List what 'ringfence watch' found that the policy does not want; accept what is known."""


@command(LISTING, "violations", "violations list --status accepted --json", group=violations, question=True)
@click.option("--status", type=click.Choice(STATUSES), multiple=True, help="These alone; else new and accepted ones.")
def listing(session: Session, status: tuple[str, ...]) -> None:
    """List violations, the latest last.

    One is fixed when it was not seen for a week ('watch: fixed_after' in ringfence.yml), or when the policy says
    otherwise of it now. Exits with 1 where one is new.
    """
    from ringfence.operations.violations import Status
    from ringfence.operations.violations import violations as found

    result = found(session.estate, [Status(one) for one in status or STATUSES[:2]])
    _print(session, result)
    session.output.line(f"{counted(len(result.violations), 'violation')}, {result.new} new")
    if result.new:
        click.get_current_context().exit(1)


@command("accept", "violations accept 5f3a9c01 --because 'the old backup, gone in March'", group=violations)
@click.argument("ids", nargs=-1, required=True, metavar="ID...", shell_complete=violation_ids)
@click.option("--because", required=True, help="Why: it is listed with the violation.")
def accept(session: Session, ids: tuple[str, ...], because: str) -> None:
    """Accept violations by ID: they are counted from now on, and no longer new."""
    from ringfence.operations.violations import accept as accepted

    _print(session, accepted(session.estate, ids, because))


def _print(session: Session, result: Violations) -> None:
    from ringfence.presenting.watch_view import VIOLATION_COLUMNS, violation_rows

    if session.output.as_json:
        session.output.data(result.data())
    elif result.violations:
        session.output.table(VIOLATION_COLUMNS, violation_rows(result.violations))
