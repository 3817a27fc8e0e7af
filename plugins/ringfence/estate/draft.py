"""The draft: edits of policy files that are not in the files yet, kept on disk at every change.

It is a list of changes on top of the files as they were, whose texts are in it. What is undone can be done again until
something else is changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from ringfence.estate.draft_changes import Change, applied, change_of, data_of, refuse_foreign
from ringfence.files import PRIVATE, locked, own_file, write_whole
from ringfence.language.policy_files import policy_files
from ringfence.language.reports import Reports
from ringfence.model.errors import InputError, InputErrors, Place
from ringfence.workspace import POLICY, STATE

FILE = "draft.json"
FORMAT = 1
ADRIFT = "undo it (ringfence draft undo), or drop the draft (ringfence draft drop)"


@dataclass(frozen=True, slots=True)
class Written:
    """What the last writing replaced: the text of each file before (None: there was none) and after."""

    before: Mapping[str, str | None]
    after: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """Changes in order, those that were undone, the last first, and the texts of the files that they were made on."""

    changes: tuple[Change, ...] = ()
    undone: tuple[Change, ...] = ()
    base: Mapping[str, str | None] = field(default_factory=dict)
    written: Written | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """Return the files that some change is of."""
        return tuple(dict.fromkeys(one.file for one in self.changes))

    def with_change(self, change: Change) -> Draft:
        """Return the draft with a further change; nothing that was undone can be done again."""
        return replace(self, changes=(*self.changes, change), undone=())

    def undo(self) -> Draft:
        """Return the draft without its last change. Raise InputError where there is none."""
        if not self.changes:
            raise InputError("the draft has no change to undo", remedy="ringfence draft show lists its changes")
        return replace(self, changes=self.changes[:-1], undone=(self.changes[-1], *self.undone))

    def redo(self) -> Draft:
        """Return the draft with the change that was undone last. Raise InputError where there is none."""
        if not self.undone:
            raise InputError("nothing was undone that could be done again", remedy="ringfence draft show lists it")
        return replace(self, changes=(*self.changes, self.undone[0]), undone=self.undone[1:])


@dataclass(frozen=True, slots=True)
class Edited:
    """A draft on the files as they are now: the text of each changed file before (None: no such file) and after.

    `order` are all policy files, new ones among them, as they are read. `reloaded` are files that somebody changed
    since the draft was made, and to which it was applied again; `conflicts` what could not be.
    """

    draft: Draft
    texts: Mapping[str, tuple[str | None, str]]
    order: tuple[str, ...]
    reloaded: tuple[str, ...] = ()
    conflicts: tuple[InputError, ...] = ()

    def settle(self) -> None:
        """Raise InputErrors where a change cannot be applied to the files as they are now."""
        if self.conflicts:
            raise InputErrors(list(self.conflicts))


class Drafts:
    """The draft of a workspace, on disk; two processes that change it wait for each other."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / STATE / FILE

    def read(self) -> Draft:
        """Return the draft, an empty one where there is none. Raise InputError for a damaged or foreign file."""
        if not self.path.exists() and not self.path.is_symlink():
            return Draft()
        text = own_file(self.path)
        try:
            return _draft_of(json.loads(text.decode()))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            place = Place(f"{STATE}/{FILE}")
            raise InputError("this is no draft of Ringfence's own", place, "move it away, and draft anew") from error

    @contextmanager
    def changing(self) -> Iterator[Draft]:
        """Give the draft to a change that `keep` ends; nobody else changes it meanwhile."""
        with locked(self.path):
            yield self.read()

    def keep(self, draft: Draft) -> None:
        """Write the draft in one step; an empty one that nothing can be undone of is no file."""
        of_changes = {one.file for one in (*draft.changes, *draft.undone)}
        draft = replace(draft, base={file: text for file, text in draft.base.items() if file in of_changes})
        if draft == Draft():
            self.path.unlink(missing_ok=True)
            return
        data = {
            "format": FORMAT,
            "changes": [data_of(one) for one in draft.changes],
            "undone": [data_of(one) for one in draft.undone],
            "base": dict(draft.base),
            "written": {"before": dict(draft.written.before), "after": dict(draft.written.after)}
            if draft.written
            else None,
        }
        write_whole(self.path, json.dumps(data, indent=1) + "\n", PRIVATE)
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
            return path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            remedy = "is it UTF-8, may you read it?"
            raise InputError("this file cannot be read as text", Place(file), remedy) from error

    def texts(self) -> dict[str, str]:
        """Return the texts of all policy files as they are, in order."""
        existing = self._files()
        return {file: self.text(file, existing) or "" for file in existing}

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


def _draft_of(data: object) -> Draft:
    if not isinstance(data, dict) or data["format"] != FORMAT:
        raise ValueError
    json.dumps(data, ensure_ascii=False).encode()  # what is no text in UTF-8 could not be written
    changes, undone = (tuple(change_of(one) for one in data[name]) for name in ("changes", "undone"))
    written = data["written"]
    kept = Written(_texts(written["before"]), _whole(written["after"])) if written is not None else None
    return Draft(changes, undone, _texts(data["base"]), kept)


def _texts(data: object) -> dict[str, str | None]:
    if not isinstance(data, dict) or not all(one is None or isinstance(one, str) for one in data.values()):
        raise TypeError
    for file in data:
        refuse_foreign(file)
    return dict(data)


def _whole(data: object) -> dict[str, str]:
    return {file: text for file, text in _texts(data).items() if text is not None}
