"""Heads of files come from an index while the files are as they were, and from the files in every other case."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from ringfence.file_heads import file_heads


@dataclass(frozen=True)
class Head:
    first: str
    letters: int


class Files:
    """Files of a directory that are old enough for an index, and those that were read."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory / "files"
        self.directory.mkdir()
        self.index = directory / "heads.index"
        self.read: list[str] = []
        monkeypatch.setattr("ringfence.file_heads.SETTLED", -(10**12))

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        (self.directory / name).write_text(text)

    def heads(self) -> dict[str, Head]:
        """Return the heads of all files; `read` says which were read for that."""
        self.read = []

        def read(path: Path) -> Head:
            self.read.append(path.name)
            text = path.read_text()
            return Head(text[:1], len(text))

        return file_heads(self.index, {one.name: one for one in sorted(self.directory.iterdir())}, Head, read)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    made = Files(tmp_path, monkeypatch)
    made.write("a", "alpha")
    made.write("b", "beta")
    return made


def test_a_file_is_read_once_and_again_after_it_changed(files: Files) -> None:
    assert files.heads() == {"a": Head("a", 5), "b": Head("b", 4)}
    assert files.heads() == {"a": Head("a", 5), "b": Head("b", 4)}
    assert files.read == []

    times = (files.directory / "b").stat()
    files.write("b", "zeta")
    os.utime(files.directory / "b", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert files.heads()["b"] == Head("z", 4)
    assert files.read == ["b"]


def test_files_that_go_and_come_are_followed(files: Files) -> None:
    files.heads()
    (files.directory / "a").unlink()
    files.write("c", "gamma")

    assert files.heads() == {"b": Head("b", 4), "c": Head("g", 5)}
    assert files.read == ["c"]
    assert "alpha" not in files.index.read_text()
    assert '"a":' not in files.index.read_text()


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"[1]",
        b"\xff",
        b"null",
        b"[" * 100_000,
        b'{"a": 1, "b": null}',
        b'{"a": {"stamp": [], "head": {}}, "b": {"stamp": null}}',
    ],
)
def test_a_damaged_index_is_made_anew(files: Files, junk: bytes) -> None:
    files.heads()
    whole = files.index.read_bytes()
    files.index.write_bytes(junk)

    assert files.heads() == {"a": Head("a", 5), "b": Head("b", 4)}
    assert files.index.read_bytes() == whole


@pytest.mark.parametrize(("before", "after"), [('"letters":5', '"letters":"5"'), ('"first"', '"last"')])
def test_a_head_of_another_shape_is_read_again(files: Files, before: str, after: str) -> None:
    files.heads()
    files.index.write_text(files.index.read_text().replace(before, after))

    assert files.heads()["a"] == Head("a", 5)
    assert "a" in files.read


def test_a_file_that_was_written_just_now_is_read_again(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.file_heads.SETTLED", 10**10)

    files.heads()
    files.heads()

    assert files.read == ["a", "b"]


def test_an_index_that_cannot_be_written_costs_time_alone(files: Files) -> None:
    files.index.mkdir()

    assert files.heads() == {"a": Head("a", 5), "b": Head("b", 4)}
    assert sorted(one.name for one in files.index.parent.iterdir()) == ["files", "heads.index"]


def test_a_pipe_in_place_of_the_index_ends_no_listing(files: Files) -> None:
    os.mkfifo(files.index)
    began = time.monotonic()

    assert files.heads()["a"] == Head("a", 5)
    assert time.monotonic() - began < 60
