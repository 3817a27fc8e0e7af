"""What `ringfence serve` runs: the refusals, the address that is told once, the server until it is interrupted."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.estate.directory import workspace_directory
from ringfence.files import PRIVATE, write_whole
from ringfence.model.errors import InputError, OutsideError
from ringfence.model.safe_text import clean_line
from ringfence.model.workspace_files import STATE

from ringfence_tui.serve.gate import Gate, is_own, origin_of

if TYPE_CHECKING:
    from ringfence_tui.serve.server import Server

ENDS_WITHIN = 8.0  # seconds for all sessions


def run(
    workspace: Path | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    proxy: str = "",
    changes: bool = False,
    as_json: bool = False,
) -> int:
    """Serve until interrupted and return 0. The address is a line by itself, or an object with `as_json`.

    `proxy` is the address that people type where a proxy of theirs has TLS; any `host` but this machine's own needs
    one. Raise InputError, OutsideError where the port cannot be had.
    """
    if find_spec("textual_serve") is None or find_spec("textual") is None:
        raise InputError("the application in a browser needs the extra", remedy="pip install 'ringfence[tui]'")
    if not is_own(host) and not proxy:
        raise InputError(
            f"'{host}' is not an address of this machine alone, and what is served there could be read on the way",
            remedy="leave '--host' out and use 'ssh -L', or put a proxy with TLS in front and name its address with "
            "'--behind-proxy https://…'",
        )
    origin = origin_of(proxy) if proxy else None
    if proxy and origin is None:
        raise InputError(f"'{proxy}' is not an address as 'https://ringfence.example.org'")
    directory = workspace_directory(workspace)
    listening = _listening(host, port)
    taken = listening.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    gate = Gate(origin or f"http://{shown}" + (f":{taken}" if taken != 80 else ""))
    kept = directory / STATE / f"serve-{taken}.url"
    kept.unlink(missing_ok=True)  # one that is there would keep its permissions
    write_whole(kept, gate.address + "\n", PRIVATE)
    try:
        asyncio.run(_serve(listening, gate, _options(directory, changes=changes), kept, as_json=as_json))
    finally:
        kept.unlink(missing_ok=True)
    return 0


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise OutsideError(
            f"{host}, port {port}, cannot be listened on: {error.strerror}", remedy="another one: '--port'"
        ) from error


def _options(directory: Path, *, changes: bool) -> list[str]:
    return ["--workspace", str(directory), *([] if changes else ["--read-only"])]


async def _serve(listening: socket.socket, gate: Gate, options: list[str], kept: Path, *, as_json: bool) -> None:
    from aiohttp import web

    from ringfence_tui.serve.doorway import KEPT, Doorway
    from ringfence_tui.serve.faults import fault_log
    from ringfence_tui.serve.server import Server

    server = Server(gate, options, _say)
    runner = web.AppRunner(
        server.application(),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=ENDS_WITHIN,
        handler_cancellation=False,
        keepalive_timeout=KEPT,
        logger=fault_log(_say),
    )
    await runner.setup()
    assert runner.server is not None
    doorway = Doorway(runner.server)
    server.passed = doorway.passed
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    accepting = await asyncio.get_running_loop().create_server(doorway.connection, sock=listening, backlog=128)
    read_only = "--read-only" in options
    data = {"address": gate.address, "file": str(kept), "port": listening.getsockname()[1], "read_only": read_only}
    print(json.dumps(data) if as_json else f"{gate.address}\n", flush=True)  # noqa: T201
    allowed = "read-only" if read_only else "changes are allowed"
    _say(f"whoever has this address has the application ({allowed}); it is also in {kept}")
    _say("ctrl+c ends the server and all sessions")
    try:
        await ended.wait()
    finally:
        accepting.close()
        server.ending.set()
        await _all_ended(server)
        await runner.cleanup()


async def _all_ended(server: Server) -> None:
    async with asyncio.timeout(ENDS_WITHIN):
        while server.open_now:
            await asyncio.sleep(0.02)


def _say(line: str) -> None:
    print(clean_line(line), file=sys.stderr, flush=True)  # noqa: T201
