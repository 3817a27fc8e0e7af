"""`ringfence apply` interrupted while a host waits: nothing goes on behind its back, and its user decides."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from ringfence.estate import Estate, Listener, Several
from ringfence.lab.session import Lab
from ringfence.operations.apply import ApplyRequest, Rollout, apply
from ringfence.operations.execution import Cancellation, Execution
from ringfence.rollout import Event

from tests.lab.rollouts import Rollouts, Wanted, wait_until

pytestmark = pytest.mark.lab
HOSTS = ("n1", "n2", "n3", "n4")
OPEN = Wanted()
CLOSED = Wanted(allow={None: (1,)})
WAVES = (("n1", "n2"), ("n3",))
# One connection may begin in an hour: the one that applies. The one that confirms is not answered.
ONE_CONNECTION = (
    "nft 'table inet once { chain input { type filter hook input priority -200; policy accept; "
    "tcp dport 22 ct state new limit rate over 1/hour burst 1 packets drop; }; }'"
)


@pytest.fixture
def rollouts(namespaces: Lab, tmp_path: Path) -> Iterator[Rollouts]:
    """Hosts that hold a first plan; what is in `tmp_path` is a workspace over them."""
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory/10-lab.yml").symlink_to(namespaces.inventory_path)
    (tmp_path / "ringfence.yml").write_text("{}\n")
    one = Rollouts(namespaces, tmp_path)
    one.hold(dict.fromkeys(HOSTS[:3], OPEN))
    yield one
    answer(one)
    one.clear()
    for host in HOSTS:
        assert one.remains(host) == ""


def answer(rollouts: Rollouts) -> None:
    """Let n2 take any number of new connections again."""
    rollouts.sh("n2", "nft delete table inet once 2>/dev/null")


def ringfence(rollouts: Rollouts, *words: str) -> subprocess.Popen[str]:
    """Start the command in the workspace, in a session of its own as a terminal has one."""
    command = [sys.executable, "-m", "ringfence.cli", *words, "--workspace", str(rollouts.directory)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, env=os.environ
    )


def done(running: subprocess.Popen[str]) -> tuple[int, str]:
    """Return the exit status and all that was said."""
    said = running.communicate(timeout=300)
    return running.returncode, "".join(said)


def descendants(pid: int) -> set[int]:
    """Return the processes that a process started, and those that they started."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def alive(pids: Sequence[int] | set[int]) -> list[str]:
    """Return the command lines of those that still run."""
    found = []
    for pid in pids:
        try:
            found.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [line for line in found if line]


def events(plan: Path) -> dict[str, str]:
    """Return the last event of every host in the plan's journal, each line of which must be whole."""
    lines = (plan / "journal.jsonl").read_text().splitlines() if (plan / "journal.jsonl").exists() else []
    return {entry["host"]: entry["event"] for entry in map(json.loads, lines)}


def interrupted(rollouts: Rollouts, plan: Path) -> str:
    """Interrupt an apply as soon as n1 has confirmed and n2 waits; return what was said."""
    rollouts.sh("n2", ONE_CONNECTION)
    running = ringfence(rollouts, "apply", plan.name, "--confirm-within", "90")
    wait_until(lambda: running.poll() is not None or (events(plan).get("n1") == "confirmed" and waits(rollouts)))
    assert running.poll() is None, done(running)
    started = descendants(running.pid)
    assert any("ansible" in line for line in alive(started))
    os.killpg(running.pid, signal.SIGINT)
    status, said = done(running)
    assert status == 130, said
    assert alive(started) == []
    assert events(plan) == {"n1": "confirmed", "n2": "started"}
    assert waits(rollouts)
    answer(rollouts)
    return said


def waits(rollouts: Rollouts) -> bool:
    return rollouts.sh("n2", "grep -s swapped= /var/lib/ringfence/pending") != ""


def test_after_an_interrupt_what_waits_can_be_confirmed_and_the_rollout_goes_on(rollouts: Rollouts) -> None:
    plan = rollouts.plan(dict.fromkeys(HOSTS[:3], CLOSED), waves=WAVES)
    said = interrupted(rollouts, plan)
    assert "1/3 hosts hold it" in said
    assert "n2: interrupted" in said
    assert "n3: not begun" in said
    assert f"ringfence confirm {plan.name}" in said
    assert "Traceback" not in said
    status, said = done(ringfence(rollouts, "confirm", plan.name, "--limit", "n2"))
    assert (status, "1/1 hosts confirmed" in said) == (0, True), said
    assert not waits(rollouts)
    status, said = done(ringfence(rollouts, "apply", plan.name))
    assert (status, "3/3 hosts hold it, 1 changed" in said) == (0, True), said
    assert rollouts.playbook_drift(plan) == {}


def test_after_an_interrupt_what_waits_can_be_taken_back(rollouts: Rollouts) -> None:
    before = sorted((rollouts.directory / "plans").iterdir())[0]
    plan = rollouts.plan(dict.fromkeys(HOSTS[:3], CLOSED), waves=WAVES)
    interrupted(rollouts, plan)
    status, said = done(ringfence(rollouts, "rollback", plan.name, "--limit", "n2"))
    assert (status, "1 of 1 hosts went back: n2" in said) == (0, True), said
    assert set(rollouts.drift(before)) == {"n1"}
    assert set(rollouts.drift(plan)) == {"n2", "n3"}


class Hearing(Listener):
    """Keeps the hosts and kinds of the events that it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def event(self, event: Event) -> None:
        """Keep one."""
        self.heard.append((event.host, str(event.kind)))


def test_a_rollout_in_a_thread_is_watched_by_two_listeners_and_cancelled(rollouts: Rollouts) -> None:
    plan = rollouts.plan(dict.fromkeys(HOSTS[:3], CLOSED), waves=WAVES)
    rollouts.sh("n2", ONE_CONNECTION)
    one, other, cancel = Hearing(), Hearing(), Cancellation()
    found: list[Rollout] = []
    execution = Execution(Several(one, other), cancel)
    request = ApplyRequest(plan.name, confirm_within=90)
    thread = threading.Thread(target=lambda: found.append(apply(Estate(rollouts.directory), request, execution)))
    thread.start()
    wait_until(lambda: events(plan).get("n1") == "confirmed" and waits(rollouts))
    started = descendants(os.getpid()) - {os.getpid()}
    assert any("ansible-playbook" in line for line in alive(started))

    cancel.cancel()
    thread.join(60)

    assert not thread.is_alive()
    assert not any("ansible-playbook" in line for line in alive(started))
    (done,) = found
    assert done.interrupted
    states = {name: host.state for name, host in done.result.hosts.items()}
    assert states == {"n1": "confirmed", "n2": "interrupted", "n3": "not begun"}
    assert one.heard == other.heard
    assert {("n1", "done"), ("n2", "started")} <= set(one.heard)
    answer(rollouts)
    status, said = done_of(rollouts, "rollback", plan.name, "--limit", "n2")
    assert (status, "1 of 1 hosts went back: n2" in said) == (0, True), said


def test_a_killed_command_leaves_its_run_going_which_holds_the_next_wave_until_it_is_resumed(
    rollouts: Rollouts,
) -> None:
    plan = rollouts.plan(dict.fromkeys(HOSTS[:3], CLOSED), waves=WAVES)
    rollouts.sh("n2", ONE_CONNECTION)
    running = ringfence(rollouts, "apply", plan.name, "--confirm-within", "60")
    wait_until(lambda: events(plan).get("n1") == "confirmed" and waits(rollouts))
    running.kill()
    running.communicate()
    status, said = done_of(rollouts, "attach", "--pause")
    assert status == 0, said
    answer(rollouts)
    wait_until(lambda: events(plan).get("n2") == "confirmed")
    wait_until(lambda: "paused" in done_of(rollouts, "runs")[1])
    assert "n3" not in events(plan)
    status, said = done_of(rollouts, "attach", "--resume")
    assert status == 0, said
    status, said = done_of(rollouts, "attach")
    assert (status, "3/3 hosts hold it, 3 changed" in said) == (0, True), said
    assert rollouts.drift(plan) == {}


def done_of(rollouts: Rollouts, *words: str) -> tuple[int, str]:
    """Return the exit status of a command, and all that it said."""
    return done(ringfence(rollouts, *words))
