"""A lab changes nothing around it while it stands, and nothing is left of it: after down, an interrupt, a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ringfence.lab import state
from ringfence.lab.session import Lab
from ringfence.lab.spec import HostSpec, Kind
from ringfence.model.errors import InputError

from tests.lab.leftovers import groups_of, processes_of, seen_from_outside
from tests.lab_fixtures import MakeLab, echo_unit, require

pytestmark = pytest.mark.lab
KINDS = [pytest.param("machines", marks=pytest.mark.machines), "namespaces"]
HOSTS = [HostSpec("one", units=(echo_unit(),)), HostSpec("two")]

RAISE = """
import sys, time
from pathlib import Path
from ringfence.lab.session import Lab
from ringfence.lab.spec import HostSpec
def report(text, share):
    print(text, flush=True)
    if text == "two starts":
        time.sleep(300)
Lab("test", Path(sys.argv[1])).up([HostSpec("one"), HostSpec("two")], sys.argv[2], report)
"""


def eventually(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def half_raised(directory: Path, kind: Kind) -> subprocess.Popen[str]:
    """Return a process that is bringing a lab up and waits with its hosts started."""
    require(kind)
    process = subprocess.Popen([sys.executable, "-c", RAISE, str(directory), kind], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "two starts":
            return process
    raise AssertionError("the lab was not raised")


@pytest.mark.parametrize("kind", KINDS)
def test_a_lab_that_stands_is_not_seen_from_outside_and_nothing_is_left_after_down(
    kind: Kind, make_lab: MakeLab
) -> None:
    before = seen_from_outside()
    lab = make_lab(HOSTS, kind)
    during = seen_from_outside()
    processes = processes_of(lab)
    assert len(processes) > 4
    lab.run("one", ["sh", "-c", "nft add table inet ringfence; touch /etc/made-here /run/made-here /var/lib/made-here"])
    lab.down()
    assert during == before
    assert seen_from_outside() == before
    assert not [process for process in processes if process.alive()]
    assert groups_of(lab) == []
    assert not lab.directory.exists()
    assert list(lab.directory.parent.iterdir()) == []
    assert not Path("/etc/made-here").exists()
    assert not Path("/var/lib/made-here").exists()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_an_interrupted_up_leaves_nothing(kind: Kind, number: signal.Signals, tmp_path: Path) -> None:
    before = seen_from_outside()
    lab = Lab("test", tmp_path / "lab")
    raising = half_raised(lab.directory, kind)
    processes = processes_of(lab)
    raising.send_signal(number)
    raising.wait(20)
    assert raising.returncode != 0
    assert not [process for process in processes if process.alive()]
    assert seen_from_outside() == before
    assert groups_of(lab) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_killed_up_leaves_ends_by_itself_and_the_next_up_removes_the_rest(kind: Kind, tmp_path: Path) -> None:
    before = seen_from_outside()
    lab = Lab("test", tmp_path / "lab")
    raising = half_raised(lab.directory, kind)
    processes = processes_of(lab)
    raising.kill()
    raising.wait(20)
    eventually(lambda: not [process for process in processes if process.alive()])
    lab.up(HOSTS, kind)
    assert [host.state for host in lab.status()] == ["running", "running"]
    lab.down()
    assert groups_of(lab) == []
    assert list(tmp_path.iterdir()) == []
    assert seen_from_outside() == before


@pytest.mark.parametrize("kind", KINDS)
def test_down_removes_what_is_left_when_the_first_process_was_killed(kind: Kind, make_lab: MakeLab) -> None:
    lab = make_lab(HOSTS, kind)
    processes = processes_of(lab)
    held = state.read(lab.directory)
    assert held is not None
    assert held.supervisor is not None
    os.kill(held.supervisor.pid, signal.SIGKILL)
    eventually(lambda: not [process for process in processes if process.alive()])
    assert lab.status() == []
    lab.down()
    assert groups_of(lab) == []
    assert list(lab.directory.parent.iterdir()) == []


def test_a_lab_that_is_up_is_not_brought_up_again(namespaces: Lab) -> None:
    with pytest.raises(InputError, match="is up already"):
        namespaces.up(HOSTS, "namespaces")
    assert namespaces.run("n1", ["true"]).returncode == 0


def test_a_directory_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    require("namespaces")
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="holds other things"):
        Lab("test", tmp_path).up(HOSTS, "namespaces")
    Lab("test", tmp_path).down()
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
