"""`ringfence flows`: who talks to whom, collected from hosts, read from files, kept and asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringfence.cli.flow_options import FETCHED_SINCE, FIELDS, FLOW_PATH, FORMATS, SINCE
from ringfence.cli.session import Session, command
from ringfence.model.counts import counted
from ringfence.model.errors import InputError
from ringfence.presenting.simulation_rows import label_text, service_text

if TYPE_CHECKING:
    from ringfence.estate import Estate

NAMING = ("csv", "json")  # formats that name client and server themselves: nothing need be known of the hosts


@click.group("flows")
def flows() -> None:
    """Collect, read and keep who talks to whom."""


@command("read", "flows read seen.csv", "flows read seen/ --format hosts --json", group=flows)
@click.argument("files", nargs=-1, required=True, type=FLOW_PATH, metavar="FILE...")
@click.option("--format", "flows_format", default="csv", show_default=True, help=FORMATS)
@FIELDS
@click.option("--since", metavar="TIME", help=FETCHED_SINCE)
@click.option("--until", metavar="TIME", help="Until when.")
def read(
    session: Session,
    files: tuple[Path | str, ...],
    flows_format: str,
    fields: str,
    since: str | None,
    until: str | None,
) -> None:
    """Print the flows of FILEs: files, directories, -, s3://BUCKET/PREFIX, cloudwatch:GROUP; nothing is kept."""
    from ringfence.operations.flows import read_flows

    estate = _with_inventory(session) if flows_format not in NAMING else None
    found = read_flows(estate, files, flows_format, fields, since, until)
    rows, reading = found.rows, found.reading
    if session.output.as_json:
        session.output.data(rows)
    else:
        names = _columns(rows)
        session.output.table(names, ([row[name] for name in names] for row in rows))
        empty = f", {counted(reading.empty, 'row')} without traffic" if reading.empty else ""
        wrong = f", {counted(reading.bad, 'wrong row')} left out" if reading.bad else ""
        session.output.line(counted(reading.read, "flow") + empty + wrong)
    session.output.problems(reading.problems, err=True)
    if reading.bad:
        if session.output.as_json:  # its list of flows has no place for a count
            click.echo(f"{counted(reading.bad, 'wrong row')} left out", err=True)
        click.get_current_context().exit(2)


def _columns(rows: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    """Return the columns of a table of flows; those that say the same of all, or nothing, are left out."""
    said = (
        next((name for name in names if any(row[name] for row in rows)), "")
        for names in ([f"{side}_{kind}" for kind in ("unit", "user", "process")] for side in ("client", "server"))
    )
    processes = tuple(name for name in said if name)
    outcome = _outcome(rows)
    reason = ("direction_by",) if any(row["direction_by"] for row in rows) else ()
    return ("client", "server", "protocol", "port", "connections", *processes, *outcome, *reason, "last_seen")


def _outcome(rows: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    """Return the column of outcomes, none where every flow was answered."""
    return ("outcome",) if any(row["outcome"] != "answered" for row in rows) else ()


def _with_inventory(session: Session) -> Estate | None:
    """Return the workspace that knows the hosts; where there is none, files are read as they are."""
    try:
        return session.estate if session.estate.workspace.inventory_paths else None
    except InputError:
        if session.chosen is not None:
            raise
        return None


@command("collect", "flows collect", "flows collect role=web --times 12 --every 300", group=flows, hosts=True)
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option("--facts/--no-facts", default=False, help="Gather facts too, for label rules and addresses.")
@click.option("--times", type=click.IntRange(1, 1000), default=1, show_default=True, help="Number of looks to take.")
@click.option("--every", type=click.FloatRange(0), default=5.0, show_default=True, help="Seconds between the looks.")
def collect(session: Session, words: tuple[str, ...], facts: bool, times: int, every: float) -> None:
    """Ask hosts who talks to whom, through Ansible, and keep it; WORDs choose hosts as for 'ringfence assets'."""
    from ringfence.operations.collect import CollectRequest
    from ringfence.operations.collect import collect as collected

    found = collected(session.estate, CollectRequest(words, facts, times, every), session.execution)
    added, wrong, silent = found.added, found.wrong, found.silent
    if session.output.as_json:
        session.output.data({**added.data(), "wrong": wrong, "silent": sorted(silent), "reasons": silent})
    session.output.line(f"{counted(added.read, 'flow')} seen, {added.new} new")
    if wrong:
        session.output.line(f"{counted(wrong, 'wrong row')} left out", style="yellow")
    if silent:
        session.output.line(f"{counted(len(silent), 'host')} did not tell: {', '.join(silent)}", style="yellow")
        for reason, hosts in _by_reason(silent).items():
            session.output.line(f"  {', '.join(hosts)}: {reason}", style="yellow")
        click.get_current_context().exit(3)


def _by_reason(silent: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the hosts by the reason that each gave; those without one are left out."""
    found: dict[str, list[str]] = {}
    for host, reason in silent.items():
        if reason:
            found.setdefault(reason, []).append(host)
    return found


@command("add", "flows add seen.csv", "flows add seen/ --format hosts", group=flows)
@click.argument("files", nargs=-1, required=True, type=FLOW_PATH, metavar="FILE...")
@click.option("--format", "flows_format", default="csv", show_default=True, help=FORMATS)
@FIELDS
@click.option("--since", metavar="TIME", help=FETCHED_SINCE)
@click.option("--until", metavar="TIME", help="Until when.")
def add(
    session: Session,
    files: tuple[Path | str, ...],
    flows_format: str,
    fields: str,
    since: str | None,
    until: str | None,
) -> None:
    """Keep the flows of FILEs, named as for 'ringfence flows read'; what is kept is not counted twice."""
    from ringfence.operations.flows import add_flows

    results = []
    wrong = 0
    for one in add_flows(session.estate, files, flows_format, session.execution, fields, since, until):
        results.append(one.data())
        days = ", ".join(day.isoformat() for day in one.added.days)
        session.output.line(
            f"{one.file}: {_records(one.added.records)}{counted(one.added.read, 'flow')}, {one.added.new} new"
            + (f", of {days}" if days else "")
            + (f"; {counted(one.added.known, 'file')} added before" if one.added.known else "")
        )
        wrong += one.wrong
    if session.output.as_json:
        session.output.data(results)
    if wrong:
        session.output.line(f"{counted(wrong, 'wrong row')} left out", style="yellow")
        click.get_current_context().exit(2)


def _records(count: int) -> str:
    """Return how many records of a sensor were read, and nothing where there were none."""
    return f"{counted(count, 'record')}, " if count else ""


@command("window", "flows window", "flows window --since 24h --by flow", group=flows)
@click.option("--since", metavar="TIME", help=SINCE)
@click.option("--until", metavar="TIME", help="Until when.")
@click.option("--by", type=click.Choice(["labels", "flow"]), default="labels", show_default=True, help="Rows.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Rows at most.")
def window(session: Session, since: str | None, until: str | None, by: str, limit: int) -> None:
    """Show the kept flows of a span of time: who talks to whom, by labels or one by one."""
    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.operations.flows import protocol_name, seen_flows

    selection = FlowSelection(since=since, until=until)
    with seen_flows(session.estate, selection, session.execution) as found:
        shown = found.flows(limit) if by == "flow" else found.by_labels(session.estate, limit)
        rows, totals = shown.rows, found.totals
        if session.output.as_json:
            session.output.data({**totals, "rows": rows, "more": shown.more})
            return
        session.output.line(f"{totals['flows']} flows, {totals['connections']} connections")
        if wrong := selection.wrong_words(found.wrong):
            session.output.line(wrong, style="yellow")
        if guessed := selection.guessed_words(found.window.guesses):
            session.output.line(guessed, style="yellow")
        if by == "flow":
            names = _columns(rows)
            session.output.table(names, ([row[name] for name in names] for row in rows))
        else:
            outcome = _outcome(rows)
            session.output.table(
                ("from", "to", "service", *outcome, "#flows", "#connections"),
                (
                    (
                        label_text(row["from"]),  # type: ignore[arg-type]  # the labels of by_labels
                        label_text(row["to"]),  # type: ignore[arg-type]  # the labels of by_labels
                        service_text(protocol_name(row["protocol"]), row["port"]),
                        *(row[name] for name in outcome),
                        row["flows"],
                        row["connections"],
                    )
                    for row in rows
                ),
            )
        if shown.more:
            session.output.line(f"{shown.more:,} more (--limit)")


@command("list", "flows list", "flows list --json", group=flows)
def list_(session: Session) -> None:
    """List what is kept: which files and places were added, when, how many flows and wrong rows, of which days."""
    from ringfence.operations.flow_sources import list_flows
    from ringfence.presenting.flow_sources_view import SOURCE_COLUMNS, kept_line, source_rows

    found = list_flows(session.estate)
    if session.output.as_json:
        session.output.data(found.data())
        return
    if found.sources:
        session.output.table(SOURCE_COLUMNS, source_rows(found.sources))
    session.output.lines([kept_line(found)])


@command("forget", "flows forget --before 90d", "flows forget", "flows forget --damaged", group=flows)
@click.option("--before", metavar="TIME", help="90d, or a date: the days before it go.")
@click.option("--damaged", is_flag=True, help="Set files aside that cannot be read, and name what to add again.")
def forget(session: Session, before: str | None, damaged: bool) -> None:
    """Remove the kept flows of old days, and of days that lie in the future, which no window counts."""
    from ringfence.operations.flows import forget_flows, set_damaged_aside

    if damaged:
        if before:
            raise click.UsageError("--damaged goes without --before")
        found = set_damaged_aside(session.estate)
        if session.output.as_json:
            session.output.data({"damaged": list(found.names), "add_again": list(found.add_again)})
        session.output.line(f"{counted(len(found.names), 'damaged file')} set aside")
        for name in found.names:
            session.output.line(f"  {name}.damaged")
        if found.add_again:
            session.output.line("Their flows are lost until these are added again with 'ringfence flows add':")
            for path in found.add_again:
                session.output.line(f"  {path}")
        return
    days = forget_flows(session.estate, before)
    if session.output.as_json:
        session.output.data({"days": days})
    session.output.line(f"{days} days removed")
