"""The changes that a draft is made of: each applied to a file's text gives the next text, or says why it cannot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ringfence.language import rule_edits
from ringfence.language.line_merge import Clash, merged
from ringfence.language.policy_files import POLICY_FILE
from ringfence.language.remembered import Edits, documents_of
from ringfence.language.reports import Reports
from ringfence.language.rule_edits import RuleAt
from ringfence.model.counts import counted
from ringfence.model.errors import InputError, InputErrors, Place
from ringfence.workspace import POLICY

BOM = "\ufeff"
QUOTED, QUOTED_LINES = 160, 4  # characters and lines of a text that a message holds
Said = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AddRule:
    """A rule, in the words of the grammar, into the document of a file that has such a head, or a new one.

    `suggestion` is the id of the suggestion that it was made of, "" for none.
    """

    file: str
    rule: Said
    head: Said = field(default_factory=dict)
    suggestion: str = ""

    def words(self) -> str:
        """Return what it does, for people."""
        return f"add '{self.rule.get('name', 'a rule')}'"

    def applied(self, text: str) -> str:
        """Return the text with it."""
        mark, body = _marked(text)
        return mark + rule_edits.added(body, self.file, self.rule, self.head)


@dataclass(frozen=True, slots=True)
class ChangeRule:
    """A rule of a file says something else."""

    file: str
    at: RuleAt
    rule: Said

    def words(self) -> str:
        """Return what it does, for people."""
        return f"change '{self.at.name}'"

    def applied(self, text: str) -> str:
        """Return the text with it."""
        mark, body = _marked(text)
        return mark + rule_edits.changed(body, self.file, self.at, self.rule)


@dataclass(frozen=True, slots=True)
class RemoveRule:
    """A rule of a file is no more."""

    file: str
    at: RuleAt

    def words(self) -> str:
        """Return what it does, for people."""
        return f"remove '{self.at.name}'"

    def applied(self, text: str) -> str:
        """Return the text without it."""
        mark, body = _marked(text)
        return mark + rule_edits.removed(body, self.file, self.at)


@dataclass(frozen=True, slots=True)
class WriteText:
    """A whole file, as somebody edited it; `before` is the text that it was made of."""

    file: str
    text: str
    before: str | None = None

    def words(self) -> str:
        """Return what it does, for people."""
        return f"edit {self.file}"

    def applied(self, text: str) -> str:
        """Return the text, put together by lines with what somebody else changed in the file since.

        Raise InputErrors, one for each place, where both changed the same lines.
        """
        found = merged(self.before or "", self.text, text)
        if found.clashes:
            raise InputErrors([_clashing(self.file, text, one) for one in found.clashes])
        return found.text


Change = AddRule | ChangeRule | RemoveRule | WriteText
_KINDS = {"add": AddRule, "change": ChangeRule, "remove": RemoveRule, "write": WriteText}
_EDITS = Edits()
_NAMES = {kind: name for name, kind in _KINDS.items()}


def applied(change: Change, text: str) -> str:
    """Return the text of a file with a change. Raise InputError where it cannot be applied."""
    return _EDITS.made(data_of(change), text, lambda: change.applied(text))


def data_of(change: Change) -> dict[str, object]:
    """Return a change as plain data."""
    data: dict[str, object] = {"do": _NAMES[type(change)], "file": change.file}
    match change:
        case AddRule(_, rule, head, suggestion):
            of = {"suggestion": suggestion} if suggestion else {}
            return {**data, "rule": dict(rule), "head": dict(head), **of}
        case ChangeRule(_, at, rule):
            return {**data, "at": _at_data(at), "rule": dict(rule)}
        case RemoveRule(_, at):
            return {**data, "at": _at_data(at)}
        case WriteText(_, text, before):
            return {**data, "text": text, "before": before}


def change_of(data: object) -> Change:
    """Return a change of plain data. Raise ValueError, KeyError or TypeError for what is none."""
    if not isinstance(data, dict):
        raise TypeError
    file = _text(data["file"])
    refuse_foreign(file)
    match data["do"]:
        case "add":
            return AddRule(file, _said(data["rule"]), _said(data["head"]), _text(data.get("suggestion", "")))
        case "change":
            return ChangeRule(file, _at(data["at"]), _said(data["rule"]))
        case "remove":
            return RemoveRule(file, _at(data["at"]))
        case "write":
            before = data["before"]
            return WriteText(file, _text(data["text"]), None if before is None else _text(before))
    raise ValueError


def refuse_foreign(file: str) -> None:
    """Raise InputError for a name that is not that of a policy file below `policy/`."""
    path = PurePosixPath(file)
    parts = path.parts
    wrong = path.is_absolute() or len(parts) < 2 or parts[0] != POLICY or ".." in parts
    hidden = any(part.startswith(".") for part in parts)
    if wrong or hidden or not file.isprintable() or not POLICY_FILE.fullmatch(path.name) or str(path) != file:
        raise InputError(f"'{file}' is no policy file", remedy=f"name one below {POLICY}/ that ends in .yml")


def refuse_no_text(change: Change) -> None:
    """Raise InputError for a change that holds what is no text in UTF-8: no file could have it."""
    try:
        json.dumps(data_of(change), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InputError("this text cannot be written as UTF-8", Place(change.file), "type it anew") from error


def _marked(text: str) -> tuple[str, str]:
    """Return the mark of UTF-8 that a text begins with, if it does, and the rest."""
    return (BOM, text[1:]) if text.startswith(BOM) else ("", text)


def _clashing(file: str, now: str, clash: Clash) -> InputError:
    """Return what is told of lines that somebody else changed too: the rule they are of, and both texts."""
    what = "this file"
    if documents_of(now, file, reports := Reports()) and not len(reports):
        above = [(at, place) for at, place in rule_edits.rules_in(now, file) if place.line <= clash.line]
        what = f"the rule '{above[-1][0].name}'" if above else what
    said = f"the draft has {_quoted(clash.mine)}, the file now {_quoted(clash.theirs)}"
    return InputError(
        f"somebody changed {what} meanwhile: {said}", Place(file, clash.line, 1), "edit the file as it is now"
    )


def _quoted(text: str) -> str:
    """Return lines in one, the first of many alone."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = " / ".join(lines[:QUOTED_LINES])
    more = f" and {counted(len(lines) - QUOTED_LINES, 'line')} more" if len(lines) > QUOTED_LINES else ""
    return f"'{said[:QUOTED]}{'…' if len(said) > QUOTED else ''}'{more}" if said else "nothing there"


def _at_data(at: RuleAt) -> dict[str, object]:
    return {"document": at.document, "index": at.index, "said": dict(at.said)}


def _at(data: object) -> RuleAt:
    if not isinstance(data, dict):
        raise TypeError
    document, index = data["document"], data["index"]
    if not isinstance(document, int) or not isinstance(index, int):
        raise TypeError
    return RuleAt(document, index, _said(data["said"]))


def _said(data: object) -> dict[str, object]:
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise TypeError
    return dict(data)


def _text(data: object) -> str:
    if not isinstance(data, str):
        raise TypeError
    return data
