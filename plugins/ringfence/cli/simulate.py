"""`ringfence simulate`: what the policy as it stands in the files would do to flows that were seen."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringfence.cli.looked_at import LookedAt, flow_options
from ringfence.cli.session import Session, command

if TYPE_CHECKING:
    from ringfence.analysis.simulate import Simulation

CATEGORIES = ("still_allowed", "newly_allowed", "newly_denied", "still_denied")


@command(
    "simulate",
    "simulate",
    "simulate --since 24h --by rule",
    "simulate --only newly_denied",
    "simulate --flows seen.csv --strict",
    "simulate --flows seen/ --format hosts --json",
)
@flow_options
@click.option("--by", type=click.Choice(["rule", "labels", "flow"]), default="labels", show_default=True, help="Rows.")
@click.option("--only", type=click.Choice(CATEGORIES), multiple=True, help="Single flows of these alone.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Rows at most; of --json single flows."
)
@click.option("--strict", is_flag=True, help="Exit with 1 where something would be denied that is allowed now.")
def simulate(
    session: Session,
    flows_files: tuple[Path, ...],
    flows_format: str,
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
    from ringfence.analysis.simulate import simulate as simulated
    from ringfence.analysis.simulate_judge import Category
    from ringfence.analysis.simulate_unheld import to_nobody
    from ringfence.cli.kept import held_tables
    from ringfence.plan import known

    looked_at = LookedAt(flows_files, flows_format, since, until)
    compiled = session.compiled()
    current = held_tables(session, known(session.directory, session.workspace.plans, session.now))
    # a host that nothing brings its table to goes on with what it holds
    tables = {**compiled.tables, **{name: current[name] for name in compiled.why if name in current}}
    with looked_at.window(session) as window:
        result = simulated(tables, session.snapshot, window, current)
        nobodys = to_nobody(result, session.snapshot, session.workspace.settings)
        single = by == "flow" or bool(only)
        flows = list(islice(result.flows([Category(one) for one in only] or None), limit)) if single else []
        if session.output.as_json:
            data = {"window": window.totals(), **result.data(), "wrong": window.wrong, "to_nobody": nobodys.data()}
            session.output.data({**data, "flows": [flow.data() for flow in flows]} if single else data)
        else:
            session.output.line(f"{looked_at.words()}: {result.summary()}")
            looked_at.tell_wrong(session, window.wrong)
            if nobodys.flows:
                session.output.line(str(nobodys), style="yellow")
            if single:
                _flows(session, [flow.data() for flow in flows])
            elif by == "rule":
                _by_rule(session, result, limit)
            else:
                _by_labels(session, result, limit)
        if looked_at.unread:
            click.get_current_context().exit(2)
        if strict and result.categories[Category.NEWLY_DENIED].flows:
            click.get_current_context().exit(1)


def _by_rule(session: Session, result: Simulation, limit: int) -> None:
    session.output.table(
        ("rule", "side", *(f"#{name.replace('_', ' ')}" for name in CATEGORIES), "#watched"),
        (
            (
                one.name,
                "to" if one.direction == "in" else "from",
                *(one.categories[category].flows for category in sorted(one.categories, key=_place)),
                one.watched.flows,
            )
            for one in result.by_rule[:limit]
        ),
    )
    _more(session, len(result.by_rule) - limit)


def _by_labels(session: Session, result: Simulation, limit: int) -> None:
    session.output.table(
        ("from", "to", *(f"#{name.replace('_', ' ')}" for name in CATEGORIES), "#watched"),
        (
            (
                label_text(one.source),
                label_text(one.destination),
                *(one.categories[category].flows for category in sorted(one.categories, key=_place)),
                one.watched.flows,
            )
            for one in result.by_labels[:limit]
        ),
    )
    _more(session, len(result.by_labels) - limit)


def _more(session: Session, left: int) -> None:
    if left > 0:
        session.output.line(f"{left:,} more (--limit, --json)")


def _flows(session: Session, flows: list[dict[str, object]]) -> None:
    session.output.table(
        ("from", "to", "service", "#connections", "verdict", "seen last"),
        (
            (
                _end(flow, "client"),
                _end(flow, "server"),
                service_text(flow["protocol"], flow["port"]),
                flow["connections"],
                str(flow["category"]).replace("_", " ") + (", watched" if flow["would_be_denied"] else ""),
                flow["last_seen"],
            )
            for flow in flows
        ),
    )


def label_text(labels: Mapping[str, str] | None) -> str:
    """Return labels for people; an end of no asset is `unknown`."""
    if labels is None:
        return "unknown"
    return " ".join(f"{key}={value}" for key, value in labels.items()) or "no labels"


def service_text(protocol: object, port: object) -> str:
    """Return a service for people; an ICMP type that nobody said is left out."""
    return str(protocol) if port is None else f"{protocol}/{port}"


def _end(flow: Mapping[str, object], side: str) -> str:
    process = flow[f"{side}_unit"] or flow[f"{side}_user"] or flow[f"{side}_process"]
    name = flow[f"{side}_asset"] or flow[side]
    return f"{name} ({process})" if process else str(name)


def _place(category: str) -> int:
    return CATEGORIES.index(str(category))
