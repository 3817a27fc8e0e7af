"""A rollout begun in the application on lab hosts outlives its kill, and board, journal and kernels agree."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

import pytest
from ringfence.rollout.runs import run_directories

from tests.lab.rollouts import Rollouts, wait_until
from tests.lab.test_apply_interrupted import (
    CLOSED,
    HOSTS,
    ONE_CONNECTION,
    OPEN,
    alive,
    answer,
    descendants,
    done_of,
    events,
    rollouts,
    waits,
)
from tests.tui.terminal import Terminal

pytestmark = pytest.mark.lab
RINGFENCE = [sys.executable, "-m", "ringfence.cli"]
SIZE = (100, 40)

__all__ = ["rollouts"]


def rollout_screen(rollouts: Rollouts) -> Terminal:
    """Open the application in the workspace, at its rollout screen."""
    terminal = Terminal(RINGFENCE, SIZE, cwd=rollouts.directory)
    terminal.wait_for("q quit")
    terminal.press("6")
    return terminal


def run_processes(rollouts: Rollouts) -> list[str]:
    """Return the command lines of the processes that carry a run of this workspace out."""
    pids = {int(entry.name) for entry in Path("/proc").glob("[0-9]*")}
    own = f"{rollouts.directory}/"
    return [line for line in alive(pids) if "ringfence.operations.run_process" in line and own in line]


def test_a_run_outlives_the_application_that_began_it_and_a_pause_holds_until_another_one_resumes_it(
    rollouts: Rollouts,
) -> None:
    plan = rollouts.plan(dict.fromkeys(HOSTS[:3], CLOSED), waves=(("n1",), ("n2",), ("n3",)))
    rollouts.sh("n2", ONE_CONNECTION)  # it loads its table, and cannot confirm it yet
    with rollout_screen(rollouts) as terminal:
        terminal.wait_for(f"Plan {plan.name[:4]}")
        terminal.press("+", "+", "o")  # 120 s to confirm: a machine under load is slow
        terminal.wait_for(f"type {plan.name[:4]}")
        terminal.press(*plan.name[:4])
        terminal.wait_for(lambda text: re.search(r"n2 +▸ confirms until", text) is not None, 90)
        wait_until(lambda: events(plan).get("n1") == "confirmed" and waits(rollouts))
        started = descendants(terminal.pid)
        os.kill(terminal.pid, signal.SIGKILL)
        wait_until(lambda: not [line for line in alive(started) if "ringfence_tui.engine" in line])
    assert len(run_processes(rollouts)) == 1
    status, said = done_of(rollouts, "apply", plan.name)
    assert (status, "a run works on this workspace already" in said) == (2, True), said

    with rollout_screen(rollouts) as terminal:
        terminal.wait_for(lambda text: re.search(r"n2 +▸ confirms until", text) is not None)
        terminal.press("P")
        terminal.wait_for("it pauses before its next wave")
        answer(rollouts)
        terminal.wait_for("wave 2 waits: somebody paused this run", 60)
        terminal.wait_for(lambda text: re.search(r"n3 +‖ paused", text) is not None, 60)
        assert events(plan) == {"n1": "confirmed", "n2": "confirmed"}
        assert set(rollouts.drift(plan)) == {"n3"}
        terminal.press("P")
        terminal.wait_for("successful  v verify", 60)
        text = terminal.text()
        assert "confirmed 3" in text
        assert text.count("1/1 ✓") == 3
        terminal.press("v")
        terminal.wait_for("WHAT DIFFERS")
        terminal.press("v")
        terminal.wait_for("3 of 3 proven equal", 60)  # what the kernels were read to hold
        terminal.press("q")
        assert terminal.wait_end() == 0

    (run,) = run_directories(rollouts.directory / ".ringfence")
    assert not run.lives()
    assert run_processes(rollouts) == []
    status, said = done_of(rollouts, "attach")
    assert (status, "3/3 hosts hold it, 3 changed" in said) == (0, True), said
    assert events(plan) == dict.fromkeys(HOSTS[:3], "confirmed")


def test_a_run_that_is_rolled_back_ends_takes_back_what_waits_and_another_run_brings_back_the_rest(
    rollouts: Rollouts,
) -> None:
    before = rollouts.apply(dict.fromkeys(HOSTS[:3], OPEN))
    plan = rollouts.plan(dict.fromkeys(HOSTS[:3], CLOSED), waves=(("n1",), ("n2",), ("n3",)))
    rollouts.sh("n2", ONE_CONNECTION)
    with rollout_screen(rollouts) as terminal:
        terminal.wait_for(f"Plan {plan.name[:4]}")
        terminal.press("+", "+", "o")
        terminal.wait_for(f"type {plan.name[:4]}")
        terminal.press(*plan.name[:4])
        terminal.wait_for(lambda text: re.search(r"n2 +▸ confirms until", text) is not None, 90)
        wait_until(lambda: events(plan).get("n1") == "confirmed" and waits(rollouts), 60)
        terminal.wait_for("R end it and roll 1 confirmed host back")
        terminal.press("R")
        terminal.wait_for("end it and roll it back")
        terminal.press(*plan.name[:4])
        terminal.wait_for("the run is ending")
        os.kill(terminal.pid, signal.SIGKILL)  # who asked for it may leave
    answer(rollouts)

    wait_until(lambda: len(run_directories(rollouts.directory / ".ringfence")) == 2, 60)
    with rollout_screen(rollouts) as terminal:
        terminal.wait_for("successful", 90)
        terminal.press("H")
        terminal.wait_for("interrupted")
        terminal.press("j")
        terminal.wait_for("rolled it back: run", 30)
        terminal.press("q")
    first, second = run_directories(rollouts.directory / ".ringfence")
    back = first.back()
    assert back is not None
    assert (back.run, back.error) == (second.id, "")
    assert first.control().back
    assert rollouts.drift(before) == {}
    assert run_processes(rollouts) == []
