"""The screen process' side of the engine: starts it, asks it, hears its parts, notices when it is gone."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeVar

from ringfence_tui.engine.protocol import HEAD, Answer, Ask, Cancel, Failure, Part, packed, unpacked
from ringfence_tui.memory import many_values

T = TypeVar("T")
LARGE = 65_536  # bytes of a message that holds many values
LAST_WORDS = 2000  # bytes of what an engine that died had printed
ENDS_WITHIN = 2.0  # seconds that an engine has to end when the application does


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, where (`file:line`), and the remedy; the last two may be empty."""

    message: str
    place: str = ""
    remedy: str = ""


class EngineError(Exception):
    """A question that has no answer: what is wrong, and all faults where there are several."""

    def __init__(self, message: str, place: str = "", remedy: str = "", faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.remedy = remedy
        self.faults = tuple(faults) or (Fault(message, place, remedy),)


class EngineGone(EngineError):
    """The engine process ended; `Engine.restart` begins another."""


@dataclass(slots=True)
class _Waiting:
    answer: asyncio.Future[Any]
    on_part: Callable[[Any], None] | None


@dataclass
class Engine:
    """The engine process of a workspace. `begin` may be called before there is an event loop, `connect` within it."""

    workspace: Path | None = None
    read_only: bool = False
    on_gone: Callable[[EngineGone], None] | None = None
    _process: subprocess.Popen[bytes] | None = None
    _socket: socket.socket | None = None
    _words: IO[bytes] | None = None
    _writer: asyncio.StreamWriter | None = None
    _reading: asyncio.Task[None] | None = None
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _waiting: dict[int, _Waiting] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def begin(self) -> None:
        """Start the process."""
        ours, theirs = socket.socketpair()
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  # as long as the process
        options = ["--read-only"] if self.read_only else []
        if self.workspace is not None:
            options += ["--workspace", str(self.workspace)]
        # -P: a file of the directory in which it is started is never taken for a module
        command = [sys.executable, "-P", "-m", "ringfence_tui.engine", str(theirs.fileno()), *options]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=self._words,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # the terminal's signals are the application's
            )
        finally:
            theirs.close()
        self._socket = ours

    async def connect(self) -> None:
        """Begin to hear the process, and start it where it is not there. Raise EngineGone where it cannot start."""
        async with self._connecting:
            if self._writer is not None:
                return
            if self._socket is None:
                try:
                    self.begin()
                except OSError as error:
                    raise EngineGone(f"the engine cannot be started: {error.strerror}") from error
            reader, self._writer = await asyncio.open_unix_connection(sock=self._socket)
            self._reading = asyncio.create_task(self._read(reader), name="engine")

    @property
    def alive(self) -> bool:
        """Return whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Return the number of the process, 0 where there is none."""
        return self._process.pid if self._process is not None else 0

    async def ask(
        self, question: str, request: object, kind: type[T], on_part: Callable[[Any], None] | None = None
    ) -> T:
        """Return the answer to a question, `map.picture`, which is of a kind.

        `on_part` is called in the event loop with each part. A cancelled task cancels the question. Raise EngineError
        for a question that has no answer, EngineGone where the process ended.
        """
        await self.connect()
        assert self._writer is not None
        number = next(self._numbers)
        waiting = _Waiting(asyncio.get_running_loop().create_future(), on_part)
        self._waiting[number] = waiting
        try:
            self._write(Ask(number, question, request))
            result = await waiting.answer
        except asyncio.CancelledError:
            self._write(Cancel(number))
            raise
        finally:
            self._waiting.pop(number, None)
        if not isinstance(result, kind):
            raise EngineError(f"{question} was answered with a {type(result).__name__}, not a {kind.__name__}")
        return result

    async def restart(self, workspace: Path | None = None) -> None:
        """Begin another process, in another workspace where one is named; what waits for the old one is told."""
        await self.end()
        if workspace is not None:
            self.workspace = workspace
        await self.connect()

    async def end(self) -> None:
        """End the process; what waits for it is told."""
        writer, self._writer, self._socket = self._writer, None, None
        process, self._process = self._process, None
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        if writer is not None:
            writer.close()
        self._tell_all(EngineGone("the engine was ended"))
        if process is not None:
            await asyncio.to_thread(_ended, process)
        self._close_words()

    def close(self) -> None:
        """Have the process end by itself, without waiting for it: the application is leaving."""
        self.on_gone = None
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        elif self._socket is not None:
            self._socket.close()
        self._socket = None

    def _write(self, message: object) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(packed(message))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (length,) = HEAD.unpack(await reader.readexactly(HEAD.size))
                body = await reader.readexactly(length)
                with many_values() if length >= LARGE else nullcontext():
                    self._take(unpacked(body))
        await self._gone()

    def _take(self, message: object) -> None:
        match message:
            case Part(number, part):
                waiting = self._waiting.get(number)
                if waiting is not None and waiting.on_part is not None and not waiting.answer.done():
                    _told(waiting, waiting.on_part, part)
            case Answer(number, result):
                waiting = self._waiting.get(number)
                if waiting is not None and not waiting.answer.done():
                    waiting.answer.set_result(result)
            case Failure(number, errors):
                waiting = self._waiting.get(number)
                if waiting is not None and not waiting.answer.done():
                    faults = [Fault(*error) for error in errors]
                    first = faults[0]
                    waiting.answer.set_exception(EngineError(first.message, first.place, first.remedy, faults))

    async def _gone(self) -> None:
        process, self._process = self._process, None
        writer, self._writer, self._socket = self._writer, None, None
        if writer is not None:
            writer.close()
        status = await asyncio.to_thread(_ended, process) if process is not None else 0
        how = f"signal {-status}" if status < 0 else f"status {status}"
        last = self._last_words()
        error = EngineGone(
            f"the engine ended ({how})" + (f": {last}" if last else ""),
            remedy="what you do next begins another one",
        )
        self._close_words()
        self._tell_all(error)
        if self.on_gone is not None:
            self.on_gone(error)

    def _tell_all(self, error: EngineGone) -> None:
        for waiting in list(self._waiting.values()):
            if not waiting.answer.done():
                waiting.answer.set_exception(error)

    def _last_words(self) -> str:
        """Return the last line that the process printed."""
        if self._words is None:
            return ""
        size = self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, size - LAST_WORDS))
        lines = self._words.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def _close_words(self) -> None:
        if self._words is not None:
            self._words.close()
            self._words = None


def _told(waiting: _Waiting, on_part: Callable[[Any], None], part: object) -> None:
    """Hand a part on; where that fails its own question fails, and what else is asked is answered all the same."""
    try:
        on_part(part)
    except Exception as error:  # noqa: BLE001  # else nothing would be read from the engine any more
        waiting.answer.set_exception(error)


def _ended(process: subprocess.Popen[bytes]) -> int:
    """Return how a process ended, whose socket is closed; it is killed where it does not end."""
    try:
        return process.wait(ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
