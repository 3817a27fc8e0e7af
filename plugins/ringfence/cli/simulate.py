"""`ringfence simulate`: what the policy as it stands in the files would do to flows that were seen."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence.cli.flow_options import flow_options
from ringfence.cli.session import Session, command
from ringfence.model.errors import InputError
from ringfence.presenting.simulation_rows import CATEGORIES

NO_FLOW = "look whether the file has rows, the span of time has flows, and none were left out"
STRICT = "Exit with 1 where something would be denied that is allowed now, with 2 where no flow was judged."


@command(
    "simulate",
    "simulate",
    "simulate --since 24h --by rule",
    "simulate --only newly_denied",
    "simulate --flows seen.csv --strict",
    "simulate --flows seen/ --format hosts --json",
    question=True,
)
@flow_options
@click.option("--by", type=click.Choice(["rule", "labels", "flow"]), default="labels", show_default=True, help="Rows.")
@click.option("--only", type=click.Choice(CATEGORIES), multiple=True, help="Single flows of these alone.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Rows at most; of --json single flows."
)
@click.option("--strict", is_flag=True, help=STRICT)
def simulate(
    session: Session,
    flows_files: tuple[Path | str, ...],
    flows_format: str,
    fields: str,
    since: str | None,
    until: str | None,
    by: str,
    only: tuple[str, ...],
    limit: int,
    strict: bool,
) -> None:
    """Judge flows: still allowed, newly allowed, newly denied, denied as before.

    Exits with 2 where flows of a file could not be read: what was not read was not judged.
    """
    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.operations.simulate import simulate as simulated
    from ringfence.presenting.simulation_rows import (
        FLOW_COLUMNS,
        LABEL_COLUMNS,
        RULE_COLUMNS,
        flow_rows,
        label_rows,
        rule_rows,
    )

    selection = FlowSelection(flows_files, flows_format, since, until, fields)
    with simulated(session.estate, selection, session.execution) as found:
        single = by == "flow" or bool(only)
        flows = found.flows(only, limit) if single else []
        result = found.simulation
        if session.output.as_json:
            session.output.data({**found.data(), "flows": flows} if single else found.data())
        else:
            session.output.line(f"{selection.words()}: {result.summary()}")
            if wrong := selection.wrong_words(found.wrong):
                session.output.line(wrong, style="yellow")
            if found.to_nobody.flows:
                session.output.line(str(found.to_nobody), style="yellow")
            if single:
                session.output.table(FLOW_COLUMNS, flow_rows(flows))
            elif by == "rule":
                session.output.table(RULE_COLUMNS, rule_rows(result, limit))
                _more(session, len(result.by_rule) - limit)
            else:
                session.output.table(LABEL_COLUMNS, label_rows(result, limit))
                _more(session, len(result.by_labels) - limit)
        if strict and not found.judged:
            raise InputError(f"{selection.words()}: no flow was judged, so --strict proves nothing", remedy=NO_FLOW)
        if selection.unread:
            click.get_current_context().exit(2)
        if strict and found.newly_denied:
            click.get_current_context().exit(1)


def _more(session: Session, left: int) -> None:
    if left > 0:
        session.output.line(f"{left:,} more (--limit, --json)")
