"""`ringfence explain`: why a connection is allowed or denied, with the place that decided it."""

from __future__ import annotations

import click

from ringfence.cli.session import Session, command
from ringfence.cli.shell_completion_values import asset_names


@command(
    "explain",
    "explain web-3 db-1 tcp/5432",
    "explain 203.0.113.9 web-1 https",
    "explain api-1 db-1 tcp/5432 --process shop-api.service",
    question=True,
    in_force=True,
)
@click.argument("source", metavar="FROM", shell_complete=asset_names)
@click.argument("destination", metavar="TO", shell_complete=asset_names)
@click.argument("service")
@click.option("--unit", help="The systemd unit that opens or takes the connection.")
@click.option("--user", help="The user that opens it.")
@click.option("--process", "process_text", metavar="P", help="The same in one word: a unit, or 'user:NAME'.")
@click.option("--full", is_flag=True, help="As if every mode were full.")
def explain(
    session: Session,
    source: str,
    destination: str,
    service: str,
    unit: str | None,
    user: str | None,
    process_text: str | None,
    full: bool,
) -> None:
    """Say why SERVICE (tcp/443, tcp/8000-8010, a name) between two assets or addresses is allowed or denied.

    Every port of SERVICE is answered for: ports that are decided alike together.
    """
    from ringfence.model.tables import ProcessClass
    from ringfence.operations.explain import explain as explained
    from ringfence.presenting.explanation import explanation_lines

    if process_text is not None:
        kind, _, name = process_text.rpartition(":")
        unit, user = (unit, name) if kind == "user" else (name, user)
    process = ProcessClass(unit, user) if unit or user else None
    answer = explained(session.estate, source, destination, service, process, full=full)
    if session.output.as_json:
        session.output.data(answer.data())
        return
    session.output.lines(explanation_lines(answer))
