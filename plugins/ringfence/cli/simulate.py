"""`ringfence simulate`: what the policy as it stands in the files would do to flows that were seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from ringfence.cli.flow_options import flow_options
from ringfence.cli.session import Session, command
from ringfence.cli.shell_completion_values import asset_names
from ringfence.model.counts import counted
from ringfence.model.errors import InputError
from ringfence.presenting.simulation_rows import CATEGORIES

if TYPE_CHECKING:
    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.operations.simulate import Simulated

T = TypeVar("T")
NO_FLOW = "look whether the file has rows, the span of time has flows, and none were left out"
STRICT = "Exit with 1 where something would be denied that is allowed now, with 2 where no flow was judged."
BY = ("rule", "ruleset", "labels", "asset", "flow")
AGAINST = "Compare with the files of this git revision, and not with what hosts hold."
RULE = "Flows that this rule decides or decided, by its name or id; 'default' is no rule; repeatable."
PAIR = "Flows from one of these ends to the other: selectors, or any, unknown, internet."
REFUSED_SHOWN = 10


@command(
    "simulate",
    "simulate",
    "simulate --since 24h --by rule",
    "simulate --only newly_denied",
    "simulate --against origin/main --strict",
    "simulate --ruleset shop --by asset",
    "simulate --pair role=web role=db --by rule",
    "simulate --flows seen.csv --strict",
    "simulate --flows seen/ --format hosts --json",
    question=True,
    in_force=True,
)
@flow_options
@click.option("--against", metavar="REV", help=AGAINST)
@click.option("--by", type=click.Choice(BY), help="Rows; single flows where some are chosen, else labels.")
@click.option("--only", "--category", type=click.Choice(CATEGORIES), multiple=True, help="Flows of these alone.")
@click.option("--rule", "rules", multiple=True, metavar="RULE", help=RULE)
@click.option(
    "--ruleset", "rulesets", multiple=True, metavar="NAME", help="Flows that rules of this file decide or decided."
)
@click.option(
    "--asset",
    "assets",
    multiple=True,
    metavar="S",
    shell_complete=asset_names,
    help="Flows of these assets: a name or a selector.",
)
@click.option("--pair", nargs=2, metavar="FROM TO", help=PAIR)
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
    against: str | None,
    by: str | None,
    only: tuple[str, ...],
    rules: tuple[str, ...],
    rulesets: tuple[str, ...],
    assets: tuple[str, ...],
    pair: tuple[str, str] | None,
    limit: int,
    strict: bool,
) -> None:
    """Judge flows: still allowed, newly allowed, newly denied, denied as before.

    Exits with 2 where flows of a file could not be read: what was not read was not judged. --strict judges all flows,
    whichever are shown.
    """
    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.operations.simulate import FlowChoice
    from ringfence.operations.simulate import simulate as simulated

    selection = FlowSelection(flows_files, flows_format, since, until, fields)
    choice = FlowChoice(only, rules, rulesets, assets, pair)
    by = by or ("labels" if choice == FlowChoice() else "flow")
    with simulated(session.estate, selection, session.execution, against=against, choice=choice) as found:
        if session.output.as_json:
            rows: dict[str, object] = {"refused_flows": found.simulation.refusals(limit)}
            if by == "flow":
                rows["flows"] = found.flows(limit)
            if by == "asset":
                rows["by_asset"] = [one.data() for one in found.chosen.by_asset()]
            session.output.data({**found.data(), **rows})
        else:
            _print(session, found, selection, by, limit)
        if strict and not found.judged:
            raise InputError(f"{selection.words()}: no flow was judged, so --strict proves nothing", remedy=NO_FLOW)
        if selection.unread or (strict and found.wrong):
            click.get_current_context().exit(2)
        if strict and found.newly_denied:
            click.get_current_context().exit(1)


def _print(session: Session, found: Simulated, selection: FlowSelection, by: str, limit: int) -> None:
    from ringfence.presenting.simulation_rows import REFUSED_COLUMNS, counts_text, refused_rows

    output, result = session.output, found.simulation
    if found.against is not None:
        output.line(f"compared with {found.against}")
        if words := found.against.uncommitted_words():
            output.line(words)
    output.line(f"{selection.words()}: {result.summary()}")
    if not found.chosen.whole:
        output.line(f"of these were chosen: {counts_text(found.chosen.categories)}")
    guessed = selection.guessed_words(found.guesses)
    for warning in (selection.wrong_words(found.wrong), guessed, result.unseen_words()):
        if warning:
            output.line(warning, style="yellow")
    if found.to_nobody.flows:
        output.line(str(found.to_nobody), style="yellow")
    columns, shown, more = _table(found, by, limit)
    output.table(columns, shown)
    if more > 0:
        output.line(f"{more:,} more (--limit, --json)")
    # where flows are chosen, these are others
    if found.chosen.whole and (refused := result.refusals(min(limit, REFUSED_SHOWN))):
        was = "was refused when it was" if result.refused.flows == 1 else "were refused when they were"
        output.line(f"{counted(result.refused.flows, 'attempt')} {was} seen, not judged:")
        output.table(REFUSED_COLUMNS, refused_rows(refused))
        if left := result.refused.flows - len(refused):
            output.line(f"{left:,} more (--limit N --json)")


def _table(found: Simulated, by: str, limit: int) -> tuple[tuple[str, ...], Iterator[tuple[object, ...]], int]:
    """Return the columns and rows to show, and how many rows there are beyond."""
    from ringfence.presenting import simulation_rows as rows

    chosen = found.chosen
    if by == "flow":
        every = sum(count.flows for count in chosen.categories.values())
        return rows.FLOW_COLUMNS, rows.flow_rows(found.flows(limit)), every - limit
    if by == "rule":
        return _first(rows.RULE_COLUMNS, rows.rule_rows, chosen.by_rule(), limit)
    if by == "ruleset":
        return _first(rows.RULESET_COLUMNS, rows.ruleset_rows, chosen.by_ruleset(found.policy), limit)
    if by == "asset":
        return _first(rows.ASSET_COLUMNS, rows.asset_rows, chosen.by_asset(), limit)
    return _first(rows.LABEL_COLUMNS, rows.label_rows, chosen.by_labels(), limit)


def _first(
    columns: tuple[str, ...],
    rows: Callable[[Sequence[T]], Iterator[tuple[object, ...]]],
    counts: Sequence[T],
    limit: int,
) -> tuple[tuple[str, ...], Iterator[tuple[object, ...]], int]:
    return columns, rows(counts[:limit]), len(counts) - limit
