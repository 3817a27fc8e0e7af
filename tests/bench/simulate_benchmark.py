"""Benchmark `simulate`: kept flows judged under a policy, beside the bare DuckDB join and group-by of the same files.

RINGFENCE_BENCH_FLOWS (100000000) says how many observations the longest series has, RINGFENCE_BENCH_DISTINCT (1000000)
how many distinct flows these are of.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from ringfence.model.addresses import address_text
from ringfence.model.errors import OutsideError

from .commands_benchmark import ours
from .hosts_workspace import write_workspace
from .result import Result, Target
from .seen_flows import FIRST, Host, write_flows
from .simulate_work import HOSTS, RULES, WORKS, made

FLOWS = int(os.environ.get("RINGFENCE_BENCH_FLOWS", "100000000"))
DISTINCT = int(os.environ.get("RINGFENCE_BENCH_DISTINCT", "1000000"))
REPEATS = 3
OURS, PEER = "judged", "joined"
Found = dict[str, float]


def run() -> Result:
    """Measure the series in turns with the peer, then the command on as many distinct flows."""
    sizes = [size for size in (FLOWS // 100, FLOWS // 10, FLOWS) if size >= DISTINCT]
    found = {size: _measured(size) for size in sizes}
    command = _command()
    longest = found[sizes[-1]]
    ratio = longest[OURS]["seconds"] / longest[PEER]["seconds"]
    growth = longest[OURS]["seconds"] / found[sizes[0]][OURS]["seconds"] / (sizes[-1] / sizes[0])
    rules = longest[OURS]["seconds"] / longest["judged under 100 rules"]["seconds"]
    return Result(
        name="simulate",
        subject=f"{FLOWS:,} kept observations of {DISTINCT:,} distinct flows, {HOSTS:,} assets, {RULES:,} rules.",
        seconds=longest[OURS]["seconds"],
        peer=longest[PEER]["seconds"],
        unit="CPU seconds",
        table=(
            ("observations", "work", "CPU, s", "peak, MiB"),
            *(
                (f"{size:,}", name, f"{one['seconds']:.2f}", f"{one['peak']:.0f}")
                for size, works in found.items()
                for name, one in works.items()
            ),
            (f"{DISTINCT:,}", "ringfence simulate", f"{command['seconds']:.2f}", f"{command['peak']:.0f}"),
        ),
        targets=(
            Target("judged, times the bare join and group-by, CPU", ratio, 1.5),
            Target("judged, peak MiB", longest[OURS]["peak"], 4096),
            Target("cost of ten times the flows beyond ten times the seconds", growth, 1.1),
            Target("1,000 rules, times 100 rules, CPU", rules, 1.5),
            Target(f"ringfence simulate, {DISTINCT:,} distinct flows, CPU seconds", command["seconds"], 4.0),
        ),
        remarks=(
            "`joined` joins both ends to their labels and counts observations by labels, protocol and port; `joined, "
            "distinct` counts distinct flows, as a simulation does. Only the command compiles the policy in its time.",
            "`judged` reads rollups where a batch tells its flows often, as the store keeps them when flows are added; "
            "`judged, every observation` reads what the peer reads, as in a window that cuts every batch.",
            f"Medians of {REPEATS} runs in turns, each in a process of its own.",
        ),
        more={
            "ratio_every_observation": longest["judged, every observation"]["seconds"] / longest[PEER]["seconds"],
            "ratio_distinct": longest[OURS]["seconds"] / longest["joined, distinct"]["seconds"],
        },
    )


def _measured(rows: int) -> dict[str, Found]:
    """Return what each work took on as many observations."""
    assets = made(RULES).snapshot.assets
    hosts = [
        (one.name, address_text(one.addresses[0]), *(one.label_values()[key] for key in ("app", "env", "role")))
        for one in assets
    ]
    with TemporaryDirectory(prefix="ringfence-bench-") as directory:
        store = Path(directory) / "flows"
        write_flows(store, hosts, rows, DISTINCT)
        rounds = [{name: _work(name, store) for name in WORKS} for _ in range(REPEATS)]
    if len({one["connections"] for works in rounds for one in works.values()}) != 1:
        raise OutsideError("the works did not count the same connections")
    return {
        name: {
            "seconds": median(works[name]["seconds"] for works in rounds),
            "peak": max(works[name]["peak"] for works in rounds),
        }
        for name in WORKS
    }


def _work(name: str, store: Path) -> Found:
    command = [sys.executable, "-m", "tests.bench.simulate_work", name, str(store)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    if done.returncode:
        raise OutsideError(f"{name}: {done.stderr[-500:]}")
    found: Found = json.loads(done.stdout)
    return found


def _command() -> Found:
    """Return what the command took in a workspace of as many hosts, its inventory asked before."""
    with TemporaryDirectory(prefix="ringfence-bench-") as directory:
        workspace = Path(directory) / "estate"
        hosts: list[Host] = write_workspace(workspace, HOSTS)
        write_flows(workspace / ".ringfence/flows", hosts, DISTINCT, DISTINCT)
        words = ("simulate", "--since", FIRST.isoformat())
        spent = [ours(workspace, *words) for _ in range(REPEATS + 1)][1:]
    return {"seconds": median(one.cpu for one in spent), "peak": max(one.peak for one in spent)}
