"""A storm of seeded keys, clicks and resizes on an estate with hostile names: nothing breaks, and it leaves at once.

RINGFENCE_EXAMPLES=full has all 5,000; RINGFENCE_STORM_SEED another seed.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.examples import FULL
from tests.tui.map_estate import FILES, drawn
from tests.tui.terminal import KEYS, Terminal

EVENTS = 5_000 if FULL else 400
SEED = int(os.environ.get("RINGFENCE_STORM_SEED", "12"))
SIZES = ((80, 24), (120, 40), (200, 60), (60, 15), (100, 30), (20, 8))
# Nothing of the storm goes to any host.
INVENTORY = FILES["inventory/hosts.yml"].replace(
    "vars: {ringfence_labels: {app: shop}}",
    'vars: {ringfence_labels: {app: shop}, ansible_ssh_common_args: "-o ProxyCommand=false"}',
)
HOSTILE = """\
    hostile:
      hosts:
        "\\u202ex-1": {ansible_host: 10.0.3.1, vm: {env: "[true, false]b[/]", role: "[@click=app.bell]x[/]"}}
        "db\\u009b2Jx": {ansible_host: 10.0.3.2, vm: {env: prod, role: "\\u001b]0;owned\\u0007"}}
        "長い名前のホスト": {ansible_host: 10.0.3.3, vm: {env: "e\\u0301\\u0301\\u0301\\u0301", role: "🧱"}}
        "{{ 1 + 1 }}": {ansible_host: 10.0.3.4, vm: {env: "%s %d {0}", role: "\\u2028x"}}
"""
FLOWS = FILES["flows.csv"] + "10.0.3.1,10.0.3.2,5432,tcp,3,answered,2026-11-24T06:00:00Z\n"
# What asks the inventory or hosts takes seconds of a processor: such keys come seldom.
COSTLY = "DvVpbor"
TYPED = [chr(code) for code in range(33, 127) if chr(code) not in f"q{COSTLY}"] + ["é", "長"]
NAMED = [name for name in KEYS if name not in ("ctrl+q", "ctrl+c", "ctrl+z", "ctrl+s")]
SCREENS = list("123456")
KEPT_AT_MOST = 40  # MiB
F1 = "\x1bOP"
ANSWERS_WITHIN = 3.0  # seconds, so many times over: it may still work on earlier keys
TRIES = 40
ANSWERS_EVERY = 200  # events


def events(seed: int, count: int) -> Iterator[tuple[str, ...]]:
    """Yield what a person does who has lost patience: keys, a click, another size."""
    chance = random.Random(seed)
    for _ in range(count):
        drawn_one = chance.random()
        if drawn_one < 0.03:
            columns, lines = chance.choice(SIZES)
            yield "size", str(columns), str(lines)
        elif drawn_one < 0.12:
            yield "click", str(chance.randrange(200)), str(chance.randrange(60))
        elif drawn_one < 0.20:
            yield "key", chance.choice(SCREENS)
        elif drawn_one < 0.22:
            yield "key", chance.choice(COSTLY)
        elif drawn_one < 0.6:
            yield "key", chance.choice(NAMED)
        else:
            yield "key", chance.choice(TYPED)


def megabytes(pid: int) -> float:
    """Return the memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def test_a_storm_breaks_nothing_and_keeps_little(tmp_path: Path) -> None:
    directory, faults = tmp_path / "estate", tmp_path / "faults"
    directory.mkdir()
    drawn(directory, {"inventory/hosts.yml": INVENTORY + HOSTILE, "flows.csv": FLOWS})
    faults.touch()
    program = [sys.executable, "-m", "tests.tui.storm_program", faults]
    root = str(Path(__file__).parents[2])
    with Terminal(program, (100, 30), cwd=directory, env={"PYTHONPATH": root, "EDITOR": "true"}) as terminal:
        terminal.wait_for("covered")
        for screen in SCREENS:
            terminal.press(screen)
            terminal.settle()
        held = megabytes(terminal.pid)
        done: list[str] = []
        chance = random.Random(SEED)
        for event in events(SEED, EVENTS):
            done.append(" ".join(event))
            match event:
                case "size", columns, lines:
                    terminal.resize(int(columns), int(lines))
                case "click", x, y:
                    terminal.click(int(x) % terminal.columns, int(y) % terminal.lines)
                case _, key:
                    terminal.press(key)
            if chance.random() < 0.3:  # now and then a look; else keys come as fast as a line has them
                while terminal.read(0.005):
                    pass
            said = f"seed {SEED}, after {len(done)}: {done[-12:]}\n"
            assert terminal.status is None, said + terminal.text() + terminal.written[-4000:].decode(errors="replace")
            assert b"fault of Ringfence" not in terminal.written, said + terminal.text()
            assert not faults.read_text(), said + faults.read_text()
            terminal.written = b""
            if len(done) % ANSWERS_EVERY == 0:
                answers(terminal, said, faults)
        terminal.resize(100, 30)
        terminal.settle(quiet=0.5)
        kept = megabytes(terminal.pid) - held
        print(f"{EVENTS} events, {held:.0f} MiB before, {kept:.1f} more after")
        assert kept < KEPT_AT_MOST
        leave(terminal)
        assert not faults.read_text()


def answers(terminal: Terminal, said: str, faults: Path) -> None:
    """Have whatever is open closed, and the help opened: keys still arrive."""
    terminal.resize(100, 30)
    for _ in range(TRIES):
        terminal.settle(quiet=0.3)
        # a text that is not kept asks: esc stays in it, enter leaves
        terminal.press("enter" if "leave without it" in terminal.text() else "esc")
        terminal.settle(quiet=0.3)
        terminal.press(F1)  # a question mark may be typed into a field
        with suppress(AssertionError):
            terminal.wait_for("Keys of", ANSWERS_WITHIN)
            terminal.press("esc")
            return
    os.kill(terminal.pid, signal.SIGUSR1)
    terminal.settle(quiet=1.0)
    raise AssertionError(said + terminal.text() + faults.read_text())


def leave(terminal: Terminal) -> None:
    """Quit, out of whatever is open; how long that takes is told, and depends on what else the machine does."""
    began = time.monotonic()
    terminal.press("ctrl+q")
    with suppress(AssertionError):  # it ends, or asks once more: a text is not kept
        terminal.wait_for(lambda text: "ctrl+q again" in " ".join(text.split()))
    if terminal.status is None:
        began = time.monotonic()
        terminal.press("ctrl+q")
    assert terminal.wait_end() == 0, terminal.text()
    print(f"left within {time.monotonic() - began:.2f} s")
