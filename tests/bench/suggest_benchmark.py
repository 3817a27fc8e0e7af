"""Benchmark `suggest`: rules from kept flows, with their recall and excess reach beside two baselines.

RINGFENCE_BENCH_SUGGEST_FLOWS (10000000) says how many observations are kept, RINGFENCE_BENCH_SUGGEST_ASSETS (5000) of
how many hosts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ringfence.model.errors import OutsideError

from .habits import write_estate
from .result import Result, Target

FLOWS = int(os.environ.get("RINGFENCE_BENCH_SUGGEST_FLOWS", "10000000"))
ASSETS = int(os.environ.get("RINGFENCE_BENCH_SUGGEST_ASSETS", "5000"))
DIALS = ("tight", "balanced", "wide")


def run() -> Result:
    """Measure the work at every position of the dial, on the same files."""
    with TemporaryDirectory(prefix="ringfence-bench-") as directory:
        workspace = Path(directory) / "estate"
        meant = write_estate(workspace, ASSETS, FLOWS)
        found = {dial: _work(workspace, dial) for dial in DIALS}
        bare = _work(workspace, "bare")
    usual = found["balanced"]
    ours, pairs, apps = usual["held_out"]
    return Result(
        name="suggest",
        subject=f"{FLOWS:,} kept observations of {usual['flows']:,} flows, {ASSETS:,} hosts; a person would have "
        f"written {meant:,} rules.",
        seconds=usual["seconds"],
        peer=bare["seconds"],
        unit="CPU seconds",
        table=(
            ("dial", "rules", "recall", "of new flows", "reach", "never used", "CPU, s", "peak, MiB"),
            *(
                (
                    dial,
                    f"{one['rules']:,}",
                    f"{one['held_out'][0]['recall']:.2%}",
                    _part(one["held_out"][0]),
                    f"{one['held_out'][0]['reach']:,}",
                    f"{one['held_out'][0]['excess']:,}",
                    f"{one['seconds']:.1f}",
                    f"{one['peak']:.0f}",
                )
                for dial, one in found.items()
            ),
            *(
                (
                    one["name"],
                    f"{one['rules']:,}",
                    f"{one['recall']:.2%}",
                    _part(one),
                    f"{one['reach']:,}",
                    f"{one['excess']:,}",
                    "",
                    "",
                )
                for one in (pairs, apps)
            ),
        ),
        targets=(
            Target("suggest, CPU seconds", usual["seconds"], 60.0),
            Target("flows of the last quarter that are lost, times one rule per pair", _lost(ours) / _lost(pairs), 0.5),
            Target("pairs and services never used, times anything inside an app", ours["excess"] / apps["excess"], 0.1),
            Target("rules, times those that a person would have written", usual["rules"] / meant, 1.5),
        ),
        remarks=(
            "Recall: the rules are made from the first three quarters of the window, and asked about the last; of new "
            "flows, which had not been seen until then. Reach counts pairs of hosts and services.",
            "The habits are those of applications of several tiers in three environments, with infrastructure, calls "
            "between applications, hosts that are seen late, scans, and what was tried once.",
            "The peer is DuckDB's bare join of both ends to their labels and group-by of the same files.",
            "The whole work of the command counts, the simulation of the result included.",
        ),
    )


def _part(one: dict[str, int]) -> str:
    return f"{one['recalled_new'] / one['new']:.1%}" if one["new"] else "none"


def _lost(one: dict[str, int]) -> float:
    return max(1, one["flows"] - one["recalled"])


def _work(workspace: Path, dial: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.suggest_work", str(workspace), dial]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    if done.returncode:
        raise OutsideError(f"{dial}: {done.stderr[-800:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
