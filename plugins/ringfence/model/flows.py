"""Flows: who talked to whom, as a source reported it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Flow:
    """One aggregated flow.

    `client` and `server` are points of `ringfence.model.addresses`; `port` is the server's port (ICMP: the type, None
    where nobody said it; other protocols: 0); `protocol` an IP protocol number; times are UTC; `connections`,
    `packets`, `bytes` are counts of the time between `first_seen` and `last_seen`. Processes are a unit, a user and a
    program name where the host said them.
    """

    client: int
    server: int
    port: int | None
    protocol: int
    first_seen: datetime
    last_seen: datetime
    connections: int = 1
    packets: int = 0
    bytes: int = 0
    client_unit: str | None = None
    client_user: str | None = None
    client_process: str | None = None
    server_unit: str | None = None
    server_user: str | None = None
    server_process: str | None = None
    source: str = ""
