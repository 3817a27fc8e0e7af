"""Benchmarks for people: a few lines on the terminal, and the page docs/benchmarks.md."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

PAGE = Path(__file__).resolve().parents[2] / "docs/benchmarks.md"
KEPT = "<!-- figures "
HEAD = """# Benchmarks

`make bench` says what the machine lacks for it, measures all of this and writes this page. `python -m tests.bench NAME
--json` measures one and prints its figures as its last line; with `--page` they come here. We and the peer run in the
same run, in turns, and the median counts. Seconds of CPU are those of every process that did the work; where other work
shares the machine they say more than the clock.
"""


def text(result: Mapping[str, object]) -> str:
    """Return a result for the terminal."""
    return "\n".join([f"\n── {result['name']}: {result['subject']}", *_lines(result)])


def page(results: Iterable[Mapping[str, object]]) -> None:
    """Write the page: these results, and of benchmarks that were not run the ones that it already has."""
    known = {str(one["name"]): one for one in (*_kept(), *results)}
    parts = [HEAD]
    for name, result in known.items():
        parts.append(
            f"## {name}\n\n{result['subject']}\n\n`python -m tests.bench {name} --json`, {result['machine']}\n"
        )
        parts.append("\n".join(_lines(result)) + "\n")
    kept = "\n".join(f"{KEPT}{json.dumps(result)} -->" for result in known.values())
    PAGE.write_text("\n".join([*parts, kept]) + "\n")


def machine() -> str:
    """Return the machine and the day of a measurement in a few words."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} × {model}, {gigabytes:.0f} GiB, "
        f"kernel {platform.release().partition('-')[0]}, Python {platform.python_version()}, "
        f"load average {os.getloadavg()[0]:.0f} at the end, {datetime.now(UTC):%Y-%m-%d}"
    )


def _kept() -> Iterator[Mapping[str, object]]:
    if PAGE.exists():
        for line in PAGE.read_text().splitlines():
            if line.startswith(KEPT):
                yield json.loads(line.removeprefix(KEPT).removesuffix(" -->"))


def _lines(result: Mapping[str, object]) -> Iterator[str]:
    heads, *rows = cast("list[list[str]]", result["table"])
    yield from (_row(heads), _row(["---"] * len(heads)), *map(_row, rows))
    yield ""
    yield f"Ours {result['seconds']}, peer {result['peer']} {result['unit']}: ratio {result['ratio']}."
    for what, measured, limit, met in cast("list[list[object]]", result["targets"]):
        yield f"- {'met' if met else '**missed**'}: {what}: {measured} (target {limit})"
    yield from (f"- {remark}" for remark in cast("list[str]", result["remarks"]))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
