"""`ringfence draft`: edits of the policy that are not in its files yet, what they do, and into the files."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from ringfence.cli.default_group import DefaultGroup
from ringfence.cli.flow_options import flow_options
from ringfence.cli.session import Session, command
from ringfence.cli.shell_completion_values import asset_names
from ringfence.model.errors import InputError
from ringfence.text_editor import NOTHING, EditorFile, Left

if TYPE_CHECKING:
    from ringfence.operations.draft import Drafted

SHOW = "show"
STRICT = "Exit with 1 where something is newly denied, or a test or invariant is not met that was."


@click.group("draft", cls=DefaultGroup, otherwise=SHOW)
def draft() -> None:
    """Edit the policy without its files: ringfence draft; see what it does, take it back, write it.

    The draft is kept in .ringfence/draft.json at every change. The terminal application has the same one.
    """


@command(SHOW, "draft", "draft show --json", group=draft)
def show(session: Session) -> None:
    """Show the draft's changes and the difference that they make to the files.

    Exits with 2 where somebody changed the files so that the draft does not fit any more, and where it is damaged: then
    it is moved aside.
    """
    from ringfence.operations.draft import show as shown

    _print(session, shown(session.estate))


@command(
    "add",
    "draft add role=web role=db tcp/5432 --deny",
    "draft add '{role: api}' internet https --allow --name 'api to payments' --file policy/shop.yml",
    group=draft,
    question=True,
)
@click.argument("source", metavar="FROM", shell_complete=asset_names)
@click.argument("destination", metavar="TO", shell_complete=asset_names)
@click.argument("services", metavar="SERVICE")
@click.option("--deny", "action", flag_value="deny", help="Refuse it: a guardrail, unless --tier says otherwise.")
@click.option("--allow", "action", flag_value="allow", help="Let it pass: in the ruleset of its application.")
@click.option("--name", default="", help="What people call it; made of both ends otherwise.")
@click.option("--file", default="", help="The policy file, as policy/shop.yml; the proposed one otherwise.")
@click.option("--tier", default="", help="The tier of its document in that file.")
@click.option("--unit", "process", default="", metavar="UNIT", help="For this systemd unit of the client alone.")
def add(
    session: Session,
    source: str,
    destination: str,
    services: str,
    action: str | None,
    name: str,
    file: str,
    tier: str,
    process: str,
) -> None:
    """Take a rule into the draft: who (role=web, a network, an asset) may or may not reach whom on what."""
    from ringfence.operations.draft import change
    from ringfence.operations.draft import show as shown
    from ringfence.operations.rule_from_words import WrittenRule, rule_from_words

    if action is None:
        raise click.UsageError("say --deny or --allow")
    written = WrittenRule(source, destination, services, action, name, file, tier, process)
    rule = rule_from_words(session.estate, shown(session.estate).edited, written)
    _print(session, change(session.estate, rule))


@command("remove", "draft remove 'web to api'", "draft remove policy/shop.yml:8", group=draft)
@click.argument("rule")
def remove(session: Session, rule: str) -> None:
    """Take a rule out of the policy, in the draft; RULE is its name, its id or FILE:LINE."""
    from ringfence.operations.draft import RemoveRule, change, rule_at
    from ringfence.operations.draft import show as shown

    found = rule_at(session.estate, shown(session.estate).edited, rule)
    _print(session, change(session.estate, RemoveRule(*found)))


@command("edit", "draft edit policy/shop.yml", "draft edit policy/shop.yml --from new.yml", group=draft)
@click.argument("file")
@click.option("--from", "source", type=click.File(encoding="utf-8"), help="Take this text (- for standard input).")
def edit(session: Session, file: str, source: TextIO | None) -> None:
    """Edit a policy file in $EDITOR, in the draft: the file itself stays."""
    from ringfence.operations.draft import WriteText, change, texts_of
    from ringfence.operations.draft import show as shown

    before = shown(session.estate)
    text = texts_of(session.estate, before.edited, (file,))[file]
    edited = EditorFile(file, text) if source is None else None
    left = edited.edit() if edited is not None else Left(source.read() if source is not None else None)
    if left.open and edited is not None:
        session.output.line(f"{left.why}; where it is still open, save there, then:")
        session.output.line(f"ringfence draft edit {shlex.quote(file)} --from {shlex.quote(str(edited.path))}")
        return
    if left.text is None and left.why != NOTHING:
        raise InputError(left.why)
    if left.text is None or left.text == text:
        session.output.line(NOTHING)
        return
    try:
        found = change(session.estate, WriteText(file, left.text, text))
    except InputError:
        if edited is not None:
            session.output.note(f"what was saved is kept in {edited.path}")
        raise
    if edited is not None:
        edited.forget()
    _print(session, found)


@command(
    "effect",
    "draft effect",
    "draft effect --since 30d --strict",
    "draft effect --flows flows.csv --json",
    group=draft,
    question=True,
    in_force=True,
)
@flow_options
@click.option("--strict", is_flag=True, help=STRICT)
def effect(
    session: Session,
    flows_files: tuple[Path | str, ...],
    flows_format: str,
    fields: str,
    since: str | None,
    until: str | None,
    strict: bool,
) -> None:
    """Say what the draft does to the flows that were seen, to hosts, tests and invariants, compared with the files.

    Each rule of it: how many of the flows that it matches it decides, and which rule decides the others before it.
    """
    from ringfence.operations.draft_effect import effect as effect_of
    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.presenting.draft_view import effect_lines

    selection = FlowSelection(flows_files, flows_format, since, until, fields)
    found = effect_of(session.estate, selection, session.execution)
    if session.output.as_json:
        session.output.data({**found.data(), "wrong": selection.unread})
    else:
        session.output.lines(effect_lines(found, selection.words()))
    if selection.unread:
        if not session.output.as_json:
            session.output.line(selection.wrong_words(selection.unread), style="yellow")
        click.get_current_context().exit(2)
    if strict and (found.newly_denied.flows or (found.checks and found.checks.newly)):
        click.get_current_context().exit(1)


@command("write", "draft write", group=draft)
def write(session: Session) -> None:
    """Write the draft into the policy's files: its rules' lines alone. 'ringfence draft undo' takes that back."""
    from ringfence.operations.draft import write as written

    found = written(session.estate)
    if session.output.as_json:
        session.output.data(found.data())
        return
    for file in found.written:
        session.output.line(f"written: {file}", style="green")


@command("undo", "draft undo", group=draft)
def undo(session: Session) -> None:
    """Take the draft's last change back; of an empty draft the last writing, as a change that brings the texts back."""
    from ringfence.operations.draft import undo as undone

    _print(session, undone(session.estate))


@command("redo", "draft redo", group=draft)
def redo(session: Session) -> None:
    """Do again what was taken back last."""
    from ringfence.operations.draft import redo as redone

    _print(session, redone(session.estate))


@command("drop", "draft drop", group=draft)
def drop(session: Session) -> None:
    """Forget the draft: the files stay as they are."""
    from ringfence.operations.draft import drop as dropped

    _print(session, dropped(session.estate))


def _print(session: Session, found: Drafted) -> None:
    from ringfence.presenting.draft_view import draft_lines

    if session.output.as_json:
        session.output.data(found.data())
    else:
        session.output.lines(draft_lines(found))
    if found.edited.conflicts or found.edited.draft.damaged:
        click.get_current_context().exit(2)
