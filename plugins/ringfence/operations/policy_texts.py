"""The policy files as texts, with the draft in them: their rules and what is wrong, also where files are broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.estate.draft import Drafts
from ringfence.estate.draft_changes import RemoveRule, WriteText
from ringfence.language.rule_edits import RuleAt, rules_in
from ringfence.model.errors import InputError, InputErrors, Place
from ringfence.operations import draft
from ringfence.operations.draft import Drafted, mended

if TYPE_CHECKING:
    from ringfence.estate import Estate

Rules = tuple[tuple[RuleAt, Place], ...]


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A policy file: its text (None: there is none yet) and that with the draft, and the rules of both.

    A text that is no YAML has no rules.
    """

    file: str
    before: str | None
    after: str
    rules_before: Rules
    rules: Rules


@dataclass(frozen=True, slots=True)
class PolicyTexts:
    """All policy files with the draft in them, and what is wrong there, by file and line."""

    files: tuple[PolicyText, ...]
    faults: tuple[InputError, ...]
    drafted: Drafted


def policy_texts(estate: Estate) -> PolicyTexts:
    """Return the files that are texts, and what is wrong: in them, and with those that are none.

    Raise InputError for a damaged draft, or one that changes a file that is no text.
    """
    drafted = draft.show(estate)
    texts, unread = Drafts(estate.directory).readable_texts()
    found = []
    for file in drafted.edited.order:
        if file not in texts and file not in drafted.edited.texts:
            continue
        before, after = drafted.edited.texts.get(file, (texts.get(file), texts.get(file) or ""))
        rules = _rules(after, file)
        found.append(PolicyText(file, before, after, rules if before == after else _rules(before or "", file), rules))
    # the policy is judged as a whole, so with a file that cannot be read nothing can be told of what the others mean
    faults = unread or faults_of(estate, {one.file: one.after for one in found})
    return PolicyTexts(tuple(found), (*drafted.edited.conflicts, *faults), drafted)


def faults_of(estate: Estate, texts: Mapping[str, str]) -> tuple[InputError, ...]:
    """Return what is wrong in the policy with some texts in place of those of the draft, by file and line."""
    drafted = draft.show(estate).edited
    new = {file: after for file, (_, after) in drafted.texts.items()}
    try:
        mended(estate.directory, {**new, **texts})
    except InputErrors as errors:
        return tuple(sorted(errors.errors, key=_order))
    except InputError as error:
        return (error,)
    return ()


def keep_text(estate: Estate, file: str, text: str, before: str) -> Drafted:
    """Take a whole text into the draft, made of the text `before`. Raise InputErrors where that is another one now."""
    if text == before:
        return draft.show(estate)
    return draft.change(estate, WriteText(file, text, before))


def drop_rule(estate: Estate, file: str, line: int) -> Drafted:
    """Take a rule out, in the draft, by its line there. Raise InputErrors where no rule begins at it."""
    edited = draft.show(estate).edited
    text = edited.texts[file][1] if file in edited.texts else Drafts(estate.directory).text(file) or ""
    for at, place in _rules(text, file):
        if place.line == line:
            return draft.change(estate, RemoveRule(file, at))
    raise InputError("no rule begins here any more", Place(file, line), "look again")


def _rules(text: str, file: str) -> Rules:
    try:
        return tuple(rules_in(text.removeprefix("\ufeff"), file))
    except InputError:
        return ()


def _order(error: InputError) -> tuple[str, int]:
    return (error.place.file, error.place.line or 0) if error.place else ("", 0)
