"""What stands is not taken for nothing where the directory of emergencies cannot be read."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ringfence.estate.emergencies import orders
from ringfence.model.emergencies import FOLDER
from ringfence.model.errors import InputErrors


def no_directory(path: Path) -> None:
    path.write_text("")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def points_nowhere(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize("made", [no_directory, loop, points_nowhere])
def test_what_is_in_the_place_of_the_directory_is_told(tmp_path: Path, made: Callable[[Path], None]) -> None:
    made(tmp_path / FOLDER)
    with pytest.raises(InputErrors, match="nothing is known of what stands"):
        orders(tmp_path)


def test_a_directory_that_one_may_not_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FOLDER).mkdir()

    def refused(_path: Path) -> Iterator[Path]:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refused)  # root may read everything
    with pytest.raises(InputErrors, match="Permission denied"):
        orders(tmp_path)


def test_no_directory_is_no_emergency(tmp_path: Path) -> None:
    assert orders(tmp_path) == ()
