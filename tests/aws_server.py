"""AWS for tests: moto's server as a process of its own on loopback, and a door before it that can refuse and remember.

moto answers as AWS does and never fails; the door lets a region refuse, throttles, and for benchmarks keeps answers, so
that moto's own time, tens of seconds for thousands of instances, is spent once.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.etree import ElementTree

_SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")
_REFUSAL = (
    "<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors><RequestID>1</RequestID></Response>"
)
_MANAGED = ("Route 53 Resolver:", "AWS created network interface for")
_DENIAL = (
    b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>You may not assume it.</Message>"
    b"</Error><RequestId>1</RequestId></ErrorResponse>"
)
_STATES = re.compile(r"&Filter\.1\.Name=instance-state-name(&Filter\.1\.Value\.\d+=\w+)+")


class MotoServer:
    """moto's server; its state is its process's."""

    def __init__(self, patience: float = 90) -> None:
        self.port = _free_port()
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + patience
        while not _answers(self.port):
            if time.monotonic() > end or self._process.poll() is not None:
                self.close()
                raise OSError("moto's server did not start")
            time.sleep(0.2)

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait(30)


@dataclass
class Door:
    """Forwards to moto; `refused` says which regions answer with an error code, `throttled` how many calls yet do.

    `closed` are accounts whose roles nobody may assume, `calls_refused` what EC2 does in no region.
    """

    port: int
    refused: dict[str, str] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    calls_refused: set[str] = field(default_factory=set)
    throttled: int = 0
    keeps: bool = False
    calls: Counter[str] = field(default_factory=Counter)
    _kept: dict[tuple[str, str], tuple[int, str, bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, kind, answer = door.answer(self.path, dict(self.headers), body)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        """Return the status, content type and body that a call gets."""
        text = body.decode(errors="replace")
        scope = _SCOPE.search(headers.get("Authorization", ""))
        region, service = (scope[2], scope[3]) if scope else ("", "")
        action = re.search(r"Action=(\w+)", text)
        self.calls[f"{region} {action[1] if action else service}"] += 1
        if service == "sts" and any(f"iam%3A%3A{account}%3A" in text for account in self.closed):
            return 403, "text/xml", _DENIAL
        if service == "ec2" and (region in self.refused or (action and action[1] in self.calls_refused)):
            code = self.refused.get(region, "UnauthorizedOperation")
            return 403, "text/xml", _REFUSAL.format(code, "You are not authorized.").encode()
        if service == "ec2" and self.throttled:
            self.throttled -= 1
            return 503, "text/xml", _REFUSAL.format("RequestLimitExceeded", "Request limit exceeded.").encode()
        # All instances of the benchmark run: a filter for their state changes nothing, but costs moto a minute.
        key = (region, _STATES.sub("", text))
        if self.keeps and key in self._kept:
            return self._kept[key]
        answer = self._forwarded(path, headers, key[1].encode() if self.keeps else body)
        if self.keeps:
            self._kept[key] = answer
        elif action and action[1] == "DescribeNetworkInterfaces" and answer[0] == 200:
            return *answer[:2], _with_managed(answer[2])
        return answer

    def _forwarded(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=900)
        try:
            same = {
                name: value for name, value in headers.items() if name.lower() not in ("content-length", "connection")
            }
            connection.request("POST", path, body, same)
            response = connection.getresponse()
            return response.status, response.getheader("Content-Type", "text/xml"), response.read()
        finally:
            connection.close()


def _with_managed(answer: bytes) -> bytes:
    """Return interfaces of directories and resolvers as managed by AWS; moto tells them by description alone."""
    root = ElementTree.fromstring(answer)
    namespace = root.tag.partition("}")[0] + "}"
    for item in root.iterfind(f"{namespace}networkInterfaceSet/{namespace}item"):
        managed = item.find(f"{namespace}requesterManaged")
        if managed is not None and item.findtext(f"{namespace}description", "").startswith(_MANAGED):
            managed.text = "true"
    return ElementTree.tostring(root)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/moto-api/data.json")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
