"""Times in seconds that hosts and files report, whatever their clocks say."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ringfence.model.errors import InputError
from ringfence.model.times import LAST, time_of_seconds, utc_text
from ringfence.operations.asset_history import _taken
from ringfence.operations.flow_selection import time_of

NOW = datetime(2026, 10, 25, 12, tzinfo=UTC)


def test_every_number_of_seconds_is_a_time() -> None:
    assert utc_text(1_795_510_500) == "2026-11-24 08:55:00"
    assert utc_text(-1) == "1969-12-31 23:59:59"
    for seconds, year in ((10**11, 5138), (10**18, 9999), (-(10**18), 1), (float("inf"), 9999), (2**200, 9999)):
        assert time_of_seconds(seconds).year == year


def test_a_snapshot_whose_file_is_of_no_year_that_a_calendar_has_is_told_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.touch()
    for seconds in (300_000_000_000, -1):
        os.utime(path, (seconds, seconds))
        assert _taken(path) in (time_of_seconds(path.stat().st_mtime), LAST)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "99999999999d"])
def test_a_time_that_no_calendar_has_in_utc_is_named(text: str) -> None:
    with pytest.raises(InputError, match="not a valid time"):
        time_of(text, NOW)


def test_a_span_is_so_many_hours_whatever_the_clocks_do() -> None:
    assert NOW - time_of("24h", NOW) == NOW - time_of("1d", NOW) == timedelta(hours=24)
