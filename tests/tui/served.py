"""`ringfence serve` as it runs, requests to it byte by byte, and a terminal at the other end of its socket."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pyte

WAITS = 240.0  # seconds at most, which only a failed test waits
SOCKET = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@dataclass(frozen=True)
class Served:
    """A running server: its process and the address that it printed."""

    process: subprocess.Popen[str]
    address: str
    directory: Path

    @property
    def port(self) -> int:
        """Return the port."""
        port = urlsplit(self.address).port
        assert port is not None
        return port

    @property
    def origin(self) -> str:
        """Return the origin of the page."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def path(self) -> str:
        """Return the path of the page, with its slash."""
        return urlsplit(self.address).path

    def status(self, path: str, method: str = "GET", **headers: str | None) -> int:
        """Return the status that a request gets; a header that is None is not sent, `_` in a name stands for `-`."""
        return int(self.answer(path, method, **headers).split(b" ", 2)[1])

    def answer(self, path: str, method: str = "GET", **headers: str | None) -> bytes:
        """Return the head of the answer to a request."""
        told = {"Host": f"127.0.0.1:{self.port}"} | {name.replace("_", "-"): text for name, text in headers.items()}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in told.items() if text is not None)]
        with socket.create_connection(("127.0.0.1", self.port), WAITS) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            head = b""
            while b"\r\n\r\n" not in head and (more := connection.recv(4096)):
                head += more
        return head.partition(b"\r\n\r\n")[0]

    def socket_status(self, path: str, origin: str | None, **headers: str | None) -> int:
        """Return the status that a socket's handshake gets."""
        return self.status(path, Origin=origin, **SOCKET, **headers)

    def processes(self) -> set[int]:
        """Return the processes below the server: applications and their engines."""
        found, ahead = set[int](), [self.process.pid]
        while ahead:
            with suppress(OSError):
                pid = ahead.pop()
                children = {int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
                ahead += children - found
                found |= children
        return found


@contextmanager
def served(directory: Path, *options: str) -> Iterator[Served]:
    """Run the server on a workspace, and end it."""
    command = [sys.executable, "-m", "ringfence.cli", "serve", "--workspace", str(directory), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield Served(process, process.stdout.readline().strip(), directory)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(WAITS)


@dataclass
class Browser:
    """What a page's terminal is, without the page."""

    socket: aiohttp.ClientWebSocketResponse
    screen: pyte.Screen
    stream: Any

    async def wait_for(self, text: str) -> None:
        """Read until a text is on the screen."""
        async with asyncio.timeout(WAITS):
            while text not in "\n".join(self.screen.display):
                message = await self.socket.receive()
                assert message.type is aiohttp.WSMsgType.BINARY, (message, "\n".join(self.screen.display))
                self.stream.feed(message.data)

    async def press(self, keys: str) -> None:
        """Type."""
        await self.socket.send_json(["stdin", keys])

    async def wait_end(self) -> None:
        """Read until the other end has closed the socket."""
        async with asyncio.timeout(WAITS):
            async for _ in self.socket:
                pass


@asynccontextmanager
async def opened(address: str, size: tuple[int, int] = (100, 30)) -> AsyncIterator[Browser]:
    """Open a session as the page would."""
    parts = urlsplit(address)
    screen = pyte.Screen(*size)
    where = f"{parts.scheme}://{parts.netloc}{parts.path}ws?width={size[0]}&height={size[1]}"
    origin = f"{parts.scheme}://{parts.netloc}"
    nobodys = aiohttp.TCPConnector(ssl=parts.scheme != "https")  # nobody vouches for a certificate of a test
    async with (
        aiohttp.ClientSession(connector=nobodys) as client,
        client.ws_connect(where, origin=origin, max_msg_size=0) as connected,
    ):
        yield Browser(connected, screen, pyte.ByteStream(screen))


def wait_gone(processes: set[int]) -> None:
    """Wait until none of some processes is left."""
    until = time.monotonic() + WAITS
    while left := {pid for pid in processes if _there(pid)}:
        assert time.monotonic() < until, f"left behind: {left}"
        time.sleep(0.02)


def _there(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
