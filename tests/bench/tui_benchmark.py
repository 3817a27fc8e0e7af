"""Benchmark `tui`: the first useful screen beside a bare Textual application, and keys on a table of 50,000 rows.

Everything is measured on a terminal of our own: from `exec` to the bytes, and from a key to the first byte.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from ringfence.estate import Estate

from tests.tui.terminal import Terminal
from tests.unit.cli_shop import shop

from .result import Result, Target

REPEATS = 7
STEPS = 200
PAGES = 20
SIZES = {(80, 24): (2.0, 6.0), (120, 40): (2.5, 12.0), (200, 60): (4.0, 25.0)}
BARE = """
from textual.app import App
from textual.widgets import Label
class Bare(App):
    def compose(self):
        yield Label("useful")
Bare().run()
"""


def run() -> Result:
    """Measure starts in turns with the bare application, then keys at three sizes."""
    with TemporaryDirectory() as made:
        directory = shop(Path(made))
        Estate(directory).keep_snapshot()
        program = Path(sys.executable).parent / "ringfence"
        ours, bare = [], []
        for _ in range(REPEATS):
            bare.append(_until([sys.executable, "-c", BARE], "useful", directory))
            ours.append(_until([program], "labelled     4 of 4", directory))
    keys = {size: _keys(size) for size in SIZES}
    steps = sorted(one for _, times, _, _ in keys.values() for one in times)
    p95 = steps[int(0.95 * len(steps))]
    stall = max(stalled for _, _, _, stalled in keys.values())
    rows = [
        (f"{size[0]}×{size[1]}", f"{step:.0f}", f"{page:.0f}", f"{1000 * median(times):.1f}")
        for size, ((step, page), times, _, _) in keys.items()
    ]
    targets = [Target("seconds above a bare Textual application", median(ours) - median(bare), 0.45)]
    targets += [Target("first byte of a key, median, ms", 1000 * median(steps), 25), Target("95 %, ms", 1000 * p95, 60)]
    for size, ((step, page), _, _, _) in keys.items():
        most_step, most_page = SIZES[size]
        targets.append(Target(f"kB of a cursor key, {size[0]}×{size[1]}", step / 1000, most_step))
        targets.append(Target(f"kB of a page, {size[0]}×{size[1]}", page / 1000, most_page))
    return Result(
        name="tui",
        subject="The terminal application: from exec to the first useful screen, and keys on 50,000 rows.",
        seconds=median(ours),
        peer=median(bare),
        unit="s to the first useful screen; peer: a bare Textual application",
        table=(("size", "bytes of a cursor key", "bytes of a page", "first byte, ms"), *rows),
        targets=tuple(targets),
        remarks=("The screen has the assets of the kept snapshot; tables and flows come behind it.",),
        more={
            "bare": median(bare),
            "above_bare": median(ours) - median(bare),
            "key_median_ms": 1000 * median(steps),
            "key_p95_ms": 1000 * p95,
            "bytes_key": keys[(80, 24)][0][0],
            "stall_ms": stall,
            "rss_mib": max(rss for _, _, rss, _ in keys.values()),
        },
    )


def _until(argv: list[str | Path], text: str, directory: Path) -> float:
    began = time.monotonic()
    with Terminal(argv, cwd=directory) as terminal:
        terminal.wait_for(text)
        return time.monotonic() - began


def _keys(size: tuple[int, int]) -> tuple[tuple[float, float], list[float], float, float]:
    """Return the bytes of a cursor key and of a page, the times of first bytes, MiB, and the longest stall in ms."""
    with TemporaryDirectory() as made:
        beats = Path(made) / "beats"
        with Terminal([sys.executable, "-m", "tests.tui.many_rows"], size, env={"RINGFENCE_BEATS": str(beats)}) as one:
            one.wait_for("host-00007")
            one.settle(0.5)
            times = []
            before = len(one.written)
            for _ in range(STEPS):
                times.append(one.first_byte("down"))
                one.settle(0.02)
            step = (len(one.written) - before) / STEPS
            before = len(one.written)
            for _ in range(PAGES):
                one.press("pagedown")
                one.settle(0.05)
            page = (len(one.written) - before) / PAGES
            status = Path(f"/proc/{one.pid}/status").read_text()
            found = re.search(r"VmRSS:\s+(\d+)", status)
            one.press("q")
            one.wait_end()
        stall = float(beats.read_text()) if beats.exists() else 0.0
    return (step, page), times, int(found[1]) / 1024 if found else 0.0, stall
