"""Benchmark `tui`: the terminal application's start beside a bare Textual one, and its answers to keys.

RINGFENCE_BENCH_TUI_ASSETS (50000) and RINGFENCE_BENCH_TUI_FLOWS (1000000) say how large the estate under the keys is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from .result import Result, Target
from .tui_measured import SIZES, Answers, answers, demo_estate, environment, large_estate, start

ASSETS = int(os.environ.get("RINGFENCE_BENCH_TUI_ASSETS", "50000"))
FLOWS = int(os.environ.get("RINGFENCE_BENCH_TUI_FLOWS", "1000000"))
REPEATS = 9
BARE = [sys.executable, "-m", "tests.bench.tui_program", "bare"]
OURS = [str(Path(sys.executable).parent / "ringfence")]
USEFUL = "labelled"  # the overview has counted the assets
BYTES = {"cursor": (2_000, 2_500, 4_000), "page": (6_000, 12_000, 25_000), "screen": (12_000, 24_000, 50_000)}


def run() -> Result:
    """Measure starts in turns, then keys."""
    with TemporaryDirectory(prefix="ringfence-bench-") as name:
        directory = Path(name)
        env = environment(directory)
        bare, useful = _starts(demo_estate(directory), env)
        found = answers(large_estate(directory, ASSETS, FLOWS), ASSETS, directory, env)
    medians = {when: median(times) for when, times in found.first.items()}
    late = {when: quantiles(times, n=20)[-1] for when, times in found.first.items()}
    (standing, held_by), (opening, opened_by) = (
        found.held.get(what, (0.0, "none")) for what in ("standing", "opening")
    )
    return Result(
        name="tui",
        subject="The terminal application: from exec to the overview of the demo estate, beside a bare Textual "
        f"application; keys on {ASSETS:,} assets and {FLOWS:,} distinct flows.",
        seconds=useful,
        peer=bare,
        unit="seconds by the clock",
        table=(
            ("what", "", "80×24", "120×40", "200×60"),
            ("first useful screen", "s", "", f"{useful:.2f}", ""),
            ("bare Textual application", "s", "", f"{bare:.2f}", ""),
            *(
                (f"key, first byte, {when}", "ms, median / p95", "", _two(medians[when], late[when]), "")
                for when in late
            ),
            *((f"{what}, whole answer", "bytes", *_bytes(found, what)) for what in BYTES),
            ("longest handler, standing screen", "ms of CPU", "", f"{standing:.0f}", ""),
            ("longest handler, screen opened or resized", "ms of CPU", "", f"{opening:.0f}", ""),
            ("memory of the screen's process", "MiB", "", f"{found.megabytes:.0f}", ""),
        ),
        targets=(
            Target("first useful screen, seconds above the bare application", useful - bare, 0.45),
            Target("key, first byte, ms, median, at rest or beside a simulation", max(medians.values()), 25),
            Target("key, first byte, ms, 95th percentile, the same", max(late.values()), 60),
            *(
                Target(f"{what}, bytes at {columns}×{lines}", found.median_bytes(what, columns), limit)
                for what, limits in BYTES.items()
                for (columns, lines), limit in zip(SIZES, limits, strict=True)
            ),
            Target("longest handler on a standing screen, ms of CPU", standing, 30),
            Target("longest handler while a screen is opened or resized, ms of CPU", opening, 150),
        ),
        remarks=(
            f"Starts are medians of {REPEATS} in turns, of modules that were compiled before.",
            "Keys and bytes are those of a pty at 120×40: 50 cursor keys and 10 pages, each once the answer before was "
            "whole. The whole answer to a key has the detail of the row, which the engine is asked for.",
            "A handler is one callback of the event loop with all that it calls, painting included; processor time of "
            "its thread, which other work on the machine does not lengthen.",
            f"The longest were, standing: {held_by}; opened: {opened_by}.",
        ),
        more={
            "bare": bare,
            "above_bare": useful - bare,
            "key_median_ms": max(medians.values()),
            "key_p95_ms": max(late.values()),
            "bytes_key": found.median_bytes("cursor", SIZES[1][0]),
            "stall_ms": standing,
            "opening_ms": opening,
            "rss_mib": found.megabytes,
        },
    )


def _starts(workspace: Path, env: dict[str, str]) -> tuple[float, float]:
    """Return the median seconds of a bare application and of ours; the first of each, which compiles, do not count."""
    bare, useful = [], []
    for _ in range(REPEATS + 1):
        bare.append(start(BARE, workspace, "Here it is", env))
        useful.append(start(OURS, workspace, USEFUL, env))
    return median(bare[1:]), median(useful[1:])


def _two(middle: float, late: float) -> str:
    return f"{middle:.1f} / {late:.1f}"


def _bytes(found: Answers, what: str) -> tuple[str, ...]:
    return tuple(f"{found.median_bytes(what, columns):,.0f}" for columns, _ in SIZES)
