"""How many examples properties try: a third in continuous integration, all by RINGFENCE_EXAMPLES=full."""

from __future__ import annotations

import os

FULL = os.environ.get("RINGFENCE_EXAMPLES") == "full"


def examples(full: int) -> int:
    """Return how many of this many examples are tried."""
    return full if FULL else max(5, full // 3)
