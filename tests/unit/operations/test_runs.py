"""Rollouts as runs: a process of their own, which anything may follow and steer."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.rollout_hold import hold_before
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.rollout_steps import Steps
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError
from ringfence.operations.run_process import Recording
from ringfence.operations.runs import KILLED, last_words
from ringfence.rollout.events import Event, EventKind
from ringfence.rollout.run_events import PART, RunReader
from ringfence.rollout.runs import RunControl, RunDirectory, left_at_hosts, run_directories

from tests.hostile_host import HostileHost
from tests.unit.cli_shop import data, ringfence, shop

SETTINGS = 'control: {from: [10.0.0.0/24, "fd00::/64"], port: 22}\nwaves: [10]\n'

# Ansible's worker runs the shell of a host.
ANSIBLE = "ansible=$(ps -o ppid= -p $PPID)"


class Estate:
    """A shop with a plan, whose web-1 never answers."""

    def __init__(self, directory: Path) -> None:
        """Write the workspace, and plan."""
        variables = {"ringfence_addresses": ["10.0.1.1"], "vm": {"role": "web"}}
        self.host = HostileHost(directory / "host", variables=variables)
        (directory / "host/hosts.json").rename(directory / "host/inventory")
        inventory = (directory / "host/inventory").read_text()
        self.workspace = shop(directory / "shop", {"ringfence.yml": SETTINGS, "inventory/hosts.yml": inventory})
        (self.workspace / "policy/tests/shop.yml").unlink()
        (self.workspace / "policy/shop.yml").write_text("enforce:\n  - where: any\n    mode: full\n")
        assert ringfence(self.workspace, "plan", "--no-flows", env=now()).exit_code == 0
        self.asked = directory / "asked"
        self.host.runs(f"{ANSIBLE}; echo $$ $PPID $ansible >{self.asked}; exec sleep 600")

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Begin a command, an apply without words; return when Ansible has reached web-1."""
        words = words or ("apply", "latest")
        command = [sys.executable, "-m", "ringfence.cli", *words, "--workspace", str(self.workspace)]
        running = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        until(lambda: self.asked.exists() and self.asked.read_text().endswith("\n"))
        return running

    @property
    def run(self) -> RunDirectory:
        """The newest run."""
        return run_directories(self.workspace / ".ringfence")[-1]

    def states(self) -> list[str]:
        """Return what `ringfence runs` says."""
        return [one["state"] for one in data(self.workspace, "runs")]  # type: ignore[attr-defined, index]


def now() -> dict[str, str]:
    return {"SOURCE_DATE_EPOCH": str(int(time.time()))}


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 240
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def process_of(run: RunDirectory) -> int:
    """Return the process that carries a run out."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"ringfence.operations.run_process" in words and os.fsencode(run.path) in words:
            return int(entry.name)
    raise AssertionError("no process")


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Estate]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    yield Estate(tmp_path)
    # an Ansible whose worker was killed waits for it for ever
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes()
            if f"{tmp_path}/".encode() in command and b"ansible-playbook" in command:
                os.kill(int(process.name), signal.SIGKILL)


def test_a_run_outlives_its_command_keeps_others_away_and_ends_when_somebody_aborts_it(estate: Estate) -> None:
    command = estate.begin()
    command.kill()
    command.wait()

    assert estate.states() == ["running"]
    again = ringfence(estate.workspace, "apply", "latest", env=now())
    assert again.exit_code == 2
    assert f"a run works on this workspace already: {estate.run.id}" in again.output

    assert ringfence(estate.workspace, "attach", "--abort").exit_code == 0
    ended = ringfence(estate.workspace, "attach", env=now())

    assert ended.exit_code == 130, ended.output
    assert "web-1: interrupted" in ended.output
    assert estate.states() == ["interrupted"]
    refused = ringfence(estate.workspace, "attach", "--pause")
    assert refused.exit_code == 2
    assert "has ended" in refused.output


def test_an_interrupt_of_the_command_aborts_its_run(estate: Estate) -> None:
    command = estate.begin()

    os.killpg(command.pid, signal.SIGINT)
    said, _ = command.communicate(timeout=240)

    assert command.returncode == 130, said
    assert "web-1: interrupted" in said
    assert estate.states() == ["interrupted"]


def test_a_run_whose_process_was_killed_ended_without_a_word(estate: Estate) -> None:
    command = estate.begin()
    killed = estate.run
    os.kill(process_of(killed), signal.SIGKILL)
    said, _ = command.communicate(timeout=240)
    # what Ansible left behind is still on the host: no other run meets it there
    again = ringfence(estate.workspace, "apply", "latest", env=now())
    kept = ringfence(estate.workspace, "runs", "forget", killed.id)
    for pid in estate.asked.read_text().split():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)

    assert command.returncode == 3, said
    assert KILLED in said
    assert again.exit_code == 2
    assert f"run {killed.id} was killed, and its Ansible still works on a host" in again.output
    assert "its Ansible still works on a host" in kept.output
    until(lambda: not killed.at_hosts())
    assert left_at_hosts(estate.workspace / ".ringfence") is None
    assert estate.states() == [KILLED]


def test_a_command_that_is_no_run_keeps_others_away_after_it_was_killed(estate: Estate) -> None:
    command = estate.begin("remove", "web-1", "--yes")
    command.kill()
    command.communicate()
    refused = [
        ringfence(estate.workspace, *words, env=now()) for words in (("apply", "latest"), ("remove", "web-1", "--yes"))
    ]
    for pid in estate.asked.read_text().split():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)

    for one in refused:
        assert one.exit_code == 2
        assert "a command was killed, and its Ansible still works on a host" in one.output
    until(lambda: left_at_hosts(estate.workspace / ".ringfence") is None)


def test_a_release_waits_for_what_a_quarantine_that_was_killed_still_tells_a_host(estate: Estate) -> None:
    command = estate.begin("quarantine", "web-1", "--because", "scans", "--yes")
    command.kill()
    command.communicate()
    left = estate.asked.read_text()
    estate.asked.unlink()
    name = next((estate.workspace / "emergencies").glob("q-*.json")).stem
    estate.host.runs(f"echo asked >{estate.asked}; exit 1")
    words = [sys.executable, "-m", "ringfence.cli", "release", name, "--workspace", str(estate.workspace)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as releasing:
        assert releasing.stdout is not None
        said = next(line for line in releasing.stdout if "still tells hosts" in line)
        early = estate.asked.exists()
        for pid in left.split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        rest = releasing.stdout.read()

    assert f"another command still tells hosts of {name}; this waits for it" in said
    assert not early
    assert estate.asked.exists(), rest
    assert not list((estate.workspace / ".ringfence/at-hosts").iterdir())


def test_a_paused_run_holds_a_wave_that_no_host_has_begun_until_it_is_resumed(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    lock = (tmp_path / ".lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    hold_before(0, str(tmp_path))
    run.steer(pause=True)
    hold_before(0, str(tmp_path))  # this wave runs already

    passed = threading.Event()
    waiting = threading.Thread(target=lambda: (hold_before(1, str(tmp_path)), passed.set()))
    waiting.start()
    assert not passed.wait(1.5)
    run.steer(pause=False)
    assert passed.wait(120)

    lock.close()
    with pytest.raises(PlanError, match="was killed"):
        hold_before(1, str(tmp_path))


def test_what_hosts_are_at_is_told_to_the_run_and_nobody_is_stopped_where_it_cannot_be(tmp_path: Path) -> None:
    steps = Steps(str(tmp_path), "web-1")
    steps.tell("loads")
    steps.tell("confirms", 26.5)
    Steps(str(tmp_path / "gone"), "web-1").tell("loads")
    Steps(None, "web-1").tell("loads")

    told = [one.event for one in RunReader(RunDirectory(tmp_path)).new()]

    assert [(one.kind, one.host, one.step) for one in told] == [
        (EventKind.DOING, "web-1", "loads"),
        (EventKind.DOING, "web-1", "confirms"),
    ]
    assert told[1].result == {"seconds": 26.5}


@pytest.mark.parametrize("kind", ["a pipe", "a device"])
def test_a_run_is_read_though_one_of_its_files_never_ends(tmp_path: Path, kind: str) -> None:
    names = ("events.jsonl", "steps.jsonl", "control.json", "end.json", "pid", "said", "back.json", "denials.json")
    for name in names:
        if kind == "a pipe":
            os.mkfifo(tmp_path / name)
        else:
            (tmp_path / name).symlink_to("/dev/zero")
    run = RunDirectory(tmp_path)

    assert RunReader(run).new() == []
    assert last_words(run) == ""
    assert not run.holds()
    assert (run.control(), run.end(), run.process(), run.back(), run.denials()) == (
        RunControl(),
        None,
        None,
        None,
        None,
    )


def test_a_line_of_a_run_that_never_ends_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "steps.jsonl").touch()
    os.truncate(tmp_path / "steps.jsonl", 5 * PART)
    reader = RunReader(RunDirectory(tmp_path))
    tracemalloc.start()
    try:
        while reader.new() or reader.behind:
            pass
        assert tracemalloc.get_traced_memory()[1] < 4 * PART
    finally:
        tracemalloc.stop()
    with (tmp_path / "steps.jsonl").open("a") as file:
        file.write("\n")
    Steps(str(tmp_path), "web-1").tell("loads")
    assert [one.event.step for one in reader.new()] == ["loads"]


def test_what_two_people_want_of_a_run_adds_up(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)

    run.steer(excuse=("web-1",))
    run.steer(pause=True, excuse=("web-2",))

    assert run.control().excuse == ("web-1", "web-2")
    assert run.control().pause
    assert not run.control().abort


def test_a_run_that_is_to_pause_pauses_once_its_next_wave_waits(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    assert not run.holds()
    steps = tmp_path / "steps.jsonl"
    steps.write_text('{"step": "loads", "host": "web-1"}\n')
    assert not run.holds(), "the wave before still works"
    steps.write_text('{"step": "loads", "host": "web-1"}\n' * 200 + '{"step": "held", "host": "web-2"}\n')
    assert run.holds()
    for damaged in ("", "no json", "[]"):
        steps.write_text(damaged)
        assert not run.holds()


def test_events_that_a_full_disk_does_not_take_end_no_rollout() -> None:
    recording = Recording(Path("/dev/full"))
    for _ in range(3):
        recording.event(Event(EventKind.STARTED, 1, host="web-1"))
