"""One standing connection to a host: the reader is started there, asked for a look each second, and bounded.

The reader does nothing until it is asked, and ends when its standard input does. So nothing is left on a host whose
connection has ended, and a host that tells without being asked, or too much, loses its connection.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic

from ringfence.model.safe_text import clean_line
from ringfence.rollout.private import private_directory
from ringfence.rollout.secret_pipe import secret_pipe
from ringfence.watch.told import Hello, LookEnd, Told, parse
from ringfence.watch.ways import Way

# Seconds between two looks, at least and at most, and the share of a core that the reader may take on its host.
EVERY = 1.0
SLOWEST = 15.0
SHARE = 0.05
# Seconds in which a connection must stand, and a look must have ended.
TO_CONNECT = 60.0
TO_LOOK = 20.0
# Seconds before a lost connection is tried again: twice as long each time.
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
# What one look may have: the reader tells 2,000 lines of at most 150 bytes.
MOST_LINES = 2100
MOST_BYTES = 512 * 1024
# What may stand before the reader's first line: banners, messages of the day.
MOST_BEFORE = 64 * 1024
WRONG_LINES = 20
ENDS_WITHIN = 2.0


class Lost(Exception):
    """The connection is of no more use; the message says why, without anything that could reach a terminal."""


@dataclass(slots=True)
class Look:
    """What a host told in one look: `first` of a connection, `missed` lines, `took` seconds, `cpu` seconds there."""

    told: list[Told] = field(default_factory=list)
    first: bool = False
    wrong: int = 0
    took: float = 0.0
    cpu: float = 0.0


class Link:
    """Keeps one connection to a host until it is cancelled; `looked` is called for each look, `stood` for each change.

    `stood(hello, why)` has the reader's first line where the host is watched, else why it is silent.
    """

    def __init__(
        self,
        way: Way,
        looked: Callable[[Look], None],
        stood: Callable[[Hello | None, str], None],
        *,
        every: float = EVERY,
        connecting: asyncio.Semaphore | None = None,
    ) -> None:
        self.way = way
        self._looked = looked
        self._stood = stood
        self._every = every
        self._connecting = connecting or asyncio.Semaphore(1)
        self._said: deque[bytes] = deque(maxlen=40)
        self._rest = b""
        self._lines: deque[bytes] = deque()
        self._waiting: asyncio.Task[bytes] | None = None

    async def run(self) -> None:
        """Connect, look, and connect again, for ever."""
        wait = FIRST_WAIT
        while True:
            since = monotonic()
            try:
                await self._connection()
            except Lost as lost:
                self._stood(None, str(lost))
            if monotonic() - since > 2 * wait:
                wait = FIRST_WAIT  # it stood for a while
            await asyncio.sleep(wait)
            wait = min(LONGEST_WAIT, wait * 2)

    async def _connection(self) -> None:
        self._said.clear()
        self._rest = b""
        self._lines.clear()
        self._waiting = None
        with _environment(self.way.password) as environment:
            try:
                process = await asyncio.create_subprocess_exec(
                    *self.way.command, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True, env=environment
                )
            except OSError as error:
                raise Lost(f"{self.way.command[0]}: {error.strerror}") from error
            asks = asyncio.Event()
            listening = asyncio.create_task(self._listen(process, asks))
            try:
                async with self._connecting, asyncio.timeout(TO_CONNECT):
                    hello = await self._begin(process, asks)
            except TimeoutError:
                raise Lost(self._why(f"no answer in {TO_CONNECT:.0f} s")) from None
            except (ConnectionError, BrokenPipeError):
                raise Lost(self._why("the connection ended")) from None
            else:
                self._stood(hello, "")
                await self._look_on(process, hello)
            finally:
                # whoever was given up is not waited for
                await _end(process, 0.0 if isinstance(sys.exception(), Lost) else ENDS_WITHIN)
                listening.cancel()
                with suppress(asyncio.CancelledError):
                    await listening

    async def _begin(self, process: Process, asks: asyncio.Event) -> Hello:
        """Become root, start the reader, and return its first line."""
        assert process.stdin is not None
        before = 0
        if self.way.prompt and self.way.become is not None:
            success = self.way.success.encode()
            asked = asyncio.create_task(asks.wait())
            while not asked.done():
                line = asyncio.create_task(self._line(process))
                await asyncio.wait((asked, line), return_when=asyncio.FIRST_COMPLETED)
                if asked.done():
                    process.stdin.write(self.way.become.encode() + b"\n")
                    self._waiting = line
                    break
                if success and success in line.result():
                    asked.cancel()  # root without being asked
                    break
        process.stdin.write(self.way.script.encode())
        await process.stdin.drain()
        while True:
            text = await self._line(process)
            before += len(text)
            if before > MOST_BEFORE:
                raise Lost("this host prints without end before the reader starts")
            with suppress(ValueError):
                told = parse(_text(text))
                if isinstance(told, Hello):
                    return told

    async def _look_on(self, process: Process, hello: Hello) -> None:
        assert process.stdin is not None
        number, cpu_before, first = 0, 0.0, True
        while True:
            number += 1
            began = monotonic()
            try:
                process.stdin.write(b"%d\n" % number)
                await process.stdin.drain()
                async with asyncio.timeout(TO_LOOK):
                    look = await self._look(process, hello, number)
            except TimeoutError:
                raise Lost(f"it did not end a look in {TO_LOOK:.0f} s") from None
            except (ConnectionError, BrokenPipeError):
                raise Lost(self._why("the connection ended")) from None
            look.first = first
            look.took = monotonic() - began
            look.cpu, cpu_before, first = max(0.0, look.cpu - cpu_before), look.cpu, False
            self._looked(look)
            pause = max(self._every, min(SLOWEST, look.cpu / SHARE))
            await asyncio.sleep(max(0.0, pause - (monotonic() - began)))

    async def _look(self, process: Process, hello: Hello, number: int) -> Look:
        look = Look()
        size = 0
        while True:
            line = await self._line(process)
            size += len(line)
            if size > MOST_BYTES or len(look.told) > MOST_LINES:
                raise Lost("it tells more than a reader does, so it is not listened to")
            try:
                told = parse(_text(line), little=hello.little)
            except ValueError:
                look.wrong += 1
                if look.wrong > WRONG_LINES:
                    raise Lost("it tells what no reader does, so it is not listened to") from None
                continue
            if isinstance(told, LookEnd):
                if told.number != number:
                    raise Lost("it answers what it was not asked, so it is not listened to")
                look.cpu = told.cpu / 100
                return look
            look.told.append(told)

    async def _line(self, process: Process) -> bytes:
        """Return the next line without its end. Raise ConnectionError at the end of all, Lost for one too long."""
        assert process.stdout is not None
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            return await waiting
        while not self._lines:
            if len(self._rest) > MOST_BEFORE:
                raise Lost("it prints a line without end")
            more = await process.stdout.read(65536)
            if not more:
                raise ConnectionError
            *lines, self._rest = (self._rest + more).split(b"\n")
            self._lines.extend(lines)
        return self._lines.popleft()

    async def _listen(self, process: Process, asks: asyncio.Event) -> None:
        """Keep the last that ssh and sudo say on standard error, and see where root's password is asked for."""
        assert process.stderr is not None
        prompt = self.way.prompt.strip().encode()
        while more := await process.stderr.read(4096):
            self._said.append(more)
            if prompt and prompt in b"".join(self._said):
                asks.set()

    def _why(self, otherwise: str) -> str:
        """Return the last line of what ssh said, made safe."""
        prompt = self.way.prompt.strip()
        text = b"".join(self._said)[-4000:].decode(errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip() and not (prompt and prompt in line)]
        return clean_line(lines[-1][:300]) if lines else otherwise


@contextmanager
def _environment(password: str | None) -> Iterator[Mapping[str, str]]:
    """Give the environment of ssh; it asks for a password by a program that reads it from a pipe."""
    if password is None:
        yield dict(os.environ)
        return
    with private_directory() as directory, secret_pipe(password) as pipe:
        program = directory / "askpass"
        program.write_text('#!/bin/sh\nexec cat "$RINGFENCE_ASKPASS"\n')
        program.chmod(0o700)
        yield {
            **os.environ,
            "SSH_ASKPASS": str(program),
            "SSH_ASKPASS_REQUIRE": "force",
            "DISPLAY": os.environ.get("DISPLAY", ":0"),
            "RINGFENCE_ASKPASS": str(pipe),
        }


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode("ascii")


async def _end(process: Process, seconds: float) -> None:
    """End a connection: its input ends, so the reader does; what is left of ssh and its proxies then is killed."""
    if process.stdin is not None:
        process.stdin.close()
    ending = asyncio.create_task(_ended(process))
    try:
        await asyncio.wait((ending,), timeout=seconds)
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await ending


async def _ended(process: Process) -> None:
    """Return when a process has ended; asyncio learns that only when all that it printed was read."""
    assert process.stdout is not None
    while await process.stdout.read(1 << 16):
        pass
    await process.wait()
