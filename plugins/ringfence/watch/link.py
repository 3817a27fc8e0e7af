"""One persistent connection to a host: the reader is started there, asked for a look each second, and bounded.

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
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from ringfence.model.safe_text import clean_line
from ringfence.watch.ssh_process import end, environment_of
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
# What may stand on standard error of one connection: warnings of ssh, sudo's lecture, an awk's complaints.
MOST_SAID = 256 * 1024
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

    async def run(self) -> None:
        """Connect, look, and connect again, forever."""
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
        process: Process | None = None
        listening: asyncio.Task[None] | None = None
        try:
            with environment_of(self.way.password) as environment:
                async with self._connecting:
                    process = await self._started(environment)
                    asks = asyncio.Event()
                    listening = asyncio.create_task(self._listen(process, asks))
                    async with asyncio.timeout(TO_CONNECT):
                        hello = await self._begin(process, asks)
            self._stood(hello, "")
            await self._look_on(process, hello)
        except TimeoutError:
            raise Lost(self._why(f"no answer in {TO_CONNECT:.0f} s")) from None
        except (ConnectionError, BrokenPipeError):
            raise Lost(self._why("the connection ended")) from None
        finally:
            if process is not None:
                # whoever was given up is not waited for
                await end(process, 0.0 if isinstance(sys.exception(), Lost) else ENDS_WITHIN)
            if listening is not None:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    async def _started(self, environment: Mapping[str, str]) -> Process:
        try:
            return await asyncio.create_subprocess_exec(
                *self.way.command, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True, env=environment
            )
        except OSError as error:
            raise Lost(f"{self.way.command[0]}: {error.strerror}") from error

    async def _become(self, process: Process, asks: asyncio.Event) -> None:
        """Give root's password where it is asked for, and return when a shell of root answers."""
        assert process.stdin is not None
        assert self.way.become is not None
        success = self.way.success.encode()
        given, before = False, 0
        asked = asyncio.create_task(asks.wait())
        line = asyncio.create_task(self._line(process))
        try:
            while True:
                await asyncio.wait((asked, line), return_when=asyncio.FIRST_COMPLETED)
                if line.done():
                    text = line.result()
                    before += len(text) + 1
                    if success in text:
                        return
                    if before > MOST_BEFORE:
                        raise Lost("this host prints without end before the reader starts")
                    line = asyncio.create_task(self._line(process))
                elif given:
                    raise Lost("root's password is not right (-K, ansible_become_password)")
                else:
                    process.stdin.write(self.way.become.encode() + b"\n")
                    given = True
                    self._said.clear()
                    asks.clear()
                    asked = asyncio.create_task(asks.wait())
        finally:
            asked.cancel()
            line.cancel()

    async def _begin(self, process: Process, asks: asyncio.Event) -> Hello:
        """Become root, start the reader, and return its first line."""
        assert process.stdin is not None
        if self.way.prompt and self.way.become is not None:
            await self._become(process, asks)
        before = 0
        process.stdin.write(self.way.script.encode())
        await process.stdin.drain()
        while True:
            text = await self._line(process)
            before += len(text) + 1
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
        """Keep the last that ssh and sudo say on standard error, and see where root's password is asked for.

        Who says too much is killed.
        """
        assert process.stderr is not None
        prompt = self.way.prompt.strip().encode()
        size = 0
        while more := await process.stderr.read(4096):
            size += len(more)
            if size > MOST_SAID:
                self._said.clear()
                self._said.append(b"it prints errors without end, so it is not listened to")
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                # asyncio learns that a process has ended only when all that it printed was read
                while await process.stderr.read(1 << 16):
                    pass
                return
            self._said.append(more)
            if prompt and prompt in b"".join(self._said):
                asks.set()

    def _why(self, otherwise: str) -> str:
        """Return the last line of what ssh said, made safe."""
        prompt = self.way.prompt.strip()
        text = b"".join(self._said)[-4000:].decode(errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip() and not (prompt and prompt in line)]
        return clean_line(lines[-1][:300]) if lines else otherwise


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode("ascii")
