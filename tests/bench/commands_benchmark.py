"""Benchmark `commands`: every command that a person waits for, beside `ansible-inventory --list` of the same hosts.

RINGFENCE_BENCH_HOSTS (20000) says how many hosts, RINGFENCE_BENCH_MORE_HOSTS (100000) how many at the end of the
series, 0 for no series.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from ringfence.model.errors import OutsideError

from .hosts_workspace import write_workspace
from .result import Result, Target

HOSTS = int(os.environ.get("RINGFENCE_BENCH_HOSTS", "20000"))
MORE_HOSTS = int(os.environ.get("RINGFENCE_BENCH_MORE_HOSTS", "100000"))
REPEATS = 3
PEER = "ansible-inventory --list"
HOST = "app01-prod-web-0001"
QUESTIONS = {
    "explain": ("explain", HOST, "10.0.9.9", "tcp/8443"),
    "reach": ("reach", "--from", "app=app01,env=prod,role=web", "--to", "app=app01,env=prod,role=api"),
    "simulate": ("simulate", "--flows", "flows.csv"),
    "lint": ("lint",),
    "render": ("render", HOST),
    "labels": ("labels",),
    "assets": ("assets",),
}


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock and of the processor, and the most memory that one of the processes held, in MiB."""

    wall: float
    cpu: float
    peak: float


def run() -> Result:
    """Measure the work in turns with Ansible's own listing, then the questions, warm; then once on more hosts."""
    every = _measured(HOSTS, REPEATS)
    more = _measured(MORE_HOSTS, 1) if MORE_HOSTS else {}
    listing, check, plan, show = (every[name] for name in (PEER, "check", "plan", "show"))
    warm = max(every[name].wall for name in QUESTIONS)
    ratios = {name: every[name].cpu / listing.cpu for name in ("check", "plan")}
    # How much more than its share of the hosts a command takes: 1 is linear.
    growth = {name: one.cpu / every[name].cpu * HOSTS / MORE_HOSTS for name, one in more.items() if name != PEER}
    headings = (f"CPU of {MORE_HOSTS:,} hosts, s", "peak, MiB", "of linear") if more else ()
    return Result(
        name="commands",
        subject=f"Every command that a person waits for, on {HOSTS:,} hosts of one CSV, 241 rules, 600 tables.",
        seconds=check.cpu,
        peer=listing.cpu,
        unit="CPU seconds",
        table=(
            ("command", "by the clock, s", "CPU, s", "peak, MiB", *headings),
            *(
                (
                    *(name, f"{one.wall:.2f}", f"{one.cpu:.2f}", f"{one.peak:.0f}"),
                    *_of_more(more.get(name), growth.get(name)),
                )
                for name, one in every.items()
            ),
        ),
        targets=(
            Target("check, times ansible-inventory --list, CPU", ratios["check"], 1.3),
            Target("plan, times ansible-inventory --list, CPU", ratios["plan"], 1.8),
            Target("plan, peak MiB", plan.peak, 400),
            Target("show, seconds", show.wall, 1.0),
            Target("the slowest question, warm, seconds", warm, 1.5),
            *((Target(f"CPU of {MORE_HOSTS:,} hosts, times linear", max(growth.values()), 1.15),) if growth else ()),
        ),
        remarks=(
            f"Medians of {REPEATS} runs in turns. A question is warm where the inventory was asked before and nothing "
            "that it depends on has changed; the others ask it each time. Every plan sees those before it.",
            "Modules are compiled, and policy files kept, by a first run of each program that does not count.",
            "The peak is that of the largest process of a command, which may be the ansible-inventory that it runs.",
            *(
                [
                    f"On {MORE_HOSTS:,} hosts every command runs once; `of linear` is what it takes per host there, "
                    "divided by what it takes per host here."
                ]
                if more
                else ()
            ),
        ),
        more={
            "warm": warm,
            "ratio_check": ratios["check"],
            "ratio_plan": ratios["plan"],
            "peak_mib": plan.peak,
            **{f"seconds_{name}": one.wall for name, one in every.items() if name != PEER},
            "seconds_ansible_inventory": listing.wall,
            **{f"growth_{name}": one for name, one in growth.items()},
        },
    )


def _measured(hosts: int, repeats: int) -> dict[str, Spent]:
    """Return what every command takes on so many hosts, Ansible's own listing first."""
    with TemporaryDirectory(prefix="ringfence-bench-") as directory:
        workspace = Path(directory) / "estate"
        write_workspace(workspace, hosts)
        peer, check, plan, show = [], [], [], []
        _spent(workspace, "ansible-inventory", "--version")
        ours(workspace, "labels")
        for _ in range(repeats):
            peer.append(_spent(workspace, "ansible-inventory", "-i", "inventory", "--list", "--output", "../list.json"))
            check.append(ours(workspace, "check"))
            plan.append(ours(workspace, "plan"))
            show.append(ours(workspace, "show"))
        for words in QUESTIONS.values():
            ours(workspace, *words)
        asked = {name: _middle([ours(workspace, *words) for _ in range(repeats)]) for name, words in QUESTIONS.items()}
    return {PEER: _middle(peer), "check": _middle(check), "plan": _middle(plan), "show": _middle(show), **asked}


def _of_more(one: Spent | None, growth: float | None) -> tuple[str, ...]:
    return () if one is None else (f"{one.cpu:.2f}", f"{one.peak:.0f}", "" if growth is None else f"{growth:.2f}")


def ours(directory: Path, *words: str) -> Spent:
    """Run a command of `ringfence` there; return what it took."""
    return _spent(directory, "ringfence", *words)


def _spent(directory: Path, name: str, *words: str) -> Spent:
    """Run a command of this environment there; return what it took. Raises OutsideError where it cannot answer."""
    began = time.monotonic()
    with (directory.parent / "stderr").open("wb") as said:
        command = [str(Path(sys.executable).parent / name), *words]
        process = subprocess.Popen(
            command, cwd=directory, env=_environment(directory), stdout=subprocess.DEVNULL, stderr=said
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise OutsideError(f"{name} {' '.join(words)}: {(directory.parent / 'stderr').read_text()[-500:]}")
    return Spent(time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _environment(directory: Path) -> dict[str, str]:
    """Return an environment in which Python keeps compiled modules, as it does for what is installed, in a place apart.

    Our modules are read from the working copy, where they may have none.
    """
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **inherited,
        "PYTHONPYCACHEPREFIX": str(directory.parent / "bytecode"),
        "XDG_CACHE_HOME": str(directory.parent / "cache"),
    }


def _middle(found: list[Spent]) -> Spent:
    return Spent(median(s.wall for s in found), median(s.cpu for s in found), max(s.peak for s in found))
