"""`ringfence impact`: what another label would do, before it is given."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence.cli.flow_options import flow_options
from ringfence.cli.session import Session, command
from ringfence.cli.shell_completion_values import asset_names
from ringfence.model.errors import InputError

STRICT = "Exit with 1 where a flow would be denied or a test fail that is well now, with 2 where no flow was judged."


@command(
    "impact",
    "impact web-1 --label env=prod",
    "impact role=web,env=dev --label role=api --label tier=",
    "impact --against HEAD --strict",
    "impact --labels-file labels.new.yml --json",
    question=True,
    by_files=True,
)
@click.argument("words", nargs=-1, metavar="[WORD]...", shell_complete=asset_names)
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="The label then; KEY= takes it away.")
@click.option(
    "--labels-file", type=click.Path(path_type=Path, dir_okay=False), help="Label rules in place of labels.yml."
)
@click.option("--against", metavar="REV", help="What labels.yml gives now and did not at this git revision.")
@flow_options
@click.option("--all", "everything", is_flag=True, help="Also what only another rule decides then, and all labels.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Rows at most.")
@click.option("--strict", is_flag=True, help=STRICT)
def impact(
    session: Session,
    words: tuple[str, ...],
    labels: tuple[str, ...],
    labels_file: Path | None,
    against: str | None,
    flows_files: tuple[Path | str, ...],
    flows_format: str,
    fields: str,
    since: str | None,
    until: str | None,
    everything: bool,
    limit: int,
    strict: bool,
) -> None:
    """Say what changes where the assets of WORD have other labels: rules, modes, tables, and flows that were seen.

    WORD is an asset's name or a selector. The policy is that of the files, before and after.
    """
    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.operations.impact import ImpactRequest
    from ringfence.operations.impact import impact as impact_of
    from ringfence.presenting.impact_view import flow_line, impact_lines
    from ringfence.presenting.simulation_rows import FLOW_COLUMNS, flow_rows

    flows = FlowSelection(flows_files, flows_format, since, until, fields)
    request = ImpactRequest(words, labels, labels_file, against)
    with impact_of(session.estate, request, flows, session.execution) as found:
        if session.output.as_json:
            session.output.data(found.data(limit))
        else:
            if found.against is not None:
                session.output.line(f"compared with {found.against}")
            session.output.lines(impact_lines(found, limit, everything=everything))
            session.output.line()
            session.output.lines([flow_line(found, flows.words())])
            if wrong := flows.wrong_words(found.wrong):
                session.output.line(wrong, style="yellow")
            if changed := found.flows(limit):
                session.output.table(FLOW_COLUMNS, flow_rows(changed))
        if strict and not found.judged:
            raise InputError(f"{flows.words()}: no flow was judged, so --strict proves nothing")
        if flows.unread:
            click.get_current_context().exit(2)
        if strict and found.bad:
            click.get_current_context().exit(1)
