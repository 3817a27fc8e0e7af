"""The server: what the gate lets in, at most four sessions, each ended with its socket or after half an hour alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from ringfence_tui.serve.gate import Gate, terminal_size
from ringfence_tui.serve.page import Served, headers, pages
from ringfence_tui.serve.process import Application

SESSIONS = 4
IDLE = 30 * 60.0  # seconds without a key or the mouse
MESSAGE_AT_MOST = 8 << 20  # bytes: a paste, every character of which may be an escape of JSON
HEARTBEAT = 15.0  # seconds
CLOSES_WITHIN = 1.0  # seconds that a browser has to answer the end of its socket
SOCKET = "ws"


@dataclass
class Server:
    """Serves one workspace. `options` are those of the application's process; `say` takes a line for the terminal.

    `passed` hears of the connection of each request that the gate lets in.
    """

    gate: Gate
    options: Sequence[str]
    say: Callable[[str], None]
    sessions: int = SESSIONS
    idle: float = IDLE
    passed: Callable[[object], None] = lambda _connection: None
    open_now: int = 0
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    _pages: dict[str, Served] = field(init=False)
    _headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._pages = pages(self.gate.origin, self.gate.token)
        self._headers = headers(self.gate.origin)

    def application(self) -> web.Application:
        """Return what aiohttp runs: one handler, so that no other address is answered."""
        application = web.Application(client_max_size=1024)
        application.router.add_route("*", "/{rest:.*}", self.answer)
        return application

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        name = request.raw_path.partition("?")[0].split("/", 2)[-1]
        refused = self.gate.refused(
            request.headers.getall("Host", []),
            request.raw_path.partition("?")[0],
            request.headers.getall("Origin", []),
            socket=name == SOCKET,
        )
        if refused:
            return self._status(refused)
        self.passed(request.protocol)
        if request.method != "GET":
            return self._status(405)
        if name == SOCKET:
            return await self._session(request)
        found = self._pages.get(name)
        if found is None:
            return self._status(404)
        return web.Response(body=found.body, content_type=found.content_type, charset="utf-8", headers=self._headers)

    def _status(self, status: int) -> web.Response:
        refusal = web.Response(status=status, headers=self._headers)
        refusal.force_close()
        return refusal

    async def _session(self, request: web.Request) -> web.StreamResponse:
        size = terminal_size(request.query)
        if size is None:
            return self._status(400)
        socket = web.WebSocketResponse(
            timeout=CLOSES_WITHIN, heartbeat=HEARTBEAT, max_msg_size=MESSAGE_AT_MOST, compress=False
        )
        if not socket.can_prepare(request).ok:
            return self._status(400)
        if self.open_now >= self.sessions or self.ending.is_set():
            return self._status(503)
        self.open_now += 1
        try:
            await socket.prepare(request)
            application = await Application.begin(self.options, size)
            try:
                await self._carry(socket, application)
            finally:
                said = await application.end()
                if said:
                    self.say(f"a session ended badly: {said}")
        finally:
            self.open_now -= 1
            with suppress(ConnectionError):
                await socket.close()
        return socket

    async def _carry(self, socket: web.WebSocketResponse, application: Application) -> None:
        """Carry both ways until one end is closed, nobody has typed for long, or the server ends."""
        typed = asyncio.Event()
        ways: list[Coroutine[Any, Any, object]] = [
            _shown(socket, application),
            _typed(socket, application, typed),
            _idle(typed, self.idle),
            self.ending.wait(),
        ]
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _shown(socket: web.WebSocketResponse, application: Application) -> None:
    async for data in application.written():
        await socket.send_bytes(data)


async def _typed(socket: web.WebSocketResponse, application: Application, typed: asyncio.Event) -> None:
    """Pass on what is typed and resized; a message that the page would not send ends the session."""
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            return
        try:
            match json.loads(message.data):
                case ["stdin", str() as text]:
                    typed.set()
                    await application.type(text)
                case ["resize", dict() as asked]:
                    size = terminal_size(asked)
                    if size is not None:
                        await application.resize(size)
                case ["ping", (int() | float() | str()) as number]:
                    await socket.send_json(["pong", number])
                case ["focus" | "blur", *_]:
                    pass
                case _:
                    return
        except (ValueError, RecursionError):
            return


async def _idle(typed: asyncio.Event, seconds: float) -> None:
    """Return once nobody has typed for so long."""
    with suppress(TimeoutError):
        while True:
            async with asyncio.timeout(seconds):
                await typed.wait()
            typed.clear()
