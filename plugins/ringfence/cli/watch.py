"""`ringfence watch`: new flows and denials of hosts as they happen, with labels and the rule that decides."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ringfence.cli.session import Session, command
from ringfence.cli.shell_completion_values import asset_names

if TYPE_CHECKING:
    from types import FrameType

    from ringfence.operations.execution import Execution
    from ringfence.operations.watch import Hearing

SPAN = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# The kinds of `ringfence.watch.events`, which is not imported for a word of the help.
EVENTS = ("allowed", "would_deny", "not_enforced", "denied", "cut", "new_pair", "scan")


class Seconds(click.ParamType[float]):
    """A span of time: `60s`, `10m`, `8h`."""

    name = "span"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return its seconds."""
        text = str(value)
        number, unit = (text[:-1], text[-1:]) if text[-1:] in SPAN else (text, "s")
        if not (number.isascii() and number.isdigit() and 0 < int(number) < 10**7):
            self.fail(f"'{text}' is not a valid span: write 60s, 10m or 8h", param, ctx)
        return float(int(number) * SPAN[unit])


@command(
    "watch",
    "watch",
    "watch role=web --for 60s",
    "watch --only denied --only would_deny --until-denied",
    "watch --add --json",
    hosts=True,
    in_force=True,
)
@click.argument("words", nargs=-1, metavar="[WORD]...", shell_complete=asset_names)
@click.option("--for", "seconds", type=Seconds(), metavar="SPAN", help="End after 60s, 10m, 8h; else with Ctrl-C.")
@click.option(
    "--until-denied", is_flag=True, help="End with the first denied event that nobody accepted, with status 1."
)
@click.option("--only", type=click.Choice(EVENTS), multiple=True, help="Show these events alone; all are counted.")
@click.option("--add", is_flag=True, help="Keep the flows in the store.")
@click.option(
    "--every", type=click.FloatRange(0.2, 60), default=1.0, show_default=True, help="Seconds between two looks."
)
def watch(
    session: Session,
    words: tuple[str, ...],
    seconds: float | None,
    until_denied: bool,
    only: tuple[str, ...],
    add: bool,
    every: float,
) -> None:
    """Show new flows and denials of hosts as they happen; WORDs choose hosts as for 'ringfence assets'.

    Each host has one ssh connection, over which a small reader is asked each second; nothing is installed and nothing
    stays. With --json each event is a line. Exits with 3 where a host is silent at the end.
    """
    from ringfence.operations.watch import WatchRequest, kinds_of
    from ringfence.operations.watch import watch as watched
    from ringfence.presenting.watch_view import summary_lines

    request = WatchRequest(words, seconds, until_denied, add, kinds_of(only or EVENTS), every)
    execution = session.execution
    with _interrupted_once(execution):
        tally = watched(session.estate, request, _hearing(session), execution)
    if session.output.as_json:
        click.echo(json.dumps({"event": "end", **tally.data()}))
    else:
        session.output.lines(summary_lines(tally))
    status = 1 if until_denied and tally.denied else 3 if tally.silent else 0
    click.get_current_context().exit(status)


@contextmanager
def _interrupted_once(execution: Execution) -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM end the watch with its summary; the second ends at once."""

    def heed(number: int, _frame: FrameType | None) -> None:
        for each, handler in before.items():
            signal.signal(each, handler)
        execution.cancel.cancel()

    before = {number: signal.signal(number, heed) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _hearing(session: Session) -> Hearing:
    from ringfence.operations.watch import Hearing, Status, Violation, WatchEvent, event_data
    from ringfence.presenting.watch_view import event_line, host_line, violation_line

    output = session.output

    class Printing(Hearing):
        def event(self, event: WatchEvent, status: Status | None) -> None:
            if output.as_json:
                click.echo(json.dumps({**event_data(event), "status": status}))
            else:
                output.lines([event_line(event, status)])

        def violation(self, violation: Violation) -> None:
            if output.as_json:
                click.echo(json.dumps({"event": "violation", "violation": violation.data()}))
            else:
                output.lines([violation_line(violation)])

        def host(self, host: str, why: str) -> None:
            if output.as_json:
                click.echo(json.dumps({"event": "host", "host": host, "watched": not why, "reason": why}))
            else:
                output.notes([host_line(host, why)])

        def note(self, text: str) -> None:
            if output.as_json:
                click.echo(json.dumps({"event": "note", "text": text}))
            else:
                output.note(text, style="yellow")

    return Printing()
