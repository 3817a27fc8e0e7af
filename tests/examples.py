"""How many examples properties try: a third in continuous integration, all by RINGFENCE_EXAMPLES=full.

A tenth where each takes a fifth of a second or more: whole policies are compiled, or a kernel loads them.
"""

from __future__ import annotations

import os

FULL = os.environ.get("RINGFENCE_EXAMPLES") == "full"


def examples(full: int) -> int:
    """Return how many of this many examples are tried."""
    return full if FULL else max(5, full // 3)


def costly_examples(full: int) -> int:
    """Return how many of this many examples are tried of which each takes long."""
    return full if FULL else max(5, full // 10)
