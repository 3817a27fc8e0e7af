"""`ringfence flows`: who talks to whom, collected from hosts, read from files, kept and asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import islice
from pathlib import Path

import click

from ringfence.cli.looked_at import (
    DEFAULT_SINCE,
    FLOW_PATH,
    FLOWS,
    FORMATS,
    HOSTS,
    LookedAt,
    read_files,
    reading_of,
    time_of,
)
from ringfence.cli.session import Session, command
from ringfence.cli.simulate import label_text, service_text
from ringfence.model.counts import counted
from ringfence.model.errors import InputError


@click.group("flows")
def flows() -> None:
    """Collect, read and keep who talks to whom."""


@command("read", "flows read seen.csv", "flows read seen/ --format hosts --json", group=flows)
@click.argument("files", nargs=-1, required=True, type=FLOW_PATH, metavar="FILE...")
@click.option("--format", "flows_format", default="csv", show_default=True, help=FORMATS)
def read(session: Session, files: tuple[Path, ...], flows_format: str) -> None:
    """Print the flows of FILEs (of hosts a directory too, - for standard input); nothing is kept."""
    from ringfence.flows.records import record_of

    reading = reading_of(session, flows_format, asks_inventory=flows_format == HOSTS and _has_inventory(session))
    rows = [record_of(flow) for flow in read_files(files, flows_format, reading)]
    if session.output.as_json:
        session.output.data(rows)
    else:
        names = ("client", "server", "protocol", "port", "connections", "client_unit", "server_unit", "last_seen")
        session.output.table(names, ([row[name] for name in names] for row in rows))
        session.output.line(
            counted(reading.read, "flow") + (f", {counted(reading.bad, 'wrong row')} left out" if reading.bad else "")
        )
    session.output.problems(reading.problems, err=True)
    if reading.bad:
        if session.output.as_json:  # its list of flows has no place for a count
            click.echo(f"{counted(reading.bad, 'wrong row')} left out", err=True)
        click.get_current_context().exit(2)


def _has_inventory(session: Session) -> bool:
    """Return whether there is a workspace that knows the hosts; elsewhere files are read as they are."""
    try:
        return bool(session.workspace.inventory_paths)
    except InputError:
        if session.chosen is not None:
            raise
        return False


@command("collect", "flows collect", "flows collect role=web --times 12 --every 300", group=flows)
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option("--facts/--no-facts", default=False, help="Gather facts too, for label rules and addresses.")
@click.option("--times", type=click.IntRange(1, 1000), default=1, show_default=True, help="Number of looks to take.")
@click.option("--every", type=click.FloatRange(0), default=5.0, show_default=True, help="Seconds between the looks.")
def collect(session: Session, words: tuple[str, ...], facts: bool, times: int, every: float) -> None:
    """Ask hosts who talks to whom, through Ansible, and keep it; WORDs choose hosts as for 'ringfence assets'."""
    from ringfence.cli.collecting import collect as collected

    added, wrong, silent = collected(session, words, facts=facts, times=times, every=every)
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
def add(session: Session, files: tuple[Path, ...], flows_format: str) -> None:
    """Keep the flows of FILEs (of hosts a directory too, - for standard input); what is kept is not counted twice."""
    from ringfence.cli.kept import keep_snapshot, kept_snapshots
    from ringfence.flows.store import FlowStore

    keep_snapshot(session)
    snapshots = kept_snapshots(session)
    store = FlowStore(session.workspace.state / FLOWS)
    results = []
    wrong = 0
    for file in files:
        reading = reading_of(session, flows_format)
        added = store.add(read_files([file], flows_format, reading, several=len(files) > 1), snapshots)
        results.append({"file": str(file), **added.data(), "bad": reading.bad, "wrong": reading.bad})
        session.output.problems(reading.problems, err=True)
        days = ", ".join(day.isoformat() for day in added.days)
        session.output.line(
            f"{file}: {counted(added.read, 'flow')}, {added.new} new" + (f", of {days}" if days else "")
        )
        wrong += reading.bad
    if session.output.as_json:
        session.output.data(results)
    if wrong:
        session.output.line(f"{counted(wrong, 'wrong row')} left out", style="yellow")
        click.get_current_context().exit(2)


@command("window", "flows window", "flows window --since 24h --by flow", group=flows)
@click.option("--since", metavar="TIME", help=f"From when: 90m, 24h, 7d, a date or time. [{DEFAULT_SINCE}]")
@click.option("--until", metavar="TIME", help="Until when.")
@click.option("--by", type=click.Choice(["labels", "flow"]), default="labels", show_default=True, help="Rows.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Rows at most.")
def window(session: Session, since: str | None, until: str | None, by: str, limit: int) -> None:
    """Show the kept flows of a span of time: who talks to whom, by labels or one by one."""
    from ringfence.analysis.simulate import DEFAULT_KEYS
    from ringfence.flows.records import PROTOCOL_NAMES, record_of

    looked_at = LookedAt((), "", since, until)
    with looked_at.window(session) as found:
        totals = {**found.totals(), "wrong": found.wrong}
        if by == "flow":
            rows = [record_of(flow) for flow in islice(found.flows(), limit)]
        else:
            rows = found.by_labels(session.snapshot, DEFAULT_KEYS)[:limit]  # type: ignore[assignment]  # plain rows both
        if session.output.as_json:
            session.output.data({**totals, "rows": rows})
            return
        session.output.line(f"{totals['flows']} flows, {totals['connections']} connections")
        looked_at.tell_wrong(session, found.wrong)
        if by == "flow":
            names = ("client", "client_unit", "server", "server_unit", "protocol", "port", "connections", "last_seen")
            session.output.table(names, ([row[name] for name in names] for row in rows))
            return
        session.output.table(
            ("from", "to", "service", "#flows", "#connections"),
            (
                (
                    label_text(row["from"]),  # type: ignore[arg-type]  # the labels of by_labels
                    label_text(row["to"]),  # type: ignore[arg-type]
                    service_text(PROTOCOL_NAMES.get(int(str(row["protocol"])), row["protocol"]), row["port"]),
                    row["flows"],
                    row["connections"],
                )
                for row in rows
            ),
        )


@command("forget", "flows forget --before 90d", "flows forget", group=flows)
@click.option("--before", metavar="TIME", help="90d, or a date: the days before it go.")
def forget(session: Session, before: str | None) -> None:
    """Remove the kept flows of old days, and of days that lie in the future, which no window counts."""
    from ringfence.flows.possible import latest_time
    from ringfence.flows.store import FlowStore

    first = time_of(before, session.now).date() if before else date.min
    store = FlowStore(session.workspace.state / FLOWS)
    days = store.forget(first, latest_time(session.now).date())
    if session.output.as_json:
        session.output.data({"days": days})
    session.output.line(f"{days} days removed")
