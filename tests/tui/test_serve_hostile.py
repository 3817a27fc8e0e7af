"""`ringfence serve` and those who mean it ill: broken requests byte by byte, and connections that say nothing."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import web
from ringfence_tui.serve.doorway import AT_MOST, Doorway
from ringfence_tui.serve.gate import Gate
from ringfence_tui.serve.server import Server

from tests.tui.served import WAITS, Served
from tests.unit.cli_shop import shop

# What follows the head of a request is HOST, the line with the right Host; PATH is the right path.
REQUESTS = {
    "no request": b"\r\n\r\n\r\n",
    "noise": bytes(range(256)) * 8,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 512,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET PATH\r\n",
    "HTTP/1.0 without a host": b"GET PATH HTTP/1.0\r\n\r\n",
    "another version": b"GET PATH HTTP/9.9\r\nHOST\r\n\r\n",
    "two hosts": b"GET PATH HTTP/1.1\r\nHOST\r\nHost: evil.example\r\n\r\n",
    "two origins": b"GET PATH HTTP/1.1\r\nHOST\r\nOrigin: ORIGIN\r\nOrigin: http://evil.example\r\n\r\n",
    "two origins in one": b"GET PATH HTTP/1.1\r\nHOST\r\nOrigin: ORIGIN, http://evil.example\r\n\r\n",
    "a host with an end of line": b"GET PATH HTTP/1.1\r\nHOST\x0bx\r\n\r\n",
    "a folded host": b"GET PATH HTTP/1.1\r\nHost:\r\n 127.0.0.1:PORT\r\n\r\n",
    "a host behind a space": b"GET PATH HTTP/1.1\r\nHost : 127.0.0.1:PORT\r\n\r\n",
    "a forwarded host": b"GET PATH HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: 127.0.0.1:PORT\r\n\r\n",
    "a whole address": b"GET http://evil.example/ HTTP/1.1\r\nHOST\r\n\r\n",
    "a proxy's request": b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHOST\r\n\r\n",
    "an upper-case path": b"GET UPPER HTTP/1.1\r\nHOST\r\n\r\n",
    "a path in escapes": b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHOST\r\n\r\n",
    "a path that goes up": b"GET PATH../../../etc/passwd HTTP/1.1\r\nHOST\r\n\r\n",
    "an empty name twice": b"GET /PATH HTTP/1.1\r\nHOST\r\n\r\n",
    "a long path": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHOST\r\n\r\n",
    "a long header": b"GET PATH HTTP/1.1\r\nHOST\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    "many headers": b"GET PATH HTTP/1.1\r\nHOST\r\n" + b"X: a\r\n" * 10_000 + b"\r\n",
    "a body that is smuggled": b"POST PATH HTTP/1.1\r\nHOST\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length below nothing": b"GET PATH HTTP/1.1\r\nHOST\r\nContent-Length: -1\r\n\r\n",
    "a chunk without end": b"POST PATH HTTP/1.1\r\nHOST\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    "a socket of another version": b"GET PATHws?width=80&height=24 HTTP/1.1\r\nHOST\r\nOrigin: ORIGIN\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 7\r\nSec-WebSocket-Key: x\r\n\r\n",
    "a socket without a key": b"GET PATHws?width=80&height=24 HTTP/1.1\r\nHOST\r\nOrigin: ORIGIN\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "a socket with two sizes": b"GET PATHws?width=80&width=9999999&height=9999999&height=24 HTTP/1.1\r\nHOST\r\n"
    b"Origin: ORIGIN\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "a size in other digits": b"GET PATHws?width=%D9%A8%D9%A0&height=24 HTTP/1.1\r\nHOST\r\nOrigin: ORIGIN\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    """Yield a server that was asked for its address as JSON, and the file with what it said besides."""
    directory = shop(tmp_path_factory.mktemp("served"))
    said = directory.parent / "said"
    command = [sys.executable, "-m", "ringfence.cli", "serve", "--json", "--workspace", str(directory)]
    with said.open("w") as errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as one:
        assert one.stdout is not None
        told = json.loads(one.stdout.readline())
        until = time.monotonic() + WAITS
        while "ctrl+c" not in said.read_text():  # the last line of its beginning
            assert time.monotonic() < until
            time.sleep(0.01)
        yield Served(one, told["address"], directory), said
        one.send_signal(signal.SIGTERM)
        assert one.wait(WAITS) == 0
        assert one.stdout.read() == ""


def test_as_json_the_address_is_an_object(running: tuple[Served, Path]) -> None:
    served, _ = running
    assert served.status(served.path) == 200
    (kept,) = (served.directory / ".ringfence").glob("serve-*.url")
    assert kept.read_text() == served.address + "\n"
    assert kept.stem == f"serve-{served.port}"


@pytest.mark.parametrize("name", REQUESTS)
def test_a_broken_request_is_refused_and_told_to_nobody(running: tuple[Served, Path], name: str) -> None:
    served, said = running
    before = said.read_text()

    answer = answered(served, REQUESTS[name])

    assert b" 200 " not in answer.partition(b"\r\n")[0]
    assert b" 101 " not in answer.partition(b"\r\n")[0]
    assert served.status(served.path) == 200
    assert not served.processes()
    assert said.read_text() == before


def answered(served: Served, request: bytes) -> bytes:
    """Return what comes for some bytes until the server closes, or says no more for a moment."""
    path = served.path.encode()
    for name, text in (
        (b"UPPER", path.swapcase()),
        (b"PATH", path),
        (b"HOST", f"Host: 127.0.0.1:{served.port}".encode()),
        (b"ORIGIN", served.origin.encode()),
        (b"PORT", str(served.port).encode()),
    ):
        request = request.replace(name, text)
    found = b""
    with socket.create_connection(("127.0.0.1", served.port), WAITS) as connection, suppress(OSError):
        connection.sendall(request)
        connection.settimeout(0.5)
        while more := connection.recv(65536):
            found += more
    return found


@asynccontextmanager
async def doorway(directory: Path, asks_within: float) -> AsyncIterator[tuple[Server, int]]:
    """Serve in this process, with another time for a request; yield the port too."""
    server = Server(Gate("http://127.0.0.1:0"), ["--workspace", str(directory), "--read-only"], print)
    runner = web.AppRunner(server.application(), access_log=None, keepalive_timeout=asks_within)
    await runner.setup()
    assert runner.server is not None
    door = Doorway(runner.server, asks_within)
    server.passed = door.passed
    listening = await asyncio.get_running_loop().create_server(door.connection, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    server.gate = Gate(f"http://127.0.0.1:{port}", server.gate.token)
    try:
        yield server, port
    finally:
        listening.close()
        await runner.cleanup()


def test_who_asks_for_nothing_is_sent_away(tmp_path: Path) -> None:
    async def asked() -> None:
        async with doorway(tmp_path, 0.5) as (server, port):
            path = server.gate.address.partition(str(port))[2]
            whole = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
            began = time.monotonic()
            for said in ("", "G", whole[:-2], whole.replace(path, "/") + whole[:-2], whole + whole[:-2]):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(said.encode())
                with suppress(ConnectionError):
                    async with asyncio.timeout(5):
                        await reader.read(-1)
                writer.close()
            assert time.monotonic() - began < 10

    asyncio.run(asked())


def test_as_many_as_there_may_be_do_not_keep_the_next_one_out(tmp_path: Path) -> None:
    async def asked() -> None:
        async with doorway(tmp_path, 30.0) as (server, port):
            silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(AT_MOST + 8)]
            path = server.gate.address.partition(str(port))[2]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            assert b" 200 " in await reader.readline()
            with suppress(ConnectionError):
                assert await silent[0][0].read(-1) == b""
            for _, one in (*silent, (reader, writer)):
                one.close()

    asyncio.run(asked())
