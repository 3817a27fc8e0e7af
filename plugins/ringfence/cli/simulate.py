"""`ringfence simulate`: what the policy as it stands in the files would do to flows that were seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringfence.cli.flow_options import flow_options
from ringfence.cli.session import Session, command
from ringfence.model.errors import InputError
from ringfence.presenting.simulation_rows import CATEGORIES

NO_FLOW = "look whether the file has rows, the span of time has flows, and none were left out"
STRICT = "Exit with 1 where something would be denied that is allowed now, with 2 where no flow was judged."


if TYPE_CHECKING:
    from ringfence.operations.simulate import Simulated

BY = ("rule", "labels", "asset", "flow")
REFUSED_SHOWN = 10


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
@click.option("--by", type=click.Choice(BY), default="labels", show_default=True, help="Rows.")
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
    from ringfence.presenting.simulation_rows import REFUSED_COLUMNS, refused_rows

    selection = FlowSelection(flows_files, flows_format, since, until, fields)
    with simulated(session.estate, selection, session.execution) as found:
        single = by == "flow" or bool(only)
        flows = found.flows(only, limit) if single else []
        result = found.simulation
        refused = result.refusals(limit if session.output.as_json else min(limit, REFUSED_SHOWN))
        if session.output.as_json:
            rows = {"flows": flows} if single else {}
            if by == "asset":
                rows["by_asset"] = [one.data() for one in result.evidence()]
            session.output.data({**found.data(), "refused_flows": refused, **rows})
        else:
            session.output.line(f"{selection.words()}: {result.summary()}")
            if wrong := selection.wrong_words(found.wrong):
                session.output.line(wrong, style="yellow")
            if found.to_nobody.flows:
                session.output.line(str(found.to_nobody), style="yellow")
            if unseen := result.unseen_words():
                session.output.line(unseen, style="yellow")
            columns, shown, more = _table(found, by, flows if single else None, limit)
            session.output.table(columns, shown)
            if more > 0:
                session.output.line(f"{more:,} more (--limit, --json)")
            if refused:
                session.output.line(f"{result.refused.flows:,} attempts were refused when they were seen, not judged:")
                session.output.table(REFUSED_COLUMNS, refused_rows(refused))
        if strict and not found.judged:
            raise InputError(f"{selection.words()}: no flow was judged, so --strict proves nothing", remedy=NO_FLOW)
        if selection.unread:
            click.get_current_context().exit(2)
        if strict and found.newly_denied:
            click.get_current_context().exit(1)


def _table(
    found: Simulated, by: str, flows: Sequence[Mapping[str, object]] | None, limit: int
) -> tuple[tuple[str, ...], Iterator[tuple[object, ...]], int]:
    """Return the columns and rows to show, and how many rows there are beyond."""
    from ringfence.presenting import simulation_rows as rows

    result = found.simulation
    if flows is not None:
        return rows.FLOW_COLUMNS, rows.flow_rows(flows), 0
    if by == "rule":
        return rows.RULE_COLUMNS, rows.rule_rows(result, limit), len(result.by_rule) - limit
    if by == "asset":
        evidence = result.evidence()
        return rows.ASSET_COLUMNS, rows.asset_rows(evidence[:limit]), len(evidence) - limit
    return rows.LABEL_COLUMNS, rows.label_rows(result, limit), len(result.by_labels) - limit
