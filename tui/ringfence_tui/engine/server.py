"""The engine process' loop: reads questions, answers each in a thread of its own, and ends with its socket."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
import traceback

from ringfence.model.errors import RingfenceError
from ringfence.rollout.cancellation import Cancelled
from ringfence.sources.lifeline import let_go

from ringfence_tui.engine.protocol import HEAD, Answer, Ask, Cancel, Failure, Part, Said, packed, unpacked
from ringfence_tui.engine.questions import find
from ringfence_tui.engine.session import EngineSession, Tell

HEEDS_WITHIN = 1.5  # seconds that cancelled work has to end before the process does


class Server:
    """Answers the questions that come over a socket."""

    def __init__(self, session: EngineSession, connection: socket.socket) -> None:
        self.session = session
        self.connection = connection
        self._stream = connection.makefile("rb")
        self._sending = threading.Lock()
        self._running: dict[int, tuple[Tell, threading.Thread]] = {}
        self._known = threading.Lock()

    def serve(self) -> None:
        """Answer until the other end is closed; then cancel what runs, give it a moment, and end the process."""
        while (message := self._next()) is not None:
            match message:
                case Ask():
                    self._begin(message)
                case Cancel(number):
                    with self._known:
                        found = self._running.get(number)
                    if found is not None:
                        found[0].cancel.cancel()
        self._end()

    def _next(self) -> object | None:
        try:
            head = self._stream.read(HEAD.size)
            if len(head) < HEAD.size:
                return None
            (length,) = HEAD.unpack(head)
            return unpacked(self._stream.read(length))
        except (OSError, EOFError):
            return None

    def _begin(self, asked: Ask) -> None:
        tell = Tell(lambda part: self._send(Part(asked.number, part)))
        thread = threading.Thread(target=self._answer, args=(asked, tell), name=asked.question, daemon=True)
        with self._known:
            self._running[asked.number] = (tell, thread)
        thread.start()

    def _answer(self, asked: Ask, tell: Tell) -> None:
        try:
            result = find(asked.question)(self.session, asked.request, tell)
            if not tell.cancel.wanted:
                self._send(Answer(asked.number, result))
        except Cancelled:
            pass
        except RingfenceError as error:
            if not tell.cancel.wanted:
                self._send(Failure(asked.number, _told(error)))
        except Exception as error:  # noqa: BLE001  # a question that fails is told, and ends no other
            if not tell.cancel.wanted:
                traceback.print_exc(file=sys.stderr)
                self._send(Failure(asked.number, (_unforeseen(asked.question, error),)))
        finally:
            with self._known:
                self._running.pop(asked.number, None)

    def _send(self, message: Said) -> None:
        try:
            data = packed(message)
        except Exception as error:
            if isinstance(message, Failure):
                raise
            raise TypeError(f"what it answers cannot be sent: {error}") from error
        try:
            with self._sending:
                self.connection.sendall(data)
        except OSError as error:
            raise Cancelled from error  # nobody is there to hear it

    def _end(self) -> None:
        with self._known:
            running = list(self._running.values())
        for tell, _ in running:
            tell.cancel.cancel()
        let_go()
        until = time.monotonic() + HEEDS_WITHIN
        for _, thread in running:
            thread.join(max(0.0, until - time.monotonic()))
        if spills := sys.modules.get("ringfence.flows.database"):
            spills.delete_spilled()
        os._exit(0)


def _told(error: RingfenceError) -> tuple[tuple[str, str, str], ...]:
    errors: tuple[RingfenceError, ...] = tuple(getattr(error, "errors", (error,)))
    return tuple((one.message, str(one.place or ""), one.remedy or "") for one in errors)


def _unforeseen(question: str, error: Exception) -> tuple[str, str, str]:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror, str(error.filename or ""), "is it there, may you read and write it, is the disk full?"
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
    said = f"{type(error).__name__}: {error}".removesuffix(": ")
    return f"{question} failed: {said}", where, "this is a fault of Ringfence's: please report it"
