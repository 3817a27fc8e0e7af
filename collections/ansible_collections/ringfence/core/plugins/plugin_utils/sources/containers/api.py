"""Asks Docker and Podman for their containers and networks, over a socket, TLS or ssh, by the interface both have."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

Answered = Mapping[str, object]
DOCKER_SOCKET = "/var/run/docker.sock"
_LARGEST = 256 * 1024 * 1024


@dataclass(frozen=True)
class Engine:
    """A Docker or Podman: the host that it runs on, its URL (`unix:`, `tcp:`, `https:`, `ssh:`), and its TLS files."""

    host: str
    url: str
    ca_certs: str | None = None
    client_cert: str | None = None
    client_key: str | None = None


@dataclass(frozen=True)
class EngineAnswer:
    """What an engine has, or why it was not reached; `rootless` says that an ordinary user runs it."""

    engine: Engine
    containers: Sequence[Answered] = ()
    networks: Mapping[str, Answered] = field(default_factory=dict)
    version: str = ""
    rootless: bool = False
    failure: str = ""


class EngineRefused(Exception):
    """An engine gave no answer that can be used."""


def ask_engines(
    engines: Sequence[Engine], filters: Mapping[str, Sequence[str]], timeout: int, parallel: int
) -> list[EngineAnswer]:
    """Return the answer of every engine, in their order; one that fails says why."""
    with ThreadPoolExecutor(max_workers=max(1, parallel)) as pool:
        return list(pool.map(lambda engine: _ask(engine, filters, timeout), engines))


def _ask(engine: Engine, filters: Mapping[str, Sequence[str]], timeout: int) -> EngineAnswer:
    wanted = f"/containers/json?all=1&filters={quote(json.dumps(dict(filters)))}"
    try:
        with _connection(engine, timeout) as connection:
            version = _get(connection, "/version")
            containers = _get(connection, wanted)
            networks = _get(connection, "/networks")
            rootless = _is_rootless(connection)
    except (OSError, http.client.HTTPException, EngineRefused, ValueError) as error:
        return EngineAnswer(engine, failure=str(error) or type(error).__name__)
    if not isinstance(containers, list) or not isinstance(networks, list) or not isinstance(version, dict):
        return EngineAnswer(engine, failure="its answer is not one of the Docker API")
    return EngineAnswer(
        engine,
        [one for one in containers if isinstance(one, dict)],
        {str(one.get("Name")): one for one in networks if isinstance(one, dict)},
        _name_of(version),
        rootless,
    )


def _is_rootless(connection: http.client.HTTPConnection) -> bool:
    """Return whether an engine says that it has no root; one behind a proxy that refuses the question says nothing."""
    try:
        told = _get(connection, "/info")
    except (EngineRefused, ValueError):
        return False
    options = told.get("SecurityOptions") if isinstance(told, dict) else None
    return isinstance(options, list) and "name=rootless" in options


def _name_of(version: Answered) -> str:
    parts = version.get("Components")
    first = parts[0] if isinstance(parts, list) and parts and isinstance(parts[0], dict) else {}
    return " ".join(str(word) for word in (first.get("Name"), version.get("Version")) if word)


def _get(connection: http.client.HTTPConnection, path: str) -> object:
    connection.request("GET", path, headers={"Host": "localhost", "Accept": "application/json"})
    response = connection.getresponse()
    content = response.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise EngineRefused(f"its answer to {path.partition('?')[0]} is larger than {_LARGEST >> 20} MiB")
    if response.status != 200:
        said = content[:200].decode(errors="replace").strip()
        raise EngineRefused(f"{path.partition('?')[0]}: {response.status} {response.reason}: {said}")
    return json.loads(content)


@contextmanager
def _connection(engine: Engine, timeout: int) -> Iterator[http.client.HTTPConnection]:
    parts = urlsplit(engine.url)
    if parts.scheme == "ssh":
        with _through_ssh(engine.url, timeout) as path:
            yield from _closing(_Unix(path, timeout))
    elif parts.scheme == "unix":
        yield from _closing(_Unix(parts.path or DOCKER_SOCKET, timeout))
    elif parts.scheme in ("tcp", "http", "https") and parts.hostname:
        secure = parts.scheme == "https" or engine.ca_certs is not None or engine.client_cert is not None
        port = parts.port or (2376 if secure else 2375)
        if not secure:
            yield from _closing(http.client.HTTPConnection(parts.hostname, port, timeout=timeout))
            return
        context = ssl.create_default_context(cafile=engine.ca_certs)
        if engine.client_cert is not None:
            context.load_cert_chain(engine.client_cert, engine.client_key)
        yield from _closing(http.client.HTTPSConnection(parts.hostname, port, timeout=timeout, context=context))
    else:
        raise EngineRefused(f"'{engine.url}' is not a valid engine URL: write unix:///…, tcp://host:2376 or ssh://host")


def _closing(connection: http.client.HTTPConnection) -> Iterator[http.client.HTTPConnection]:
    try:
        yield connection
    finally:
        connection.close()


class _Unix(http.client.HTTPConnection):
    """An HTTP connection over a socket of the file system."""

    def __init__(self, path: str, timeout: int) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except OSError as error:
            raise EngineRefused(f"{self._path}: {error.strerror or error}") from error


@contextmanager
def _through_ssh(url: str, timeout: int) -> Iterator[str]:
    """Give a socket that ssh forwards to the engine's own, `ssh://user@host:port/path`; ssh's configuration counts."""
    parts = urlsplit(url)
    if not parts.hostname or parts.hostname.startswith("-") or (parts.username or "").startswith("-"):
        raise EngineRefused(f"'{url}' has no host")
    target = f"{parts.username}@{parts.hostname}" if parts.username else parts.hostname
    port = ["-p", str(parts.port)] if parts.port else []
    with tempfile.TemporaryDirectory(prefix="ringfence-") as directory:
        path = str(Path(directory) / "engine.sock")
        options = ["-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-o", f"ConnectTimeout={timeout}"]
        forward = ["-L", f"{path}:{parts.path.rstrip('/') or DOCKER_SOCKET}"]
        command = ["ssh", "-nNT", *options, *port, *forward, "--", target]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            _await(path, process, timeout)
            yield path
        finally:
            process.terminate()
            process.communicate()


def _await(path: str, process: subprocess.Popen[bytes], timeout: int) -> None:
    deadline = time.monotonic() + timeout + 5
    while not Path(path).exists():
        if process.poll() is not None:
            said = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
            raise EngineRefused(f"ssh ended: {said or f'status {process.returncode}'}")
        if time.monotonic() > deadline:
            raise EngineRefused("ssh did not connect in time")
        time.sleep(0.05)
