"""What the Map screen asks of the draft: a rule made of a cell, its effect, into the draft and back, into the files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ringfence.estate.draft import Drafts
from ringfence.model.counts import counted
from ringfence.model.draft_effect import DraftEffect, FilledRule
from ringfence.model.errors import RingfenceError
from ringfence.operations import draft
from ringfence.operations.rule_from_cell import rule_from_cell

from ringfence_tui.engine.questions import Questions
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.screens.map.answers import DamageNote, DraftNote, DraftSeen, RuleRequest, SheetRequest, Writing
from ringfence_tui.screens.map.kept import PATIENCE, Progresses, judged_flows

if TYPE_CHECKING:
    from ringfence.operations.draft import Drafted
    from ringfence.operations.draft_effect import DraftPicture
    from ringfence.operations.execution import Execution


def followed(kept: DraftPicture, execution: Execution, tell: Tell) -> DraftNote:
    """Judge again what the draft changed; a draft that is no policy is told, and leaves the picture as it was."""
    drafted = draft.show(kept.estate)
    try:
        kept.follow(drafted.edited, execution, Progresses(tell, after=PATIENCE))
    except RingfenceError as error:
        return note_of(drafted, conflict=str(error).splitlines()[0])
    return note_of(drafted)


def note_of(drafted: Drafted, conflict: str = "") -> DraftNote:
    """Return what the screen says of a draft."""
    files = tuple(drafted.edited.texts)
    version, damaged = drafted.edited.draft.version, damage_of(drafted)
    return DraftNote(
        len(drafted.changes), drafted.can_undo, drafted.can_redo, files, conflict, version=version, damaged=damaged
    )


def damage_of(drafted: Drafted) -> DamageNote | None:
    """Return what the screen says of a draft that could not be read, of the last where there are several."""
    if not drafted.damaged:
        return None
    one = drafted.damaged[0]
    message = f"a draft is damaged ({one.why}); it is kept there, and the draft begins anew"
    return DamageNote(message, one.place, "mend it and move it back, or delete it")


def seen(session: EngineSession, _request: None, _tell: Tell) -> DraftSeen:
    """Return which draft is on disk, and who wrote it."""
    found = Drafts(session.directory).read()
    by = found.by
    return DraftSeen(found.version, by.words() if by else "", by is not None and by.pid == os.getpid())


def sheet(session: EngineSession, request: SheetRequest, tell: Tell) -> FilledRule:
    """Return the rule that a cell suggests, and the documents that it can stand in."""
    cell = request.cell
    with judged_flows(session, cell.when, tell) as kept:
        detail = kept.judged.cell(cell.levels, cell.client, cell.server, limit=1)
        edited = draft.show(kept.estate).edited
        return rule_from_cell(kept.estate, edited, cell.levels, detail, request.action)


def effect(session: EngineSession, request: RuleRequest, tell: Tell) -> DraftEffect:
    """Return what the draft would do with a further rule, compared with what it does."""
    with judged_flows(session, request.when, tell) as kept:
        told = Progresses(tell, after=PATIENCE)
        return kept.trial(_adding(request), execution=session.execution(tell), told=told)


def take(session: EngineSession, request: RuleRequest, _tell: Tell) -> DraftNote:
    """Take a rule into the draft."""
    session.writable("change the draft")
    return note_of(draft.change(session.fresh(), _adding(request)))


def undo(session: EngineSession, request: str | None, _tell: Tell) -> DraftNote:
    """Take the last change back, of the draft of a version where one is named."""
    session.writable("change the draft")
    return note_of(draft.undo(session.fresh(), request))


def redo(session: EngineSession, request: str | None, _tell: Tell) -> DraftNote:
    """Do again what was undone, in the draft of a version where one is named."""
    session.writable("change the draft")
    return note_of(draft.redo(session.fresh(), request))


def writing(session: EngineSession, _request: None, _tell: Tell) -> Writing:
    """Return what writing the draft would do."""
    drafted = draft.show(session.fresh())
    drafted.edited.settle()
    files = tuple(drafted.edited.texts)
    lines = [f"{counted(len(drafted.changes), 'change')} in {counted(len(files), 'file')}:"]
    lines += [f"  {one.file}  {one.words()}" for one in drafted.changes]
    more = sum(line[:1] == "+" and line[:3] != "+++" for line in drafted.difference().splitlines())
    less = sum(line[:1] == "-" and line[:3] != "---" for line in drafted.difference().splitlines())
    lines.append(f"{counted(more, 'line')} more, {counted(less, 'line')} less; hosts change with the next rollout")
    return Writing(tuple(lines), files, drafted.edited.draft.version)


def write(session: EngineSession, request: str | None, _tell: Tell) -> DraftNote:
    """Write the draft into its files, that of a version where one is named."""
    session.writable("write policy files")
    return note_of(draft.write(session.fresh(), request))


def _adding(request: RuleRequest) -> draft.AddRule:
    return draft.AddRule(request.home.file, dict(request.rule), dict(request.home.head))


DRAFT_QUESTIONS: Questions = {
    "seen": seen,
    "sheet": sheet,
    "effect": effect,
    "take": take,
    "undo": undo,
    "redo": redo,
    "writing": writing,
    "write": write,
}
