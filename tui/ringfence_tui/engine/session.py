"""What the engine process works on: a directory, its estate, and how operations are carried out in it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.estate.listening import SILENT, Listener
from ringfence.model.errors import InputError
from ringfence.rollout.cancellation import Cancellation, Cancelled

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.assets import Snapshot
    from ringfence.operations.execution import Execution


class Tell:
    """Sends a part of an answer; raises Cancelled where nobody waits for it. `cancel` is the wish to stop."""

    def __init__(self, send: Callable[[object], None]) -> None:
        self._send = send
        self.cancel = Cancellation()

    def __call__(self, part: object) -> None:
        """Send a part, which pickles. Raise Cancelled where the question was cancelled."""
        self.check()
        self._send(part)

    def check(self) -> None:
        """Raise Cancelled where the question was cancelled: for long loops."""
        if self.cancel.wanted:
            raise Cancelled


class EngineSession:
    """The workspace of the application. Any thread may ask it; the estate is made once.

    `chosen` is the directory that was named with `--workspace`; else the nearest upwards with a ringfence.yml.
    """

    def __init__(self, chosen: Path | None = None, *, read_only: bool = False) -> None:
        self.chosen = chosen
        self.read_only = read_only
        self.why = ""  # why it is read-only, where nobody asked for that
        self._estate: Estate | None = None
        self._stamp: tuple[object, ...] = ()
        self._making = threading.Lock()
        self._reading = threading.Lock()
        self._kept: tuple[Path, Snapshot] | None = None

    @property
    def directory(self) -> Path:
        """Return the workspace. Raise InputError where there is none."""
        from ringfence.estate.directory import workspace_directory

        return workspace_directory(self.chosen)

    @property
    def estate(self) -> Estate:
        """Return the estate as it was loaded; what the inventory said last counts as long as it holds.

        Raise InputError where there is no workspace.
        """
        with self._making:
            if self._estate is None:
                self._estate = self._made()
            return self._estate

    def fresh(self) -> Estate:
        """Return the estate with the files as they are now: another one where they changed since it was made.

        A value of the earlier one stays true to the files of then. Raise InputError where there is no workspace.
        """
        from ringfence.operations.workspace_stamp import workspace_stamp

        with self._making:
            if self._estate is None or workspace_stamp(self._estate.directory) != self._stamp:
                self._estate = self._made()
            return self._estate

    def kept(self) -> Snapshot | None:
        """Return the newest kept snapshot of the workspace, read once; None where none is kept."""
        from ringfence.sources.snapshots import read_snapshot

        paths = self.estate.history.until()
        with self._reading:
            if not paths:
                return None
            if self._kept is None or self._kept[0] != paths[-1]:
                self._kept = (paths[-1], read_snapshot(paths[-1]))
            return self._kept[1]

    def anew(self, listener: Listener = SILENT) -> Estate:
        """Return an estate of its own, as a command has: of this moment, and the inventory is asked.

        What is written down with its time, a plan or what hosts hold, is of that. Raise InputError where there is no
        workspace.
        """
        from ringfence.estate import Estate

        return Estate(self.directory, listener)

    def forget(self) -> None:
        """Have the next question load everything anew."""
        with self._making:
            self._estate = None

    def execution(self, tell: Tell, listener: Listener = SILENT) -> Execution:
        """Return how an operation is carried out for a question: cancelled with it, heard by a listener."""
        from ringfence.operations.execution import Execution

        return Execution(listener, cancel=tell.cancel)

    def writable(self, what: str) -> None:
        """Raise InputError where nothing may be changed: by `--read-only`, permissions. `what`: "write labels.yml"."""
        if self.read_only and self.why:
            raise InputError(f"cannot {what}: {self.why}", remedy="ask its owner, or work in a clone of your own")
        if self.read_only:
            raise InputError(f"cannot {what}: the application is read-only", remedy="start it without --read-only")

    def _made(self) -> Estate:
        from ringfence.estate import Estate
        from ringfence.operations.workspace_stamp import workspace_stamp

        directory = self.directory
        self._stamp = workspace_stamp(directory)
        estate = Estate(directory)
        estate.let_kept_count()
        return estate
