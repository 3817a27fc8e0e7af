"""`ringfence explain`: why a connection is allowed or denied, with the place that decided it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ringfence.cli.completing import asset_names
from ringfence.cli.session import Session, command
from ringfence.model.intervals import IntervalSet, union
from ringfence.model.services import service_texts
from ringfence.model.tables import DEFAULT_RULE, Effect

if TYPE_CHECKING:
    from ringfence.analysis.explain import Answer, Side


# Answers that are printed for people.
ANSWERS_SHOWN = 50
# Services that a line names before it counts the rest.
WORDS_SHOWN = 8


@command(
    "explain",
    "explain web-3 db-1 tcp/5432",
    "explain 203.0.113.9 web-1 https",
    "explain api-1 db-1 tcp/5432 --process shop-api.service",
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
    from ringfence.analysis.explain import explain as explained
    from ringfence.cli.asking import Asking
    from ringfence.model.tables import ProcessClass

    if process_text is not None:
        kind, _, name = process_text.rpartition(":")
        unit, user = (unit, name) if kind == "user" else (name, user)
    process = ProcessClass(unit, user) if unit or user else None
    services = Asking(session.workspace, session.snapshot).services(service)
    answer = explained(session.compiled(full=full), source, destination, services, process)
    if session.output.as_json:
        session.output.data(answer.data())
        return
    asked = union(one.services for one in answer.answers)
    for one in answer.answers[:ANSWERS_SHOWN]:
        _print(session, one, asked)
    if len(answer.answers) > ANSWERS_SHOWN:
        left = f"{len(answer.answers) - ANSWERS_SHOWN} more answers for other services (--json, or ask for fewer)"
        session.output.line(left, style="yellow")
    for other in answer.others:
        session.output.line(f"otherwise between {other.client} and {other.server}:", style="yellow")
        _print(session, other, asked)


def _print(session: Session, answer: Answer, asked: IntervalSet) -> None:
    allowed = answer.verdict == "allow"
    session.output.line(
        f"{'allowed' if allowed else 'denied'}: {answer.client} → {answer.server} on {_services(answer, asked)}",
        style="green" if allowed else "red",
        bold=True,
    )
    for side in answer.sides:
        session.output.line(f"  {side.side:<4}  {_reason(side)}")
        for note in side.notes:
            session.output.line(f"        {note}")
    if answer.nearest:
        nearest = answer.nearest
        misses = "; ".join(nearest.misses) or _overruled(answer)
        session.output.line(f"nearest: '{nearest.rule}' ({nearest.place}) {misses}")


def _overruled(answer: Answer) -> str:
    """Return why a rule that chooses both ends and the service does not decide."""
    first = next((side for side in answer.sides if side.verdict == "deny" and side.rule != DEFAULT_RULE), None)
    if first is not None:
        return f"allows it too, but '{first.rule}' decides first"
    return "chooses both ends, but does not decide here: look at its 'at' and 'process', and at rules that 'pass'"


def _services(answer: Answer, asked: IntervalSet) -> str:
    """Return what an answer holds for: all but the rest of what was asked, where that is shorter."""
    words, rest = service_texts(answer.services), service_texts(asked - answer.services)
    if len(words) > WORDS_SHOWN and 0 < len(rest) < len(words):
        return f"all but {_some(rest)}"
    return _some(words)


def _some(words: Sequence[str]) -> str:
    more = f" and {len(words) - WORDS_SHOWN} more" if len(words) > WORDS_SHOWN else ""
    return ", ".join(words[:WORDS_SHOWN]) + more


def _reason(side: Side) -> str:
    verdict = "allowed" if side.verdict == "allow" else "denied"
    direction = "inbound" if side.side == "to" else "outbound"
    watched = side.effect is Effect.WATCH
    parts = []
    if side.rule == DEFAULT_RULE:
        parts.append("no rule allows it" if watched or verdict == "denied" else "no rule denies it")
    else:
        parts.append(side.rule)
    if watched:
        parts[0] += ", which mode full would deny"
    if side.rule == DEFAULT_RULE or watched:
        parts.append(f"{direction} mode is {side.mode}")
    if side.process is not None:
        parts.append(f"for {str(side.process) or 'any other process'}")
    place = f" ({side.place})" if side.place else ""
    return f"{verdict}: {'; '.join(parts)}{place}"
