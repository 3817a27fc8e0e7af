"""A run of Ansible leaves nothing behind, and what it does not tell is told as not known."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ringfence.rollout import run_playbook
from ringfence.rollout.events import EventKind, EventReader
from ringfence.rollout.private import private_directory

from tests.hostile_host import HostileHost
from tests.rollout_plans import PlanMaker, Wanted

SECRET = "not-for-any-disk"
# Ansible is two processes above what a host of the local connection runs: a worker, and the one that has the workers.
ABOVE = "cat >/dev/null; worker=$PPID; ansible=$(ps -o ppid= -p $worker)"
ASKED = """
import sys
from ringfence.rollout import run_playbook
run_playbook("info", [sys.argv[1]])
"""


def await_end(pid: str) -> None:
    """Return when a killed process runs no more, collected or not."""
    deadline = time.monotonic() + 20
    while (stat := Path("/proc", pid, "stat")).exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where runs have their private directories here."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("A_SECRET", SECRET)
    return tmp_path / "state/ringfence/runs"


@pytest.mark.parametrize("kind", ["runner_on_ok", "runner_on_failed"])
def test_a_step_that_ended_without_its_result_is_a_failure_with_its_reason(kind: str) -> None:
    event = EventReader().read({"event": kind, "event_data": {"task": "Ask", "host": "a", "res": {}}})
    assert event is not None
    assert event.kind is EventKind.FAILED
    assert "its result did not arrive" in str(event.result["msg"])


def test_a_result_far_longer_than_one_event_of_the_runner_arrives_whole(tmp_path: Path, runs: Path) -> None:
    host = HostileHost(tmp_path / "host")
    elements = ", ".join(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255} . 17 . 53" for n in range(20_000))
    members = f"\tset denied_default_in4 {{\n\t\telements = {{ {elements} }}\n\t}}\n"
    listing = f"ringfence:begin listing\ntable inet ringfence {{\n{members}}}\nringfence:end listing\n"
    host.prints(f"ringfence:table=present\n{listing}")

    found = run_playbook("info", [host.inventory]).hosts["web-1"]

    assert found.ok, found
    assert isinstance(found.result["denials"], list)
    assert len(found.result["denials"]) == 20_000


def test_a_run_keeps_its_environment_to_itself_and_one_that_was_killed_is_swept(tmp_path: Path, runs: Path) -> None:
    host = HostileHost(tmp_path / "host")
    told = tmp_path / "processes"
    host.runs(f"{ABOVE}; echo $$ $worker $ansible >{told}; sleep 600")
    process = subprocess.Popen([sys.executable, "-c", ASKED, str(host.inventory)], start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not (told.exists() and told.read_text().endswith("\n")):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        (private,) = runs.iterdir()
        assert private.stat().st_mode & 0o777 == 0o700
        assert not [path for path in private.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    finally:
        process.kill()
        process.wait()
        for pid in reversed(told.read_text().split()):  # Ansible first: it would write down how its worker ended
            os.kill(int(pid), signal.SIGKILL)
            await_end(pid)
    assert private.exists()
    with private_directory() as own:
        assert list(runs.iterdir()) == [own]
    assert list(runs.iterdir()) == []


def test_a_run_that_another_sweeps_away_as_it_begins_has_a_directory_all_the_same(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, swept = fcntl.flock, []

    def late(file: object, how: int) -> None:
        if not swept:
            swept.extend(runs.iterdir())
            shutil.rmtree(swept[0])
        lock(file, how)  # type: ignore[arg-type]

    monkeypatch.setattr(fcntl, "flock", late)
    with private_directory() as own:
        assert swept
        assert own.is_dir()
        assert list(runs.iterdir()) == [own]


def test_an_ansible_that_was_killed_is_the_reason_why_nothing_is_known_of_a_host(tmp_path: Path, runs: Path) -> None:
    plan = PlanMaker(tmp_path).write({"web-1": Wanted()})
    host = HostileHost(tmp_path / "host")
    host.runs(f"{ABOVE}; echo $ansible >{tmp_path}/ansible; kill -9 $ansible $worker")

    outcome = run_playbook("rollout", [host.inventory], {"ringfence_plan": str(plan)})

    assert (tmp_path / "ansible").exists()
    assert outcome.hosts["web-1"].state == "interrupted"
    assert outcome.hosts["web-1"].reason.startswith("Ansible ended (status ")
