"""`ringfence check`: all that can be said of a workspace before anything is planned."""

from __future__ import annotations

import click

from ringfence.cli.session import Session, command
from ringfence.model.errors import RingfenceError


@command("check", "check", "check --strict", inventory=True, by_files=True)
@click.option("--strict", is_flag=True, help="Exit with 1 also where there are warnings.")
def check(session: Session, strict: bool) -> None:
    """Check language, references, tests and invariants; invariants are proven, not sampled."""
    from ringfence.operations.check import check as checked
    from ringfence.operations.check import findings_of
    from ringfence.presenting.check_view import answers, summary

    status = 2
    try:
        found = checked(session.estate)
    except RingfenceError as error:
        if not session.output.as_json:
            raise
        found, status = findings_of(error), error.exit_status
    if session.output.as_json:
        session.output.data(found.data())
    else:
        session.output.problems(found.problems)
        session.output.lines(answers(found))
        assets = len(session.estate.survey().snapshot.assets)
        session.output.lines([summary(found, session.estate.workspace.policy, assets)])
    if found.errors:
        click.get_current_context().exit(status)
    if found.failed or found.broken or (strict and found.problems):
        click.get_current_context().exit(1)
