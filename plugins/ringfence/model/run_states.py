"""The states of a run whose process works."""

from __future__ import annotations

RUNNING = "running"
PAUSING = "pausing"  # a pause is wanted, and hosts of the wave before still work
PAUSED = "paused"  # it holds before a wave
LIVING = frozenset({RUNNING, PAUSING, PAUSED})
