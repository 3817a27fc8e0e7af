"""What the benchmark `tui` measures, over a terminal of its own: starts, keys, bytes, what holds the loop, memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from ringfence.lab.access import make_keys, write_inventory
from ringfence.lab.demonstration.workspace_files import write_workspace as write_demo
from ringfence.lab.estate import shop
from ringfence.lab.spec import addressed

from ..tui.terminal import Terminal
from .commands_benchmark import ours
from .hosts_workspace import write_workspace
from .seen_flows import FIRST, write_flows

ROOT = Path(__file__).parents[2]
SIZES = ((80, 24), (120, 40), (200, 60))
KEYS = 60
PAUSE = 0.12  # seconds between keys; a person repeats about thirty a second, but the answer is to be measured alone
WHOLE = 0.5  # seconds without a byte after which an answer is whole, with the detail of the row that is asked for
OPENED = 1.5  # the same for a screen: what its size changes is painted late on a busy machine
BUSY = 120.0  # seconds to wait for at most


def environment(directory: Path) -> dict[str, str]:
    """Return an environment in which Python keeps what it compiles, in a place apart, and finds these programs."""
    return {"PYTHONPYCACHEPREFIX": str(directory / "bytecode"), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}


def demo_estate(directory: Path) -> Path:
    """Write the workspace of the demonstration, its snapshot kept, without its hosts."""
    hosts = addressed(shop(mixed=True))
    make_keys(directory)
    workspace = directory / "demo"
    write_demo(workspace, write_inventory(directory, hosts), hosts, processes=True)
    ours(workspace, "assets", "keep")
    return workspace


def large_estate(directory: Path, assets: int, flows: int) -> Path:
    """Write a workspace of so many assets and distinct flows, its snapshot kept."""
    workspace = directory / "large"
    hosts = write_workspace(workspace, assets)
    write_flows(workspace / ".ringfence/flows", hosts, flows, flows)
    ours(workspace, "assets", "keep")
    return workspace


def start(argv: list[str], workspace: Path, shows: str, env: Mapping[str, str]) -> float:
    """Return the seconds from exec until a text is on the screen."""
    began = time.monotonic()
    with Terminal(argv, (120, 40), cwd=workspace, env=env) as terminal:
        terminal.wait_for(shows, BUSY)
        return time.monotonic() - began


@dataclass
class Answers:
    """Milliseconds until the first byte of an answer, and bytes of whole answers, by what was pressed and the size."""

    first: dict[str, list[float]] = field(default_factory=dict)
    bytes: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    held: dict[str, tuple[float, str]] = field(default_factory=dict)  # milliseconds of the longest handler, its name
    megabytes: float = 0.0

    def median_bytes(self, what: str, columns: int) -> float:
        """Return the bytes of an answer."""
        return median(self.bytes[what, columns])


def answers(workspace: Path, assets: int, directory: Path, env: Mapping[str, str]) -> Answers:
    """Press keys on the assets of a large estate, at rest and beside a simulation, and at three sizes."""
    found = Answers()
    told = directory / "held"
    argv = [sys.executable, "-m", "tests.bench.tui_program", "timed", str(told)]
    openings: list[tuple[float, float]] = []
    with Terminal(argv, SIZES[1], cwd=workspace, env=env) as terminal:
        terminal.wait_for(f"{assets:,}", BUSY)
        terminal.settle(WHOLE, BUSY)
        _opening(terminal, "2", openings)
        terminal.wait_for(f"{assets:,}", BUSY)
        terminal.settle(2.0, BUSY)
        found.first["at rest"] = list(_pressed(terminal, KEYS))
        with simulation(workspace, env):
            found.first["beside a simulation"] = list(_pressed(terminal, KEYS))
        for columns, lines in SIZES:
            began = time.monotonic()
            terminal.resize(columns, lines)
            terminal.settle(OPENED)
            openings.append((began, time.monotonic()))
            for what, key, count in (("cursor", "j", 8), ("page", "pagedown", 5)):
                found.bytes[what, columns] = [_whole(terminal, key) for _ in range(count)]
            found.bytes["screen", columns] = [_opening(terminal, key, openings) for key in ("1", "2", "1", "2")]
        found.megabytes = _megabytes(terminal.pid)
        terminal.press("q")
        terminal.wait_end()
    for line in told.read_text().splitlines():
        *words, name = line.split(" ", 2)
        when, spent = map(float, words)
        what = "opening" if any(began <= when <= ended for began, ended in openings) else "standing"
        if openings and when >= openings[0][0]:
            found.held[what] = max(found.held.get(what, (0.0, "")), (spent, name))
    return found


@contextmanager
def simulation(workspace: Path, env: Mapping[str, str]) -> Iterator[None]:
    """Judge all flows in a process beside, as the application's engine does."""
    command = [sys.executable, "-m", "ringfence.cli", "simulate", "--since", FIRST.isoformat()]
    quiet = subprocess.DEVNULL
    running = subprocess.Popen(command, cwd=workspace, env={**os.environ, **env}, stdout=quiet, stderr=quiet)
    try:
        time.sleep(2.0)  # it imports and reads first
        yield
    finally:
        running.send_signal(signal.SIGINT)  # it ends what it started
        running.wait()


def _pressed(terminal: Terminal, count: int) -> Iterator[float]:
    """Press cursor and page keys; yield milliseconds until the first byte of each answer."""
    for number in range(count):
        yield terminal.first_byte("pagedown" if number % 6 == 5 else "j") * 1000
        terminal.settle(PAUSE)


def _whole(terminal: Terminal, key: str) -> int:
    """Return the bytes of a whole answer."""
    terminal.press(key)
    return terminal.settle(WHOLE)


def _opening(terminal: Terminal, key: str, openings: list[tuple[float, float]]) -> int:
    """Open a screen; return the bytes of the answer, and keep when it was."""
    began = time.monotonic()
    terminal.press(key)
    written = terminal.settle(OPENED)
    openings.append((began, time.monotonic()))
    return written


def _megabytes(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
