"""The way to a host, as Ansible would take it: what it tells through a socket, with secrets that stay in memory."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from ringfence.rollout.private import private_directory

LONGEST = 1 << 20
# Seconds in which one worker of Ansible must have told its host's way.
WITHIN = 30


@dataclass(frozen=True, slots=True)
class Way:
    """How a host is reached: `command` is run here, `script` goes to its standard input.

    `prompt` asks for the password of root, after `success` a shell of root answers; both may be empty. `password` is
    what ssh asks for.
    """

    host: str
    command: tuple[str, ...]
    script: str = field(repr=False)
    prompt: str = ""
    success: str = ""
    become: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @staticmethod
    def of(data: Mapping[str, object]) -> Way:
        """Return the way of plain data. Raise ValueError for what is none."""
        command = data.get("command")
        texts = [data.get(name) for name in ("host", "script", "prompt", "success")]
        secrets = [data.get(name) for name in ("become", "password")]
        if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
            raise ValueError("no command")
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("no way")
        if not all(secret is None or isinstance(secret, str) for secret in secrets):
            raise ValueError("no secret")
        host, script, prompt, success = map(str, texts)
        become, password = (None if secret is None else str(secret) for secret in secrets)
        return Way(host, tuple(command), script, prompt, success, become, password)


@contextmanager
def told_ways() -> Iterator[tuple[Path, dict[str, Way]]]:
    """Give the socket on which ways are told, and the ways by host; they are complete when the context has ended."""
    ways: dict[str, Way] = {}
    with private_directory() as directory, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        path = directory / "ways"
        server.bind(str(path))
        server.listen(128)
        thread = threading.Thread(target=_listen, args=(server, ways), daemon=True)
        thread.start()
        try:
            yield path, ways
        finally:
            # who told before this did so before; the thread ends at what only we say
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as last:
                last.connect(str(path))
                last.sendall(b"\n")
            thread.join(WITHIN)


def _listen(server: socket.socket, ways: dict[str, Way]) -> None:
    scripts: dict[str, str] = {}  # one text for all hosts of an enforcer
    while True:
        try:
            link, _ = server.accept()
        except OSError:
            return
        with link:
            link.settimeout(WITHIN)
            try:
                line = link.makefile("rb").readline(LONGEST)
                if line == b"\n":
                    return
                way = Way.of(json.loads(line))
            except (OSError, ValueError, AttributeError):
                continue  # a worker that was stopped: its host has no way
            ways[way.host] = replace(way, script=scripts.setdefault(way.script, way.script))
