"""An inventory that is asked by somebody who goes: nothing goes on asking."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ringfence.model.errors import RingfenceError
from ringfence.sources.ansible_inventory import read_inventory
from ringfence.sources.heard_run import Hear
from ringfence.sources.lifeline import let_go

from tests.lone_target import wait_until

WAITS = 120.0  # seconds at most
ASKS = "import sys; from pathlib import Path; from ringfence.sources.ansible_inventory import read_inventory;"


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Path]:
    """A workspace with a source that answers never; it writes down which process asks it."""
    script = tmp_path / "inventory/cloud.sh"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\ncd {tmp_path}\necho $PPID > asking\nwhile test ! -e over; do sleep 0.1; done\n")
    script.chmod(0o755)
    yield tmp_path
    (tmp_path / "over").touch()


def asking(workspace: Path) -> int:
    told = workspace / "asking"
    wait_until(lambda: told.exists() and told.read_text().endswith("\n"), WAITS)
    return int(told.read_text())


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("hear", ["None", "print"])
def test_an_inventory_is_asked_no_longer_than_the_process_lives_that_asks(slow: Path, hear: str) -> None:
    program = f"{ASKS} read_inventory([Path('inventory')], Path(), hear={hear})"
    process = subprocess.Popen([sys.executable, "-c", program], cwd=slow)
    pid = asking(slow)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: not is_there(pid), WAITS)


@pytest.mark.parametrize("hear", [None, print])
def test_an_inventory_that_is_let_go_leaves_no_process_and_no_file(
    slow: Path, hear: Hear | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (slow / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(slow / "scratch"))
    failed: list[RingfenceError] = []

    def ask() -> None:
        try:
            read_inventory([slow / "inventory"], slow, hear=hear)
        except RingfenceError as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    pid, descriptors = asking(slow), len(list(Path("/proc/self/fd").iterdir()))
    let_go()
    thread.join()
    assert failed
    assert not is_there(pid)
    assert not list((slow / "scratch").iterdir())
    assert len(list(Path("/proc/self/fd").iterdir())) < descriptors
