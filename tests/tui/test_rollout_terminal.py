"""A rollout begun over a terminal: it outlives the application, which takes it up again when it is opened."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from ringfence.rollout.run_events import event_line
from ringfence.rollout.runs import EVENTS_FILE, RunFacts, begin_run, run_directories

from tests.tui.terminal import Terminal
from tests.unit.cli_shop import shop
from tests.unit.operations.test_runs import Estate, process_of, until
from tests.unit.rollout_events import confirmed, started

RINGFENCE = [sys.executable, "-m", "ringfence.cli"]
SECRET = "correct-horse"


def test_a_killed_application_leaves_its_run_going_which_the_next_one_shows_and_aborts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    estate = Estate(tmp_path)  # its web-1 never answers
    plan = next(one.name for one in (estate.workspace / "plans").iterdir() if len(one.name) == 12)
    with Terminal(RINGFENCE, cwd=estate.workspace) as terminal:
        terminal.wait_for("q quit")
        terminal.press("6")
        terminal.wait_for(f"Plan {plan[:4]}")
        terminal.press("K")
        terminal.wait_for("Become password")
        terminal.press(SECRET, "enter")
        terminal.wait_for("Vault password")
        terminal.press("enter")
        terminal.wait_for("become password given")
        terminal.press("o")
        terminal.wait_for(f"type {plan[:4]}")
        terminal.press(*plan[:4])
        terminal.wait_for("▸ loads")
        assert SECRET not in terminal.written.decode()
        os.kill(terminal.pid, signal.SIGKILL)
    run = estate.run
    until(lambda: not engines_of(estate.workspace))
    assert run.lives()
    assert process_of(run) == run.process()
    assert not [path for path in run.path.iterdir() if SECRET.encode() in path.read_bytes()]

    with Terminal(RINGFENCE, cwd=estate.workspace) as terminal:
        terminal.wait_for("q quit")
        terminal.press("6")
        terminal.wait_for("▸ loads")
        terminal.press("A")
        terminal.wait_for("at work     1 host")
        terminal.press("enter")
        terminal.wait_for(f"run {run.id}: interrupted", 60)
        assert "left in between 1" in terminal.text()
        terminal.press("q")
        assert terminal.wait_end() == 0
    assert [one.id for one in run_directories(estate.workspace / ".ringfence")] == [run.id]
    assert not run.lives()


def test_a_board_of_many_hosts_costs_few_bytes_a_key_and_none_while_nothing_happens(tmp_path: Path) -> None:
    workspace = shop(tmp_path / "shop")
    hosts = tuple(f"web-{number:04}" for number in range(2000))
    facts = RunFacts("kim", "", "5f3a" + "0" * 60, "2026-11-24T07:00:00Z", hosts, (hosts[:1], hosts[1:]))
    run, locks = begin_run(workspace / ".ringfence", facts)
    told = [started(hosts[0]), confirmed(hosts[0]), *map(started, hosts[1:60])]
    (run.path / EVENTS_FILE).write_text("".join(event_line(one.event, one.time) for one in told))
    try:
        with Terminal(RINGFENCE, cwd=workspace) as terminal:
            terminal.wait_for("q quit")
            terminal.press("6")
            terminal.wait_for("at work 59")
            terminal.settle(0.5)
            for _ in range(10):
                terminal.press("j")
                assert terminal.settle(0.1) < 2_000
            terminal.press("pagedown")
            assert terminal.settle(0.2) < 6_000
            assert terminal.settle(1.2, 1.2) == 0
    finally:
        for descriptor in locks:
            os.close(descriptor)


def engines_of(workspace: Path) -> list[int]:
    """Return the engine processes whose working directory is a workspace."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if b"ringfence_tui.engine" in (entry / "cmdline").read_bytes() and (entry / "cwd").readlink() == workspace:
                found.append(int(entry.name))
        except OSError:
            continue
    return found
