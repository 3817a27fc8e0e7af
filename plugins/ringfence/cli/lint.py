"""`ringfence lint`: rules that never match, never decide, or say more than anyone is likely to mean."""

from __future__ import annotations

import click

from ringfence.cli.session import Session, command
from ringfence.model.counts import counted


@command("lint", "lint", question=True, by_files=True)
def lint(session: Session) -> None:
    """Find shadowed, redundant, never matching and broad rules; exit with 1 where there are any."""
    from ringfence.operations.lint import lint as linted

    problems = linted(session.estate)
    if session.output.as_json:
        session.output.data([problem.data() for problem in problems])
    else:
        session.output.problems(problems)
        session.output.line(
            f"{counted(len(problems), 'finding')} in {counted(len(session.estate.workspace.policy.rules), 'rule')}"
        )
    if problems:
        click.get_current_context().exit(1)
