"""Files are written whole: permissions stay, and a write that fails leaves the old text and nothing else."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from ringfence.files import PRIVATE, locked, own_file, write_all, write_named, write_whole


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_a_new_file_has_the_mode_that_was_asked_for_whatever_the_umask_is(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_whole(tmp_path / "deep/shown", "a\r\nb\n")
        write_whole(tmp_path / "deep/private", "", PRIVATE)
    finally:
        os.umask(before)
    assert (tmp_path / "deep/shown").read_bytes() == b"a\r\nb\n"
    assert [mode_of(tmp_path / "deep" / name) for name in ("shown", "private")] == [0o644, 0o600]


def test_a_file_that_is_there_keeps_its_mode_and_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_text("old")
    path.chmod(0o640)
    with path.open() as reader:
        write_whole(path, "new", PRIVATE)
        assert reader.read() == "old"
    assert (path.read_text(), mode_of(path)) == ("new", 0o640)
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_text_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "\ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("write", [write_whole, lambda path, text: write_all([(path, text)])])
def test_a_full_disk_names_the_file_that_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, str], None]
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        write(tmp_path / "kept", "new")
    assert caught.value.filename == str(tmp_path / "kept")


def test_a_file_of_a_directory_that_appears_later_is_written_as_it_is(tmp_path: Path) -> None:
    write_all([(tmp_path / "ruleset.nft", "table inet ringfence {}\r\n")])
    assert (tmp_path / "ruleset.nft").read_bytes() == b"table inet ringfence {}\r\n"


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_lock_changes_no_other_file_and_waits_for_no_pipe(tmp_path: Path, kind: str) -> None:
    (tmp_path / "other").write_text("precious")
    lock = tmp_path / ".state.lock"
    if kind == "link":
        lock.symlink_to("other")
    else:
        os.mkfifo(lock)
    with pytest.raises(OSError, match=r"symbolic|not a regular"), locked(tmp_path / "state"):
        pass
    assert (tmp_path / "other").read_text() == "precious"


@pytest.mark.parametrize("kind", ["directory", "link", "pipe", "open to others"])
def test_what_is_no_file_of_the_users_own_holds_nothing(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "kept", tmp_path / "other"
    other.write_text("planted")
    match kind:
        case "directory":
            path.mkdir()
        case "link":
            path.symlink_to(other)
        case "pipe":
            os.mkfifo(path)
        case _:
            path.write_text("planted")
            path.chmod(0o666)
    assert own_file(path) == b""


def test_a_link_that_a_person_names_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_named(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_a_device_that_a_person_names_stays_one(tmp_path: Path) -> None:
    write_named(Path("/dev/null"), "gone")
    assert Path("/dev/null").is_char_device()
    with pytest.raises(OSError, match="No space left"):
        write_named(Path("/dev/full"), "gone")
    assert Path("/dev/full").is_char_device()
    with pytest.raises(IsADirectoryError):
        write_named(tmp_path, "none")


def test_a_named_file_that_may_not_be_written_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kept").write_text("old")
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)  # the superuser may write everything
    with pytest.raises(PermissionError):
        write_named(tmp_path / "kept", "new")
    assert (tmp_path / "kept").read_text() == "old"
