"""Who may come in: the exact Host, the unguessable path, the exact Origin, sizes of a terminal that exist."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from ipaddress import ip_address
from urllib.parse import urlsplit

TOKEN_BYTES = 32  # 256 bits
COLUMNS, LINES = range(20, 501), range(8, 201)
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Gate:
    """What a request has to say. `origin` is `http://127.0.0.1:8470`, without a path; the token is in no log."""

    origin: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES), repr=False)

    @property
    def address(self) -> str:
        """Return the address that opens the application."""
        return f"{self.origin}/{self.token}/"

    def refused(self, hosts: list[str], path: str, origins: list[str], *, socket: bool) -> int:
        """Return the status with which a request is refused, 0 for one that may come in.

        `hosts` and `origins` are all headers of the name that it has. A socket has to name its origin; a page that a
        person opens has none.
        """
        if hosts != [self.origin.partition("://")[2]]:
            return 403
        given = path.split("/", 2)[1] if path.startswith("/") else ""
        if not compare_digest(given.encode(errors="replace"), self.token.encode()):
            return 404
        if origins != [self.origin] and (socket or origins):
            return 403
        return 0


def terminal_size(asked: Mapping[str, object]) -> tuple[int, int] | None:
    """Return (columns, lines) as they are asked for, in text or as numbers; None for what no terminal has."""
    columns, lines = (_whole(asked.get(name)) for name in ("width", "height"))
    if columns in COLUMNS and lines in LINES:
        return columns, lines
    return None


def _whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,4}", value) else -1


def is_own(host: str) -> bool:
    """Return whether an address is one of this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def origin_of(address: str) -> str | None:
    """Return the origin of the address that people type, as browsers send it; None for what is no such address."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    bare = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in DEFAULT_PORTS or not re.fullmatch(r"[a-z0-9.-]+|[0-9a-f:]+", host) or not bare:
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port and port != DEFAULT_PORTS[parts.scheme] else "")
