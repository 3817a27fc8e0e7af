"""What a conformance run says of itself."""

from __future__ import annotations

from .runs import PROBES, SEED


def pytest_report_header() -> str:
    """Return how many probes are made and how their cases are drawn."""
    chance = "the same cases at every run" if SEED is None else f"RINGFENCE_CONFORMANCE_SEED={SEED}"
    return f"conformance: at least {PROBES} probes for each kind of lab host, {chance}"
