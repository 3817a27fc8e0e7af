"""Benchmark `ingest`: gzipped VPC flow logs into the store, beside DuckDB's bare CSV reader of the same files.

RINGFENCE_BENCH_RECORDS (2000000) says about how many records there are.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from ringfence.model.errors import OutsideError

from .flow_logs import write_logs
from .result import Result, Target

RECORDS = int(os.environ.get("RINGFENCE_BENCH_RECORDS", "2000000"))
FILES = 8
REPEATS = 3
OURS, PEER = "into the store", "into one Parquet file"
AGAIN, LATER = "the same files again", "the last file alone, after the others"
Found = dict[str, float]


def run() -> Result:
    """Measure both in turns, each in a process of its own."""
    with TemporaryDirectory(prefix="ringfence-bench-") as directory:
        logs = Path(directory) / "logs"
        records = write_logs(logs, RECORDS, FILES)
        packed = sum(path.stat().st_size for path in logs.iterdir())
        rounds = [_round(Path(directory) / str(number), logs) for number in range(REPEATS)]
    found = {
        name: {key: median(one[name][key] for one in rounds) for key in ("cpu", "wall", "peak")} for name in rounds[0]
    }
    if {one[OURS]["connections"] for one in rounds} != {one[LATER]["connections"] for one in rounds}:
        raise OutsideError("files added together and one after another did not make the same connections")
    ratio = found[OURS]["cpu"] / found[PEER]["cpu"]
    return Result(
        name="ingest",
        subject=f"{records:,} records of VPC flow logs in {FILES} gzip files of {packed / 2**20:.0f} MiB in all.",
        seconds=found[OURS]["cpu"],
        peer=found[PEER]["cpu"],
        unit="CPU seconds",
        table=(
            ("work", "CPU, s", "by the clock, s", "records a second of CPU", "peak, MiB"),
            *(
                (name, f"{one['cpu']:.2f}", f"{one['wall']:.2f}", f"{records / one['cpu']:,.0f}", f"{one['peak']:.0f}")
                for name, one in found.items()
            ),
        ),
        targets=(
            Target("into the store, times DuckDB's bare CSV reader, CPU", ratio, 2.0),
            Target("peak MiB", found[OURS]["peak"], 4096),
        ),
        remarks=(
            "The peer reads the files with `read_csv` and writes what stands in them. The store checks every value, "
            "puts the records of each connection together, finds client and server, and keeps records and flows.",
            f"Medians of {REPEATS} runs in turns, each in a process of its own, its start included.",
        ),
        more={"rows_per_second": records / found[OURS]["cpu"]},
    )


def _round(directory: Path, logs: Path) -> dict[str, Found]:
    directory.mkdir()
    whole, parts = directory / "whole", directory / "parts"
    *before, last = sorted(logs.iterdir())
    found = {
        PEER: _work("peer", directory, logs),
        OURS: _work("store", whole, logs),
        AGAIN: _work("store", whole, logs),
    }
    _work("store", parts, *before)
    return {**found, LATER: _work("store", parts, last)}


def _work(kind: str, target: Path, *sources: Path) -> Found:
    command = [sys.executable, "-m", "tests.bench.ingest_work", kind, str(target), *map(str, sources)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    if done.returncode:
        raise OutsideError(f"{kind}: {done.stderr[-500:]}")
    found: Found = json.loads(done.stdout)
    return found
