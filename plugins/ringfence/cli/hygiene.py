"""`ringfence hygiene`: rules that no flow used, that change nothing, or that are far wider than their traffic."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence.cli.flow_options import FIELDS, FLOW_PATH, FORMATS
from ringfence.cli.session import Session, command
from ringfence.model.errors import InputError

NO_FLOW = "keep flows with ringfence flows collect or flows add, or name a file with --flows"


@command(
    "hygiene",
    "hygiene",
    "hygiene --unused-for 90d --strict",
    "hygiene --ruleset shop --all",
    "hygiene --flows seen.csv --json",
    question=True,
    by_files=True,
)
@click.option("--unused-for", metavar="TIME", default="30d", show_default=True, help="For how long: 24h, 30d, a date.")
@click.option("--flows", "flows_files", multiple=True, type=FLOW_PATH, help="Flows of files, whatever their time.")
@click.option("--format", "flows_format", default="csv", show_default=True, help=FORMATS)
@FIELDS
@click.option("--rule", "rules", multiple=True, metavar="RULE", help="These rules alone, by name or id.")
@click.option("--ruleset", "rulesets", multiple=True, metavar="NAME", help="The rules of this file alone.")
@click.option("--all", "everything", is_flag=True, help="Also rules that are used and no wider than that.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Rules of a finding at most.")
@click.option("--strict", is_flag=True, help="Exit with 1 where a rule is needless, unused or wide.")
def hygiene(
    session: Session,
    unused_for: str,
    flows_files: tuple[Path | str, ...],
    flows_format: str,
    fields: str,
    rules: tuple[str, ...],
    rulesets: tuple[str, ...],
    everything: bool,
    limit: int,
    strict: bool,
) -> None:
    """Find rules that nobody needs, and say what would change without each: nothing, or these services.

    Where nothing was seen of a rule's workloads there is no evidence, and no finding.
    """
    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.operations.hygiene import hygiene as found_of
    from ringfence.presenting.hygiene_view import hygiene_lines

    flows = FlowSelection(flows_files, flows_format, unused_for, None, fields)
    found = found_of(session.estate, flows, unused_for, rules, rulesets, session.execution)
    if session.output.as_json:
        session.output.data(found.data())
    else:
        session.output.line(f"{flows.words()}: {found.flows:,} judged")
        if wrong := flows.wrong_words(found.wrong):
            session.output.line(wrong, style="yellow")
        session.output.lines(hygiene_lines(found, limit, everything=everything))
    if strict and not found.flows:
        raise InputError(f"{flows.words()}: no flow was judged, so --strict proves nothing", remedy=NO_FLOW)
    if flows.unread:
        click.get_current_context().exit(2)
    if strict and found.bad:
        click.get_current_context().exit(1)
