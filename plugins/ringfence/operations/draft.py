"""The draft: unsaved edits of policy files that are looked at, taken back, written or dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.estate.draft import Draft, Drafts, Edited, Written
from ringfence.estate.draft_changes import (
    AddRule,
    Change,
    ChangeRule,
    RemoveRule,
    WriteText,
    refuse_foreign,
    refuse_no_text,
)
from ringfence.estate.draft_values import Damaged
from ringfence.language.file_differences import unified
from ringfence.language.policies import path_order, read_again, read_texts
from ringfence.language.reports import Reports, did_you_mean, nearest
from ringfence.language.rule_edits import RuleAt, rules_in
from ringfence.language.settings import read_settings
from ringfence.model.errors import InputError, InputErrors
from ringfence.workspace import SETTINGS

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.estate import Estate
    from ringfence.model.rules import Policy

__all__ = ["AddRule", "Change", "ChangeRule", "Drafted", "RemoveRule", "WriteText"]


@dataclass(frozen=True, slots=True)
class Drafted:
    """The draft on the files as they are now; `written` are the files that were just written.

    `damaged` are drafts that could not be read: one that stands in its place, and those that were moved aside.
    """

    edited: Edited
    written: tuple[str, ...] = ()
    damaged: tuple[Damaged, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """Return the changes in order."""
        return self.edited.draft.changes

    @property
    def can_undo(self) -> bool:
        """Return whether there is anything to take back: a change, or the last writing."""
        return bool(self.changes or self.edited.draft.written)

    @property
    def can_redo(self) -> bool:
        """Return whether something was undone that can be done again."""
        return bool(self.edited.draft.undone)

    def __bool__(self) -> bool:
        """Return whether the draft changes anything."""
        return bool(self.edited.texts)

    def difference(self) -> str:
        """Return what would be written as a unified difference, as git takes it."""
        return unified((name, before, after) for name, (before, after) in self.edited.texts.items())

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "changes": [{"file": one.file, "what": one.words()} for one in self.changes],
            "undone": [{"file": one.file, "what": one.words()} for one in self.edited.draft.undone],
            "files": list(self.edited.texts),
            "reloaded": list(self.edited.reloaded),
            "conflicts": [
                {"message": one.message, "place": str(one.place) if one.place else None, "remedy": one.remedy}
                for one in self.edited.conflicts
            ],
            "difference": self.difference(),
            "written": list(self.written),
            "damaged": [{"place": one.place, "why": one.why} for one in self.damaged],
        }


def show(estate: Estate) -> Drafted:
    """Return the draft on the files as they are now; a damaged one is moved aside, and told."""
    drafts = Drafts(estate.directory)
    draft = drafts.read()
    found = drafts.damaged()
    there = (draft.damaged,) if draft.damaged is not None and draft.damaged not in found else ()
    return Drafted(drafts.edited(draft), damaged=(*there, *found))


def change(estate: Estate, *changes: Change) -> Drafted:
    """Take changes into the draft, which is kept at once.

    Raise InputErrors, and keep what was there, where one of them cannot be applied.
    """
    drafts = Drafts(estate.directory)
    with drafts.changing() as before:
        draft = before
        for one in changes:
            refuse_foreign(one.file)
            refuse_no_text(one)
            draft = drafts.based(draft, one.file).with_change(one)
        edited = drafts.edited(draft)
        mine = {one.words() for one in changes}
        new = [one for one in edited.conflicts if any(one.message.startswith(f"{words}: ") for words in mine)]
        replace(edited, conflicts=tuple(new)).settle()
        draft = draft if edited.conflicts else drafts.rebased(draft)
        drafts.keep(draft)
    return Drafted(edited)


def undo(estate: Estate, seen: str | None = None) -> Drafted:
    """Take the last change back; where there is none, the last writing: as a change that brings the old texts back.

    `seen` is the version of the draft that a person looks at: InputError where it is another one now.
    Raise InputError where there is nothing to take back, InputErrors where somebody changed the written lines since.
    """
    drafts = Drafts(estate.directory)
    with drafts.changing() as before:
        _refuse_unseen(before, seen)
        draft = _unwritten(drafts, before) if not before.changes and before.written else before.undo()
        drafts.keep(draft)
    return Drafted(drafts.edited(draft))


def redo(estate: Estate, seen: str | None = None) -> Drafted:
    """Do again what was undone last. Raise InputError where nothing was, or the draft is not the one that was seen."""
    drafts = Drafts(estate.directory)
    with drafts.changing() as before:
        _refuse_unseen(before, seen)
        draft = before.redo()
        drafts.keep(draft)
    return Drafted(drafts.edited(draft))


def drop(estate: Estate) -> Drafted:
    """Forget the draft: nothing of it is written, and nothing can be taken back. A damaged one is moved aside."""
    drafts = Drafts(estate.directory)
    drafts.read()
    drafts.path.unlink(missing_ok=True)
    return Drafted(drafts.edited(Draft()))


def write(estate: Estate, seen: str | None = None) -> Drafted:
    """Write the draft into the policy files; the draft is empty then, and `undo` brings the old texts back into it.

    Raise InputErrors, before anything is written, for conflicts, for a policy that is none, for a file that was
    changed in this moment, and where the draft is not the one that was seen.
    """
    drafts = Drafts(estate.directory)
    with drafts.changing() as draft:
        _refuse_unseen(draft, seen)
        edited = drafts.edited(draft)
        if not edited.texts:
            edited.settle()
            raise InputError("the draft changes nothing: there is nothing to write", remedy="ringfence draft show")
        policy_of(estate, edited)
        written = drafts.write(edited)
        texts = edited.texts
        kept = Written({file: texts[file][0] for file in written}, {file: texts[file][1] for file in written})
        drafts.keep(Draft(written=kept))
    return Drafted(drafts.edited(Draft(written=kept)), written)


def _refuse_unseen(draft: Draft, seen: str | None) -> None:
    """Raise InputError, with who changed it, where the draft is another one than a person looks at."""
    if seen is not None and draft.version != seen:
        who = draft.by.words() if draft.by is not None else "somebody"
        raise InputError(f"{who} changed the draft meanwhile", remedy="look at it as it is now, then do it again")


def _unwritten(drafts: Drafts, draft: Draft) -> Draft:
    """Return a draft that brings back what the last writing replaced, and leaves what others changed since.

    Raise InputErrors where somebody changed the same lines.
    """
    assert draft.written is not None
    found = replace(draft, undone=())
    for file, after in draft.written.after.items():
        found = drafts.based(found, file).with_change(WriteText(file, draft.written.before[file] or "", after))
    conflicts = drafts.edited(found).conflicts
    if conflicts:
        remedy = "take it back by hand, or by git"
        raise InputErrors([InputError(one.message, one.place, remedy) for one in conflicts])
    return found


def policy_of(estate: Estate, edited: Edited) -> Policy:
    """Return the policy with the draft in it.

    Raise InputErrors for conflicts, and for what is wrong in the new texts.
    """
    edited.settle()
    try:
        workspace = estate.workspace
    except InputErrors:
        if not edited.texts:
            raise
        return mended(estate.directory, {file: after for file, (_, after) in edited.texts.items()})
    settings = workspace.settings
    policy: Policy | None = workspace.policy
    for file, (before, after) in edited.texts.items():
        if policy is not None:
            policy = read_again(policy, workspace.definitions, file, _body(before), _body(after), settings)
    if policy is not None:
        return policy
    texts = Drafts(estate.directory).texts()
    new = {file: after for file, (_, after) in edited.texts.items()}
    return read_texts([(file, _body(new.get(file, texts.get(file, "")))) for file in edited.order], settings).policy


def mended(directory: Path, new: Mapping[str, str]) -> Policy:
    """Return the policy that files make with some texts in place of theirs, where the files themselves are broken.

    Raise InputErrors for what is wrong in it, or in the settings.
    """
    reports = Reports()
    settings = read_settings(directory / SETTINGS, reports, directory)
    reports.settle()
    texts = {**Drafts(directory).texts(), **new}
    order = sorted(texts, key=path_order)
    return read_texts([(file, _body(texts[file])) for file in order], settings).policy


def rule_at(estate: Estate, edited: Edited, word: str) -> tuple[str, RuleAt]:
    """Return the file and the place of the rule that a name, an id or `FILE:LINE` means, in the draft as it is.

    Raise InputError where none or several are meant.
    """
    policy = policy_of(estate, edited)
    found = [one for one in policy.rules if word in (one.id, one.name, f"{one.place.file}:{one.place.line}")]
    if len(found) != 1:
        if found:
            places = ", ".join(f"{one.place.file}:{one.place.line}" for one in found)
            raise InputError(f"several rules are called '{word}'", remedy=f"say which: {places}")
        near = nearest(word, {one.name for one in policy.rules})
        raise InputError(f"no rule is called '{word}'", remedy=did_you_mean(word, near) if near else "check lists them")
    place = found[0].place
    text = texts_of(estate, edited, (place.file,))[place.file]
    mark = len(text) - len(_body(text))
    for at, where in rules_in(text[mark:], place.file):
        if where.line == place.line and where.column == place.column:
            return place.file, at
    raise InputError(f"the rule '{word}' is not where it was", place, "look again")


def texts_of(estate: Estate, edited: Edited, files: Sequence[str] = ()) -> Mapping[str, str]:
    """Return the texts of policy files with the draft in them, of all files where none are named."""
    drafts = Drafts(estate.directory)
    return {
        file: edited.texts[file][1] if file in edited.texts else drafts.text(file) or ""
        for file in files or edited.order
    }


def _body(text: str | None) -> str:
    return (text or "").removeprefix("\ufeff")
