"""Sinks: who is told of events. Each has a queue of its own: one that is slow or dead never stops the watch."""

from __future__ import annotations

import errno
import json
import os
import queue
import stat
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Protocol

from ringfence.files import READABLE
from ringfence.model.errors import InputError, Place
from ringfence.model.watch_settings import Sends, SinkSettings
from ringfence.watch.events import DENIALS, WatchEvent
from ringfence.watch.syslog import Syslog
from ringfence.watch.violations import Violation, event_data
from ringfence.watch.webhook import Webhook

QUEUED = 1000
# Messages that are sent at once, to sinks that take several.
AT_ONCE = 100
# Seconds that sinks get for what is still queued when the watch ends.
TO_END = 3.0

Message = Mapping[str, object]


class Sender(Protocol):
    """Sends messages, or raises OSError after it tried in vain; `name` says where to, without secrets."""

    name: str

    def send(self, messages: Sequence[Message]) -> None:
        """Send messages in order."""

    def close(self) -> None:
        """End what is open."""


class Sink:
    """A thread that hands queued messages to a sender; what finds the queue full, or cannot be sent, is counted."""

    def __init__(self, sender: Sender, sends: Sends) -> None:
        self.name = sender.name
        self.sent = 0
        self.dropped = 0
        self.trouble = ""
        self._sends = sends
        self._sender = sender
        self._queue: queue.Queue[Message | None] = queue.Queue(QUEUED)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"sink {self.name}")
        self._thread.start()

    def violation(self, one: Violation) -> None:
        """Take a violation that is new."""
        self._put({"event": "violation", "time": one.data()["last_seen"], "violation": one.data()})

    def event(self, event: WatchEvent) -> None:
        """Take an event, if this sink wants it."""
        if self._sends is Sends.FLOWS or (self._sends is Sends.DENIALS and event.kind in DENIALS):
            self._put(event_data(event))

    def end(self, until: float) -> None:
        """Send what is queued until a time of the monotonic clock, and stop."""
        self._over.set()
        with suppress(queue.Full):
            self._queue.put(None, timeout=max(0.0, until - monotonic()))
        self._thread.join(max(0.0, until - monotonic()))
        self.dropped += self._queue.qsize()

    def data(self) -> dict[str, object]:
        """Return what became of its messages, for JSON."""
        return {"sink": self.name, "sent": self.sent, "dropped": self.dropped, "trouble": self.trouble}

    def _put(self, message: Message) -> None:
        try:
            self._queue.put_nowait(message)
        except queue.Full:
            self.dropped += 1

    def _run(self) -> None:
        while (message := self._queue.get()) is not None:
            batch = [message]
            last = False
            while len(batch) < AT_ONCE:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    last = True
                    break
                batch.append(more)
            try:
                self._sender.send(batch)
                self.sent += len(batch)
                self.trouble = ""
            except (OSError, ValueError) as error:  # ValueError: an address that no library takes
                self.dropped += len(batch)
                self.trouble = getattr(error, "strerror", None) or str(error) or type(error).__name__
            if last:
                break
        with suppress(OSError):
            self._sender.close()


class JsonLines:
    """Appends each message to a regular file as a line of JSON."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        # opening a pipe that nobody reads would wait forever
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, READABLE)
        self._torn = False
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            self.close()
            raise FileExistsError(errno.EEXIST, "it is not a regular file")

    def send(self, messages: Sequence[Message]) -> None:
        """Write messages; a reader sees whole lines. What a full disk tore is ended before the next line."""
        text = "".join(json.dumps(message) + "\n" for message in messages).encode()
        if self._torn:
            text = b"\n" + text
        while text:
            written = os.write(self._descriptor, text)
            self._torn = not text[:written].endswith(b"\n")
            text = text[written:]

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def opened(settings: Sequence[SinkSettings], directory: Path) -> list[Sink]:
    """Return the sinks of a workspace's settings. Raise InputError for a token or a file that is not to be had."""
    senders = [(_sender(one, directory), one.sends) for one in settings]
    return [Sink(sender, sends) for sender, sends in senders]


def ended(sinks: Sequence[Sink]) -> None:
    """End all sinks together, in a few seconds."""
    until = monotonic() + TO_END
    for sink in sinks:
        sink.end(until)


def _sender(one: SinkSettings, directory: Path) -> Sender:
    if one.kind == "webhook":
        return Webhook.of(one, directory)
    if one.kind == "syslog":
        return Syslog(one.target)
    path = directory / one.target
    try:
        return JsonLines(path)
    except OSError as error:
        raise InputError(f"this file cannot be written: {error.strerror}", Place(str(path))) from error
