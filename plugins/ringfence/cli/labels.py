"""`ringfence labels`: every label with the rule that gave it, and proposals for those that are lacking."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence.cli.default_group import DefaultGroup
from ringfence.cli.flow_options import flow_options
from ringfence.cli.session import Session, command

LISTING = "list"


@click.group("labels", cls=DefaultGroup, otherwise=LISTING)
def labels() -> None:
    """Show every label with the rule that gave it: ringfence labels [WORD]...; or propose those that are lacking."""


@command(LISTING, group=labels, question=True)
@click.argument("words", nargs=-1, metavar="[WORD]...")
def listing(session: Session, words: tuple[str, ...]) -> None:
    """Show labels with the rule that gave each; WORDs narrow the assets, as for 'ringfence assets'."""
    from ringfence.operations.labels import labels as labelled
    from ringfence.presenting.asset_view import LABEL_COLUMNS, label_data, label_rows

    found = labelled(session.estate, words)
    if session.output.as_json:
        session.output.data(
            {
                "assets": {
                    asset.name: {key: label_data(label) for key, label in sorted(asset.labels.items())}
                    for asset in found.assets
                },
                "problems": [problem.data() for problem in found.problems],
            }
        )
    else:
        session.output.table(LABEL_COLUMNS, label_rows(found.assets))
        session.output.problems(found.problems)
    if found.broken:
        click.get_current_context().exit(2)


@command("suggest", group=labels)
@flow_options
@click.option("--no-flows", is_flag=True, help="Look at names and gathered facts alone.")
@click.option("--accept", multiple=True, metavar="NAME", help="Write this proposal into labels.yml, as role=db:ports.")
def suggest(
    session: Session,
    flows_files: tuple[Path | str, ...],
    flows_format: str,
    fields: str,
    since: str | None,
    until: str | None,
    no_flows: bool,
    accept: tuple[str, ...],
) -> None:
    """Propose role and app labels from names, ports and communication, with the evidence; a person accepts them."""
    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.operations.labels import suggest_labels
    from ringfence.presenting.suggestion_view import suggestion_lines

    flows = None if no_flows else FlowSelection(flows_files, flows_format, since, until, fields)
    found = suggest_labels(session.estate, flows, accept, session.execution)
    unread = flows.unread if flows else 0
    if session.output.as_json:
        proposals = [one.data() for one in found.suggestions]
        session.output.data({"suggestions": proposals, "accepted": list(found.rules), "wrong": unread})
    else:
        session.output.lines(suggestion_lines(found))
    if flows and unread:
        session.output.line(flows.wrong_words(unread), style="yellow")
        click.get_current_context().exit(2)
