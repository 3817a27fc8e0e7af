"""A new user's journey by keys alone, step by step: what the test walks and the recording shows."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringfence.lab.estate import DATABASE
from ringfence.operations.lab import NAME, take_lab_down

from tests.tui.recording import Recording
from tests.tui.terminal import Terminal

RINGFENCE = [sys.executable, "-m", "ringfence.cli"]
SIZE = (120, 40)
RAISED = 240  # seconds at most for hosts that come up, tables that are loaded, flows that are asked for
RULE = "dev api never reaches prod db"
PAIR = ("dev-api-1", "db-1", DATABASE)


@contextmanager
def new_home() -> Iterator[Path]:
    """Yield an empty directory with a place beside it for a state; what is raised from there is taken down."""
    with tempfile.TemporaryDirectory(prefix="new-") as short:  # sockets of ssh masters lie below it
        directory = Path(short) / "home"
        directory.mkdir()
        try:
            yield directory
        finally:
            take_lab_down(NAME)


def opened(directory: Path, recording: Recording | None = None) -> Terminal:
    """Open the application where nothing is, or a workspace is right below."""
    return Terminal(RINGFENCE, recording.size if recording else SIZE, cwd=directory, recording=recording)


def raise_the_lab(terminal: Terminal) -> None:
    """Begin with the demo lab, and ask for assets and traffic."""
    terminal.wait_for("Try the demo lab")
    terminal.mark("an empty directory: l offers the demo lab")
    terminal.press("l")
    terminal.wait_for("ringfence-demo")
    terminal.press("enter")
    terminal.wait_for("% ")  # how much of raising it is done
    terminal.mark("twelve hosts come up")
    terminal.wait_for("ASSETS", RAISED)
    terminal.wait_for("nothing was seen yet: ask the hosts who talks to whom", 60)
    terminal.mark("the overview says what to do next")

    terminal.press("2")
    terminal.wait_for("dev-api-1", 60)
    terminal.press("D")
    terminal.wait_for("✓ inventory/10-lab.yml 12", 60)
    terminal.mark("2, D: assets, discovered source by source")

    terminal.press("1", "t")
    terminal.wait_for("asking who talks to whom", 60)
    terminal.wait_for("new observations", RAISED)
    terminal.wait_for("no rule decides: draw the line on the map", 60)
    terminal.mark("t: the hosts were asked who talks to whom")


def go_to_the_wrong_traffic(terminal: Terminal) -> None:
    """Find the row on the map, and go along it to the production database."""
    terminal.press("3")
    terminal.wait_for("dev  shop api", 60)
    terminal.press("/", "dev shop api", "enter")
    terminal.wait_for("dev shop api  to  ")
    for _ in range(12):
        if "dev shop api  to  prod shop db " in terminal.text():
            break
        terminal.press("left")
        terminal.settle(0.3)
    terminal.wait_for("dev shop api  to  prod shop db   tcp/5432")


def deny_it(terminal: Terminal) -> None:
    """Draft the denial, see what it changes, and write it."""
    terminal.mark("3: the map; a development host reads the production database")
    terminal.press("d")
    effect = terminal.wait_for(lambda text: "newly denied" in text and "bites" in text, 60)
    assert RULE in effect
    assert re.search(r"decides +(\d+) of \1 flows +newly denied \1 ", effect)
    terminal.mark("d: the denial, filled from the cell, and what it would change")
    terminal.press("enter")
    terminal.wait_for("the draft has 1 change")
    terminal.mark("enter: it is in the draft, and the picture has its colour")
    terminal.press("w")
    terminal.wait_for("1 change in 1 file")
    terminal.press("enter")
    terminal.wait_for("written: policy/guardrails.yml")
    terminal.mark("w, enter: written")


def roll_it_out_and_leave(terminal: Terminal) -> None:
    """Plan, confirm by the plan's digits, and leave as soon as the run is on the board."""
    terminal.press("6")
    terminal.wait_for("p make one")
    terminal.press("p")
    made = terminal.wait_for(
        lambda text: bool(re.search(r"plan \w{4} is made", text)) and "denied that were allowed" in text, 60
    )
    number = made.partition(" is made")[0][-4:]
    assert re.search(r"[1-9]\d* denied that were allowed, 0 newly allowed", made), made
    terminal.mark("6, p: the plan")
    terminal.press("o")
    terminal.wait_for(f"type {number}")
    terminal.mark("o: what will happen, in numbers; the plan's first digits confirm it")
    terminal.press(*number)
    terminal.wait_for("process ")
    terminal.mark("the rollout is a process of its own: q leaves it running")
    terminal.press("q")
    assert terminal.wait_end() == 0
    assert "ringfence --workspace ringfence-demo" in terminal.text()


def attach(terminal: Terminal) -> None:
    """Open the workspace again from where the application was left."""
    terminal.wait_for("Open ringfence-demo")
    terminal.press("a")
    terminal.wait_for("ASSETS")


def see_it_confirmed(terminal: Terminal) -> None:
    """Follow the rollout to its end."""
    terminal.press("6")
    terminal.mark("opened again: the rollout went on without a terminal")
    terminal.wait_for("confirmed 12", RAISED)
    terminal.wait_for("successful")
    terminal.mark("all twelve hosts have confirmed")


def see_it_explained(terminal: Terminal) -> None:
    """Look at what hosts hold of the pair under the cursor, and ask why."""
    terminal.wait_for(lambda text: re.search(r"held +x", text) is not None, 60)
    terminal.mark("the map: what hosts hold denies it")
    terminal.press("e")
    terminal.wait_for("x DENIED", 60)
    explained = terminal.wait_for("held x", 60)
    assert RULE in explained
    assert re.search(r"policy/guardrails\.yml:\d+", explained)
    terminal.mark("e: denied, by which rule and which line")
