"""Emergencies where the disk takes nothing or lost something: the kernel holds what is said, and nothing is dropped."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ringfence.wire.emergency_lines import Emergency

from tests.emergency_sessions import Sessions
from tests.lone_target import LoneTarget, fill, mount, remount
from tests.unit.collection.emergency_target import ALONE, CUT, NOW, ask, holds

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")
OTHER = Emergency("q-00000009", "quarantine", NOW, remote=("192.0.2.1",))
BOTH = {OTHER.id: True, CUT.id: True}


@pytest.fixture
def disk(target: LoneTarget) -> Iterator[LoneTarget]:
    """A target whose state is a file system of its own."""
    mount(target.state, "100k")
    try:
        yield target
    finally:
        remount(target.state, "rw")
        subprocess.run(["umount", "-l", str(target.state)], check=True)


def reboot(target: LoneTarget, sessions: Sessions) -> int:
    """Have the kernel and the memory lose everything, load what is kept, and return the status of that."""
    sessions.target.run("sh", "-c", "nft flush ruleset; for f in '' 6; do ip${f}tables-legacy -t mangle -F; done; true")
    subprocess.run(["rm", "-rf", str(target.memory)], check=True)
    return target.ask("hold")[0]


def unkept(target: LoneTarget) -> str:
    """Return what a look tells of what a reboot would not bring back."""
    return " ".join(target.ask("status")[1].all("unkept"))


@pytest.mark.parametrize("fails", ["full", "ro"])
@pytest.mark.parametrize("before", [True, False])
def test_on_a_disk_that_takes_nothing_the_kernel_holds_all_and_who_looks_is_told(
    disk: LoneTarget, sessions: Sessions, fails: str, before: bool
) -> None:
    if before:
        assert holds(ask(disk, OTHER)) == {OTHER.id: True}
    if fails == "full":
        fill(disk.state)
    else:
        remount(disk.state, "ro")
    reply = ask(disk, CUT)
    assert reply.last("state") == "unkept"
    assert (
        f"after a reboot this host does not hold all of it ({'q-00000009, ' if before else ''}{CUT.id})"
        in reply.last("warning")
    )
    # the next order, and a flush of somebody else, drop nothing of it
    assert holds(ask(disk, OTHER)) == BOTH
    sessions.target.run("sh", "-c", "nft flush ruleset; for f in '' 6; do ip${f}tables-legacy -t mangle -F; done; true")
    assert disk.ask("hold")[0] == 0
    assert holds(disk.ask("status")[1]) == BOTH
    assert sessions.open("tcp4") == frozenset()
    assert CUT.id in unkept(disk)
    # and what is ended is ended, until a reboot may bring it back
    assert holds(ask(disk, ends=(CUT.id, OTHER.id))) == {}
    assert sessions.open("tcp4") == {"tcp4"}
    assert ("may bring back" in unkept(disk)) == (before and fails == "ro")
    remount(disk.state, "rw")
    assert holds(ask(disk, ends=(CUT.id,))) == {}
    assert unkept(disk) == ""
    assert reboot(disk, sessions) == 0
    assert holds(disk.ask("status")[1]) == {}


def gone(path: Path) -> None:
    path.unlink()


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(4000))


def link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere/at/all")


def directory(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()
    (path / "x").write_text("x")


def pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def sparse(path: Path) -> None:
    with path.open("ab") as file:
        file.truncate(3 << 30)


@pytest.mark.parametrize("broken", [gone, garbage, link_to_nothing, directory, pipe, sparse])
def test_what_stands_is_known_from_memory_where_the_disk_lost_it(
    target: LoneTarget, sessions: Sessions, broken: Callable[[Path], None]
) -> None:
    ask(target, CUT)
    broken(target.state / "emergency")
    assert holds(target.ask("status")[1]) == {CUT.id: True}
    assert CUT.id in unkept(target)
    reply = ask(target, OTHER)
    assert holds(reply) == BOTH
    assert "what stood is known from memory" in reply.last("warning")
    assert unkept(target) == ""
    assert reboot(target, sessions) == 0
    assert holds(target.ask("status")[1]) == BOTH
    assert sessions.open("tcp4") == frozenset()


@pytest.mark.parametrize("name", ["emergency.clock", "emergency.approved", "emergency.sh", "new/emergency", "new"])
@pytest.mark.parametrize("broken", [directory, pipe, sparse])
def test_nothing_that_lies_in_the_place_of_a_file_keeps_a_quarantine_from_standing(
    target: LoneTarget, sessions: Sessions, name: str, broken: Callable[[Path], None]
) -> None:
    ask(target, OTHER, now=str(NOW))
    path = target.state / name
    if path.is_dir():
        path.rmdir()
    broken(path)
    assert holds(ask(target, CUT, now=str(NOW))) == BOTH
    assert unkept(target) == ""
    assert reboot(target, sessions) == 0
    assert holds(target.ask("status")[1]) == BOTH


@pytest.mark.parametrize("how", ["truncated", "newer"])
def test_of_a_file_that_is_damaged_at_boot_what_is_whole_in_it_is_cut_off(
    target: LoneTarget, sessions: Sessions, how: str
) -> None:
    granted = ("emergency p-0123abcd permission 1 0 - -", "element permitted in 6 any any 192.0.2.7")
    ask(target, CUT, OTHER)
    path = target.state / "emergency"
    lines = path.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(f"emergency {OTHER.id}"))
    kept = [*lines[:at], *granted, *lines[at:]]
    path.write_text("\n".join(kept[:-2] if how == "truncated" else [*kept[:-1], "element geo xx", "# whole"]) + "\n")
    assert reboot(target, sessions) == 0
    reply = target.ask("status")[1]
    assert holds(reply) == {CUT.id: True}
    assert f"is not known but for {CUT.id}" in " ".join(reply.all("damaged"))
    assert sessions.open("tcp4") == frozenset()
    reply = ask(target, ALONE)
    assert holds(reply) == {CUT.id: True, ALONE.id: True}
    assert f"is not known but for {CUT.id}" in reply.last("warning")


def test_who_looks_after_a_release_is_told_nothing_of_a_clock(target: LoneTarget) -> None:
    ask(target, CUT)
    ask(target, ends=(CUT.id,))
    _, reply, errors = target.ask("status")
    assert (reply.all("warning"), errors) == ([], "")
