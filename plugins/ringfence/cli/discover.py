"""`ringfence discover`: ask the inventory's sources again, and see each as it answers."""

from __future__ import annotations

import click

from ringfence.cli.session import Session, command


@command("discover", "discover", "discover --look --json", inventory=True)
@click.option("--look", is_flag=True, help="Only look: keep no snapshot of the assets.")
def discover(session: Session, look: bool) -> None:
    """Ask the inventory, source by source; each is told as it begins, ends or fails. The assets are kept as a snapshot.

    Assets of a source that fails stay as they were last known. Exit status 3 where a source failed.
    """
    from ringfence.model.problems import Severity
    from ringfence.operations.discover import discover as asked
    from ringfence.presenting.discovery_view import discovered_lines

    found = asked(session.estate, keep=not look, execution=session.execution)
    if session.output.as_json:
        session.output.data(found.data())
    session.output.problems(found.problems)
    session.output.lines(discovered_lines(found))
    if found.silent:
        click.get_current_context().exit(3)
    if any(one.severity is Severity.ERROR for one in found.problems):
        click.get_current_context().exit(1)
