"""What DuckDB spills lies where it may, and is gone with the process."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence import files
from ringfence.flows.database import SPILL, close, connect, delete_spilled


def test_what_may_write_nothing_spills_beside_no_flows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_refused", [True])
    connection = connect(tmp_path)
    assert list(tmp_path.iterdir()) == []
    close(connection)


def test_what_is_spilled_is_deleted_before_an_exit_that_runs_nothing_more(tmp_path: Path) -> None:
    connection = connect(tmp_path)
    assert [path.name for path in tmp_path.glob(f"{SPILL}*")]
    delete_spilled()
    assert list(tmp_path.iterdir()) == []
    close(connection)
