"""A new user's journey by keys alone: from an empty directory to a denied flow; the application is left midway."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ringfence.cli.demonstration.probing import Probe, tried
from ringfence.lab.estate import DATABASE, WRONG
from ringfence.lab.probe import probe
from ringfence.lab.session import Lab, open_lab
from ringfence.operations.lab import NAME, take_lab_down
from ringfence.rollout.runs import run_directories

from tests.lab.rollouts import wait_until
from tests.lab_fixtures import abilities, require
from tests.tui.terminal import Terminal

pytestmark = pytest.mark.lab
RINGFENCE = [sys.executable, "-m", "ringfence.cli"]
SIZE = (120, 40)
RAISED = 240  # seconds at most for hosts that come up, tables that are loaded, flows that are asked for
RULE = "dev api never reaches prod db"
PAIR = ("dev-api-1", "db-1", DATABASE)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield an empty directory, with a state of its own; what is raised from there is taken down."""
    require(abilities().choose())
    with tempfile.TemporaryDirectory(prefix="new-") as short:  # sockets of ssh masters lie below it
        monkeypatch.setenv("XDG_STATE_HOME", f"{short}/state")
        directory = Path(short) / "home"
        directory.mkdir()
        try:
            yield directory
        finally:
            take_lab_down(NAME)


def opened(directory: Path) -> Terminal:
    return Terminal(RINGFENCE, SIZE, cwd=directory)


def habits(lab: Lab) -> list[Probe]:
    """Return every habit of the estate, each from the unit that has it; only that of the new rule is to be denied."""
    hosts = lab.hosts()
    named = lab.status()[0].kind == "machines" or not probe().processes
    addresses = {host.name: host.addresses for host in hosts}
    return [
        Probe(
            host.name,
            unit.name if named else None,
            talk.host,
            address,
            talk.port,
            (host.name, talk.host, talk.port) != PAIR,
        )
        for host in hosts
        for unit in host.units
        for talk in unit.talks
        for address in addresses[talk.host][:1]
    ]


def raise_the_lab(terminal: Terminal) -> None:
    """Begin with the demo lab, and ask for assets and traffic."""
    terminal.wait_for("Try the demo lab")
    terminal.press("l")
    terminal.wait_for("ringfence-demo")
    terminal.press("enter")
    terminal.wait_for("% ")  # how much of raising it is done
    terminal.wait_for("ASSETS", RAISED)
    terminal.wait_for("nothing was seen yet: ask the hosts who talks to whom", 60)

    terminal.press("2")
    terminal.wait_for("dev-api-1", 60)
    terminal.press("D")
    terminal.wait_for("✓ inventory/10-lab.yml 12", 60)

    terminal.press("1", "t")
    terminal.wait_for("asking who talks to whom", 60)
    terminal.wait_for("new flows", RAISED)
    terminal.wait_for("no rule decides: draw the line on the map", 60)


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
    terminal.press("d")
    effect = terminal.wait_for(lambda text: "newly denied" in text and "bites" in text, 60)
    assert RULE in effect
    assert re.search(r"decides +(\d+) of \1 flows +newly denied \1 ", effect)
    terminal.press("enter")
    terminal.wait_for("the draft has 1 change")
    terminal.press("w")
    terminal.wait_for("1 change in 1 file")
    terminal.press("enter")
    terminal.wait_for("written: policy/guardrails.yml")


def roll_it_out_and_leave(terminal: Terminal) -> None:
    """Plan, confirm by the plan's digits, and leave as soon as the run is on the board."""
    terminal.press("6")
    terminal.wait_for("p make one")
    terminal.press("p")
    made = terminal.wait_for(lambda text: re.search(r"plan \w{4} is made", text) is not None, 60)
    number = made.partition(" is made")[0][-4:]
    assert re.search(r"[1-9]\d* denied that were allowed, 0 newly allowed", made)
    terminal.press("o")
    terminal.wait_for(f"type {number}")
    terminal.press(*number)
    terminal.wait_for("process ")
    terminal.press("q")
    assert terminal.wait_end() == 0
    assert "ringfence --workspace ringfence-demo" in terminal.text()


def see_it_explained(terminal: Terminal) -> None:
    """Look at what hosts hold of the pair under the cursor, and ask why."""
    terminal.wait_for(lambda text: re.search(r"held +x", text) is not None, 60)
    terminal.press("e")
    terminal.wait_for("x DENIED", 60)
    explained = terminal.wait_for("held x", 60)
    assert RULE in explained
    assert re.search(r"policy/guardrails\.yml:\d+", explained)


def test_a_new_user_finds_the_wrong_traffic_denies_it_and_leaves_in_the_middle_of_the_rollout(home: Path) -> None:
    assert PAIR in {(one.source, one.target, one.port) for one in WRONG}
    workspace = home / "ringfence-demo"
    with opened(home) as terminal:
        raise_the_lab(terminal)
        lab = open_lab(NAME)
        assert all(one.seen for one in tried(lab, habits(lab))), "without a policy everything passes"
        go_to_the_wrong_traffic(terminal)
        deny_it(terminal)
        assert RULE in (workspace / "policy/guardrails.yml").read_text()
        roll_it_out_and_leave(terminal)
    (run,) = run_directories(workspace / ".ringfence")
    assert run.lives(), "it was left in the middle"

    with opened(home) as terminal:
        terminal.wait_for("Open ringfence-demo")
        terminal.press("a")
        terminal.wait_for("ASSETS")
        terminal.press("6")
        terminal.wait_for("confirmed 12", RAISED)
        terminal.wait_for("successful")
        wait_until(lambda: not run.lives())
        assert [one for one in tried(lab, habits(lab)) if not one.right] == [], "denied, and the shop whole"
        go_to_the_wrong_traffic(terminal)
        see_it_explained(terminal)
        terminal.press("q")
        assert terminal.wait_end() == 0
