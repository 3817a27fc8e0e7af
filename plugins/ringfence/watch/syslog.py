"""Syslog by RFC 5424: over UDP (RFC 5426), TCP with counted octets (RFC 6587, 3.4.1), or a socket of this machine."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

SECONDS = 5.0
PORTS = {"udp": 514, "tcp": 601}
# Facility local0 (16), severity warning (4) and informational (6): RFC 5424, 6.2.1.
WARNING, INFORMATIONAL = 16 * 8 + 4, 16 * 8 + 6
# What every receiver takes over UDP is 2,048 octets (RFC 5424, 6.1).
LONGEST = 2048
NIL = "-"


class Syslog:
    """Sends each message as the JSON that it is, with the kind of event as its MSGID."""

    def __init__(self, target: str) -> None:
        self.name = target
        parts = urlsplit(target)
        self._scheme = parts.scheme
        self._path = parts.path
        self._host = parts.hostname or ""
        self._port = parts.port or PORTS.get(parts.scheme, 0)
        self._socket: socket.socket | None = None
        self._node = "".join(one for one in socket.gethostname() if "!" <= one <= "~")[:255] or NIL

    def send(self, messages: Sequence[Mapping[str, object]]) -> None:
        """Send messages; a connection that has ended is made anew once. Raise OSError where that does not help."""
        lines = [self.line(message) for message in messages]
        try:
            self._send(lines)
        except OSError:
            self.close()
            self._send(lines)

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def line(self, message: Mapping[str, object]) -> bytes:
        """Return a message as its octets, cut where a receiver need not take more."""
        kind = str(message.get("event", "event"))
        priority = INFORMATIONAL if kind == "allowed" else WARNING
        time = str(message.get("time", NIL))
        head = f"<{priority}>1 {time} {self._node} ringfence {os.getpid()} {kind[:32]} - "
        return (head + json.dumps(message)).encode("ascii", "replace")[:LONGEST]

    def _send(self, lines: Sequence[bytes]) -> None:
        if self._socket is None:
            self._socket = self._connected()
        for line in lines:
            self._socket.sendall(b"%d %s" % (len(line), line) if self._scheme == "tcp" else line)

    def _connected(self) -> socket.socket:
        if self._scheme == "unix":
            made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            made.settimeout(SECONDS)
            made.connect(self._path)
            return made
        if self._scheme == "tcp":
            return socket.create_connection((self._host, self._port), timeout=SECONDS)
        family, kind, protocol, _, address = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)[0]
        made = socket.socket(family, kind, protocol)
        made.settimeout(SECONDS)
        made.connect(address)
        return made
