"""What a workspace says of watching: when a violation counts as fixed, what a scan is, and who is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DAY = 86400


class Sends(StrEnum):
    """What a sink gets: violations as they come and change, everything that is denied or would be, or all flows too."""

    VIOLATIONS = "violations"
    DENIALS = "denials"
    FLOWS = "flows"


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """One receiver of events: a `kind` (`webhook`, `syslog` or `file`) and where it is.

    `token_file` (relative to the workspace) or `token_env` names what a webhook is given as a bearer token.
    """

    kind: str
    target: str
    sends: Sends = Sends.VIOLATIONS
    token_file: str = ""
    token_env: str = ""


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """How hosts are watched.

    A violation that was not seen for `fixed_after` seconds is fixed. A client that `scan_targets` different servers or
    ports refuse, or leave without an answer, within `scan_within` seconds scans.
    """

    fixed_after: int = 7 * DAY
    scan_targets: int = 20
    scan_within: int = 10
    sinks: tuple[SinkSettings, ...] = ()


WATCH_DEFAULTS = WatchSettings()
