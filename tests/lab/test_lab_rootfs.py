"""Root file systems are made once, and an interrupted making leaves no process and no mount."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from ringfence.lab import rootfs
from ringfence.model.errors import OutsideError

from tests.lab.leftovers import seen_from_outside
from tests.lab_fixtures import require

pytestmark = [pytest.mark.lab, pytest.mark.machines]
MAKE = """
import sys
from ringfence.lab import rootfs
rootfs.ensure("bookworm", lambda text, share: print(text, flush=True))
"""


def test_what_is_in_the_cache_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_LAB_CACHE", str(tmp_path))
    rootfs.path_of("bookworm").mkdir()
    assert rootfs.ensure("bookworm", lambda _text, _share: None) == rootfs.path_of("bookworm")


def test_whoever_waits_for_another_to_make_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_LAB_CACHE", str(tmp_path))
    told = []
    with (tmp_path / "bookworm.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        def report(text: str, share: float) -> None:
            told.append((text, share))
            rootfs.path_of("bookworm").mkdir()
            fcntl.flock(other, fcntl.LOCK_UN)

        assert rootfs.ensure("bookworm", report) == rootfs.path_of("bookworm")
    assert told == [("bookworm: another process makes it", 0.0)]


def test_a_mirror_that_does_not_answer_is_an_error_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("machines")
    monkeypatch.setenv("RINGFENCE_LAB_CACHE", str(tmp_path))
    monkeypatch.setenv("RINGFENCE_LAB_MIRROR", "http://127.0.0.1:9/debian")
    with pytest.raises(OutsideError, match=r"debootstrap of Debian bookworm failed.*bookworm\.log"):
        rootfs.ensure("bookworm", lambda _text, _share: None)
    assert not rootfs.path_of("bookworm").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_an_interrupted_making_leaves_no_process_and_no_mount(number: signal.Signals, tmp_path: Path) -> None:
    require("machines")
    before = seen_from_outside()
    with socket.create_server(("127.0.0.1", 0)) as silent_mirror:
        mirror = f"http://127.0.0.1:{silent_mirror.getsockname()[1]}/debian"
        making = subprocess.Popen(
            [sys.executable, "-c", MAKE],
            env={**os.environ, "RINGFENCE_LAB_CACHE": str(tmp_path), "RINGFENCE_LAB_MIRROR": mirror},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        silent_mirror.settimeout(20)
        connection, _ = silent_mirror.accept()
        with connection:
            making.send_signal(number)
            making.wait(10)
            connection.settimeout(10)
            while connection.recv(4096):
                pass  # until whoever fetched is gone
    assert making.returncode != 0
    assert seen_from_outside() == before
    assert not rootfs.path_of("bookworm").with_suffix(".partial").is_mount()
