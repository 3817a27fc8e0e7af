"""A draft as a value: its changes, those that were undone, and what it makes of the files as they are now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ringfence.estate.draft_changes import Change
from ringfence.model.errors import InputError, InputErrors


@dataclass(frozen=True, slots=True)
class Wrote:
    """Who wrote a draft: a person, at which machine, in which process, when (ISO 8601, UTC)."""

    who: str
    host: str
    pid: int
    at: str

    def words(self) -> str:
        """Return it for people: `kim (process 4411, 14:02 UTC)`."""
        return f"{self.who} (process {self.pid} of {self.host}, {self.at[11:16]} UTC)"


@dataclass(frozen=True, slots=True)
class Damaged:
    """A file that is no draft: its name below the workspace, why, and at which line and column (0: at none)."""

    file: str
    why: str
    line: int = 0
    column: int = 0

    @property
    def place(self) -> str:
        """Return the file with the line."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def words(self) -> str:
        """Return what is told of it, with the way out."""
        return (
            f"a draft is damaged and kept as it is ({self.place}: {self.why}); mend it and move it back, or delete it"
        )


@dataclass(frozen=True, slots=True)
class Written:
    """What the last writing replaced: the text of each file before (None: there was none) and after."""

    before: Mapping[str, str | None]
    after: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """Changes in order, those that were undone, the last first, and the texts of the files that they were made on.

    `by` is who wrote it last, `version` tells it from any other one that was on disk ("" for no file). `damaged` is a
    file that was found in its place just now, and is not read.
    """

    changes: tuple[Change, ...] = ()
    undone: tuple[Change, ...] = ()
    base: Mapping[str, str | None] = field(default_factory=dict)
    written: Written | None = None
    by: Wrote | None = field(default=None, compare=False)
    version: str = field(default="", compare=False)
    damaged: Damaged | None = field(default=None, compare=False)

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
