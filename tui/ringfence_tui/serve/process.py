"""The application's process of one socket: its packets, and its end with everything of its group."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

GREETING = b"__GANGLION__\n"  # what Textual's driver for the web says first
GREETS_WITHIN = 30.0  # seconds
ENDS_WITHIN = 3.0  # seconds between asking a group to end and killing it
PACKET_AT_MOST = 16 << 20  # bytes; a screen of 500 × 200 cells takes a tenth of it
LAST_WORDS = 2000  # bytes


@dataclass
class Application:
    """A process of the application. It ends with the pipe `lifeline`, whatever becomes of the server."""

    process: asyncio.subprocess.Process
    lifeline: int
    words: IO[bytes] = field(repr=False)

    @classmethod
    async def begin(cls, options: Sequence[str], size: tuple[int, int]) -> Application:
        """Start the process in a terminal of a size. Raise OSError."""
        theirs, ours = os.pipe()
        words = tempfile.TemporaryFile()  # noqa: SIM115  # as long as the process
        module = "ringfence_tui.serve.application"
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", module, "--lifeline", str(theirs), *options),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=words,
                env=_environment(size),
                pass_fds=[theirs],
                start_new_session=True,
            )
        except BaseException:
            os.close(ours)
            words.close()
            raise
        finally:
            os.close(theirs)
        return cls(process, ours, words)

    async def written(self) -> AsyncIterator[bytes]:
        """Yield what the application writes to its terminal, until it leaves."""
        stdout = self.process.stdout
        assert stdout is not None
        with suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ConnectionError):
            async with asyncio.timeout(GREETS_WITHIN):
                await stdout.readuntil(GREETING)
            while True:
                head = await stdout.readexactly(5)
                length = int.from_bytes(head[1:], "big")
                if length > PACKET_AT_MOST:
                    return
                body = await stdout.readexactly(length)
                if head[:1] == b"D":
                    yield body
                elif head[:1] == b"M" and json.loads(body).get("type") == "exit":
                    return

    async def type(self, text: str) -> None:
        """Send what a person typed, and what their mouse did."""
        await self._send(b"D", text.encode(errors="replace"))

    async def resize(self, size: tuple[int, int]) -> None:
        """Have another size."""
        told = {"type": "resize", "width": size[0], "height": size[1]}
        await self._send(b"M", json.dumps(told).encode())

    async def _send(self, kind: bytes, body: bytes) -> None:
        stdin = self.process.stdin
        assert stdin is not None
        stdin.write(kind + len(body).to_bytes(4, "big") + body)
        await stdin.drain()

    async def end(self) -> str:
        """End the process and its group; return the last line that it said where it ended badly."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(ENDS_WITHIN):
                await self.process.wait()
        except TimeoutError:
            pass
        finally:
            self._signal(signal.SIGKILL)
            os.close(self.lifeline)
        await self.process.wait()
        with self.words:
            size = self.words.seek(0, os.SEEK_END)
            self.words.seek(max(0, size - LAST_WORDS))
            lines = self.words.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines and self.process.returncode else ""

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def _environment(size: tuple[int, int]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TEXTUAL")}
    return {
        **inherited,
        "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver",
        "TEXTUAL_COLOR_SYSTEM": "truecolor",
        "TERM_PROGRAM": "textual",
        "COLUMNS": str(size[0]),
        "ROWS": str(size[1]),
    }
