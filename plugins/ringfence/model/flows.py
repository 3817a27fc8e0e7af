"""Flows: who talked to whom, as a source reported it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

# What became of an attempt to connect, as the sensor saw it.
ANSWERED = "answered"
UNANSWERED = "unanswered"
REFUSED = "refused"
OUTCOMES = (ANSWERED, UNANSWERED, REFUSED)


@dataclass(frozen=True, slots=True)
class Flow:
    """One aggregated flow.

    `client` and `server` are points of `ringfence.model.addresses`; `port` is the server's port (ICMP: the type, None
    where nobody said it; other protocols: 0); `protocol` an IP protocol number; times are UTC; `connections`,
    `packets`, `bytes` are counts of the time between `first_seen` and `last_seen`. Processes are a unit, a user and a
    program name where the host said them. `outcome` is one of `OUTCOMES`; `direction_by` the reason why `client` is the
    client where a reader had to find out, `""` where the source names it; `attributes` is what the source says besides,
    an object of JSON as text, `""` where that is nothing.
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
    outcome: str = ANSWERED
    direction_by: str = ""
    attributes: str = ""
