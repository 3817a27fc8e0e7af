"""Times on screens: the zone of this machine, whatever it is called and whatever a file says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import ringfence_tui
from ringfence_tui.ages import age, ago
from ringfence_tui.clock import clock, date_and_clock, day_and_clock, lasted, zone

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ODD = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z", "0000-01-01", "", "x", "24:00")


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


@pytest.mark.parametrize(
    ("in_zone", "shown", "named"),
    [
        ("UTC", "2026-11-24 07:00", "UTC+00:00"),
        ("Europe/Berlin", "2026-11-24 08:00", "CET, UTC+01:00"),
        ("Australia/Lord_Howe", "2026-11-24 18:00", "UTC+11:00"),
        ("America/St_Johns", "2026-11-24 03:30", "NST, UTC-03:30"),
        (":bad", "2026-11-24 07:00", "UTC+00:00"),
        ("no/such/place", "2026-11-24 07:00", None),
    ],
    indirect=["in_zone"],
)
def test_a_time_is_shown_in_the_zone_of_this_machine_which_is_named(
    in_zone: str, shown: str, named: str | None
) -> None:
    for text in ("2026-11-24T07:00:00Z", "2026-11-24T07:00:00", "2026-11-24T08:00:00+01:00"):
        assert date_and_clock(text) == shown
    assert named is None or zone(NOW) == named


@pytest.mark.parametrize("in_zone", ["Australia/Lord_Howe", ":bad", "America/St_Johns"], indirect=True)
def test_no_time_that_a_file_or_a_host_tells_ends_in_an_error(in_zone: str) -> None:
    for text in ODD:
        for shown in (clock(text), day_and_clock(text, NOW), date_and_clock(text), age(text, NOW), ago(text, NOW)):
            assert isinstance(shown, str), in_zone
        assert isinstance(lasted(text, NOW.isoformat()), str)


@pytest.mark.parametrize("in_zone", ["Australia/Lord_Howe"], indirect=True)
def test_how_long_something_lasted_does_not_depend_on_clocks_that_changed_meanwhile(in_zone: str) -> None:
    # they go forward by half an hour at 15:30 UTC
    assert (lasted("2026-10-03T15:00:00Z", "2026-10-03T16:00:00Z"), in_zone) == ("60 min", "Australia/Lord_Howe")


def test_the_pictures_have_the_time_stand_still_wherever_it_is_asked_for() -> None:
    frozen = Path(__file__).parents[2] / "docs/pictures/screens.py"
    program = Path(ringfence_tui.__file__).parent
    asking = [path for path in program.rglob("*.py") if "datetime.now(" in path.read_text()]
    names = {".".join(path.relative_to(program).with_suffix("").parts) for path in asking}
    assert {name for name in names if f'"{name}"' not in frozen.read_text()} == set()
