"""Clocks of hosts that are wrong: their reports carry our time, and that is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ringfence.operations.host_clocks import by_our_clock, skewed

CAME = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "ahead", "words"),
    [
        ("2026-11-24T15:00:00Z", timedelta(hours=3), "3 hours ahead of"),
        ("2026-11-24T11:50:00", timedelta(minutes=-10), "10 minutes behind"),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC) - CAME, "behind"),
    ],
)
def test_a_report_of_a_wrong_clock_carries_our_time_and_is_named(said: str, ahead: timedelta, words: str) -> None:
    result, found = by_our_clock({"observed": said, "flows": []}, CAME)
    assert (result, found) == ({"observed": "2026-11-24T12:00:00Z", "flows": []}, ahead)
    assert words in str(skewed("db-1", ahead))


@pytest.mark.parametrize("said", ["2026-11-24T12:04:59Z", "soon", None, ""])
def test_a_right_clock_and_no_time_at_all_change_nothing(said: str | None) -> None:
    report = {"observed": said, "flows": []}
    assert by_our_clock(report, CAME) == (report, None)
