"""Time spans as people write them: `90s`, `30m`, `4h`, `7d`."""

from __future__ import annotations

SPAN = r"^[0-9]{1,6}[smhd]$"
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(span: str) -> int:
    """Return the seconds of a span of this pattern, `10m`."""
    return int(span[:-1]) * SECONDS[span[-1]]
