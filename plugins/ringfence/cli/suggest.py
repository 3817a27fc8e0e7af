"""`ringfence suggest`: rules that the traffic suggests, as a difference to the policy that a person accepts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringfence.cli.flow_options import flow_options
from ringfence.cli.session import Session, command
from ringfence.cli.shell_completion_values import application_names
from ringfence.model.errors import InputError

if TYPE_CHECKING:
    from ringfence.operations.suggest import Suggested

DIAL = "tight: nothing beyond what was seen, by units and addresses; wide: few rules; balanced between; or 0 to 1."
KEYS = "A label that rules are made of; repeatable. [app, role, env, loc]"


@command(
    "suggest",
    "suggest",
    "suggest shop --days 30",
    "suggest --dial tight --only 7d03,c41e --write",
    "suggest --reject 9f21 --because 'a report that once was urgent'",
    question=True,
    by_files=True,
)
@click.argument("app", required=False, shell_complete=application_names)
@flow_options
@click.option("--days", type=click.IntRange(min=1), help="The last so many days, as --since.")
@click.option("--dial", default="balanced", show_default=True, metavar="POSITION", help=DIAL)
@click.option("--key", "keys", multiple=True, metavar="LABEL", help=KEYS)
@click.option("--only", metavar="ID,ID", help="These suggestions alone; four digits of an id are enough.")
@click.option("--write", is_flag=True, help="Write them into the files of the policy.")
@click.option("--reject", metavar="ID,ID", help="Never suggest these again: kept in suggestions.yml.")
@click.option("--because", default="", metavar="TEXT", help="Why they are rejected.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Rows of what is kept out.")
def suggest(
    session: Session,
    app: str | None,
    flows_files: tuple[Path | str, ...],
    flows_format: str,
    fields: str,
    since: str | None,
    until: str | None,
    days: int | None,
    dial: str,
    keys: tuple[str, ...],
    only: str | None,
    write: bool,
    reject: str | None,
    because: str,
    limit: int,
) -> None:
    """Suggest rules for the traffic that was seen and that no rule decides yet; with APP, fence one application.

    Scans, refused attempts and what was seen once are kept out and listed. Nothing is written without --write. Exits
    with 1 where what is to be written breaks a test or an invariant of the policy; then nothing is written.
    """
    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.operations.suggest import USUAL_KEYS, Wanted
    from ringfence.operations.suggest import reject as rejected
    from ringfence.operations.suggest import suggest as suggested

    if days is not None and since is not None:
        raise InputError("--days and --since both say from when", remedy="give one of them")
    if reject and (write or only):
        raise InputError("--reject stands alone", remedy="reject first, then --write what is left")
    flows = FlowSelection(flows_files, flows_format, f"{days}d" if days else since, until, fields)
    wanted = Wanted(flows, dial, keys or USUAL_KEYS, app)
    if reject:
        if not because:
            raise InputError("a rejection has a reason", remedy="say it: --because 'TEXT'")
        offers = rejected(session.estate, wanted, _words(reject), because, session.execution)
        if session.output.as_json:
            session.output.data({"rejected": list(offers), "because": because})
        for one, name in offers.items():
            session.output.line(f"'{name}' ({one}) is rejected, in suggestions.yml: commit it", style="green")
        return
    with suggested(session.estate, wanted, _words(only), write=write, execution=session.execution) as found:
        broken = found.effect is not None and bool(found.effect.breaking)
        if session.output.as_json:
            from ringfence.presenting.rule_suggestions import suggested_data

            session.output.data(suggested_data(found))
        else:
            _print(session, found, flows, limit)
        if flows.unread:
            click.get_current_context().exit(2)
        if write and broken:
            click.get_current_context().exit(1)


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def _print(session: Session, found: Suggested, flows: object, limit: int) -> None:
    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.presenting import rule_suggestions as view

    assert isinstance(flows, FlowSelection)
    output = session.output
    output.lines(view.offer_lines(found))
    if wrong := flows.wrong_words(found.wrong):
        output.line(wrong, style="yellow")
    if guessed := flows.guessed_words(found.guesses):
        output.line(guessed, style="yellow")
    rows = view.kept_rows(found.kept, found.groups)
    if rows:
        output.line()
        output.line("kept out: no rule is suggested for")
        output.table(view.KEPT_COLUMNS, rows[:limit])
        if len(rows) > limit:
            output.line(f"{len(rows) - limit:,} more (--limit, --json)")
    if found.scores:
        output.line()
        output.line("made from the first three quarters of the window, judged by the last:")
        output.table(view.SCORE_COLUMNS, view.score_rows(found.scores))
    if found.difference and not found.written:
        output.line()
        output.line(found.difference.rstrip("\n"))
    if found.effect:
        output.line()
        output.lines(view.effect_lines(found.effect, found))
    if found.written:
        output.line(f"written: {', '.join(found.written)}", style="green")
    elif found.effect and found.effect.breaking:
        output.line("leave out what breaks them: --only ID,ID, or --reject ID --because 'TEXT'", style="yellow")
    elif not found.offers and found.fence is None:
        output.line("nothing to suggest: " + _nothing(found), style="green")
    else:
        output.line("to take them: ringfence suggest --write, or --only ID,ID --write; to refuse one: --reject ID")


def _nothing(found: Suggested) -> str:
    if not found.window["flows"]:
        return "no flow was seen (ringfence flows collect, or ringfence flows add, keeps some)"
    return f"the policy allows {found.allowed:,} of the flows already, and the others are kept out"
