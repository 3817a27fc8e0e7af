"""The draft: edits of policy files that are not in the files yet, kept on disk at every change.

It is a list of changes on top of the files as they were, whose texts are in it. What is undone can be done again until
something else is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from ringfence.estate.draft_changes import Change, applied, refuse_foreign
from ringfence.estate.draft_file import FILE, Damage, aside, damaged_of, read_draft_file, set_aside, text_of
from ringfence.estate.draft_values import Damaged, Draft, Edited, Written
from ringfence.files import PRIVATE, locked, regular_file, write_whole
from ringfence.language.policy_files import policy_files
from ringfence.language.reports import Reports
from ringfence.model.errors import InputError, InputErrors, Place
from ringfence.workspace import POLICY, STATE

__all__ = ["Draft", "Drafts", "Edited", "Written"]

ADRIFT = "undo it (ringfence draft undo), or drop the draft (ringfence draft drop)"


class Drafts:
    """The draft of a workspace, on disk; two processes that change it wait for each other."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / STATE / FILE

    def read(self) -> Draft:
        """Return the draft, an empty one where there is none.

        A damaged file is moved aside under a name of its own; where nothing may be written it stays where it is.
        """
        try:
            return read_draft_file(self.path)
        except Damage:
            try:
                with locked(self.path):
                    return self._sound()
            except OSError:
                return Draft(damaged=damaged_of(self.path))

    @contextmanager
    def changing(self) -> Iterator[Draft]:
        """Give the draft to a change that `keep` ends; nobody else changes it meanwhile. Raise OSError."""
        with locked(self.path):
            yield self._sound()

    def damaged(self) -> tuple[Damaged, ...]:
        """Return the damaged drafts that were moved aside and are there still."""
        return aside(self.path)

    def keep(self, draft: Draft) -> None:
        """Write the draft in one step; an empty one that nothing can be undone of is no file."""
        of_changes = {one.file for one in (*draft.changes, *draft.undone)}
        draft = replace(draft, base={file: text for file, text in draft.base.items() if file in of_changes})
        if draft == Draft():
            self.path.unlink(missing_ok=True)
            return
        write_whole(self.path, text_of(draft), PRIVATE)
        self.path.chmod(PRIVATE)

    def edited(self, draft: Draft) -> Edited:
        """Return what a draft makes of the files as they are now."""
        existing = self._files()
        texts: dict[str, tuple[str | None, str]] = {}
        conflicts: list[InputError] = []
        reloaded = []
        for file in draft.files:
            refuse_foreign(file)
            now = self.text(file, existing)
            if file in draft.base and draft.base[file] != now:
                reloaded.append(file)
            text = now or ""
            for change in draft.changes:
                if change.file == file:
                    try:
                        text = applied(change, text)
                    except InputErrors as errors:
                        conflicts += [_conflict(change, one) for one in errors.errors]
                    except InputError as error:
                        conflicts.append(_conflict(change, error))
            if text != (now or ""):
                texts[file] = (now, text)
        order = sorted({*existing, *texts}, key=lambda name: name.removeprefix(f"{POLICY}/"))
        return Edited(draft, texts, tuple(order), tuple(reloaded), tuple(conflicts))

    def based(self, draft: Draft, file: str) -> Draft:
        """Return a draft that remembers the text of a file as it is now, where it had no change of it."""
        if file in draft.base and file in draft.files:
            return draft
        return replace(draft, base={**draft.base, file: self.text(file)})

    def rebased(self, draft: Draft) -> Draft:
        """Return a draft that remembers the texts of all its files as they are now."""
        existing = self._files()
        return replace(draft, base={file: self.text(file, existing) for file in draft.files})

    def text(self, file: str, existing: Mapping[str, Path] | None = None) -> str | None:
        """Return the text of a policy file, None where there is none. Raise InputError for what is no text."""
        path = (self._files() if existing is None else existing).get(file)
        if path is None:
            return None
        try:
            return regular_file(path).decode("utf-8")
        except (OSError, UnicodeDecodeError, InputError) as error:
            why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else ""
            why = why or getattr(error, "message", "") or getattr(error, "strerror", "") or str(error)
            raise InputError(
                f"this file cannot be read: {why}", Place(file), "is it a text, may you read it?"
            ) from error

    def texts(self) -> dict[str, str]:
        """Return the texts of all policy files as they are, in order."""
        existing = self._files()
        return {file: self.text(file, existing) or "" for file in existing}

    def readable_texts(self) -> tuple[dict[str, str], tuple[InputError, ...]]:
        """Return the texts of the policy files that are texts, in order, and what is wrong with the others."""
        existing = self._files()
        texts: dict[str, str] = {}
        unread: list[InputError] = []
        for file in existing:
            try:
                texts[file] = self.text(file, existing) or ""
            except InputError as error:
                unread.append(error)
        return texts, tuple(unread)

    def write(self, edited: Edited) -> tuple[str, ...]:
        """Write the changed files, each in one step, and return their names.

        Raise InputErrors for conflicts, InputError for a file that changed since it was read, and OSError where one of
        them cannot be written: the others then are what they were.
        """
        edited.settle()
        existing = self._files()
        for file, (before, _) in edited.texts.items():
            if self.text(file, existing) != before:
                raise InputError("this file was changed meanwhile", Place(file), "look again: nothing is written")
        paths = {file: existing.get(file, self.directory / file).resolve() for file in edited.texts}
        made = edited.draft.written.before if edited.draft.written else {}
        done: list[str] = []
        try:
            for file, (_, after) in edited.texts.items():
                done.append(file)
                # what the last writing made is undone
                _put(paths[file], None if not after and made.get(file, after) is None else after)
        except OSError:
            for file in done:
                with suppress(OSError):
                    _put(paths[file], edited.texts[file][0])
            raise
        return tuple(edited.texts)

    def _sound(self) -> Draft:
        """Return the draft while nobody else writes it; what is damaged is moved aside."""
        try:
            return read_draft_file(self.path)
        except Damage:
            return Draft(damaged=damaged_of(set_aside(self.path)))

    def _files(self) -> dict[str, Path]:
        reports = Reports()
        found = policy_files(self.directory / POLICY, self.directory, reports).files
        reports.settle()
        return {path.relative_to(self.directory).as_posix(): path for path in found}


def _put(path: Path, text: str | None) -> None:
    """Write a file whole; None for no file."""
    if text is None:
        path.unlink(missing_ok=True)
    else:
        write_whole(path, text)


def _conflict(change: Change, error: InputError) -> InputError:
    return InputError(f"{change.words()}: {error.message}", error.place or Place(change.file), ADRIFT)
