"""The window over many rows: it scrolls by half, keeps the cursor seen, and never leaves its ends."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence_tui.widgets.scrolled import Window
from ringfence_tui.widgets.table import Column, widths


def test_most_steps_down_do_not_scroll() -> None:
    window, scrolls = Window(50_000, 20), 0
    for _ in range(1000):
        after = window.moved(1)
        scrolls += after.top != window.top
        window = after

    assert window.cursor == 1000
    assert scrolls <= 100


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # a busy machine draws slowly
@given(
    st.integers(0, 300),
    st.integers(1, 60),
    st.lists(st.tuples(st.sampled_from(["moved", "scrolled", "paged", "at", "resized"]), st.integers(-400, 400))),
)
def test_the_cursor_is_always_seen(count: int, height: int, steps: list[tuple[str, int]]) -> None:
    window = Window(count, height)
    for name, by in steps:
        window = window.resized(abs(by), height) if name == "resized" else getattr(window, name)(by)
        assert 0 <= window.top <= max(0, window.count - window.height)
        assert window.cursor == 0 or window.top <= window.cursor < window.top + window.height
        assert 0 <= window.cursor < max(1, window.count)


def test_columns_of_the_highest_rank_go_first_and_what_is_left_over_is_shared() -> None:
    columns = [Column("A", 10, grow=1), Column("B", 10, rank=1), Column("C", 10, rank=2)]

    assert widths(columns, 33) == (10, 10, 10)
    assert widths(columns, 32) == (20, 10, 0)
    assert widths(columns, 11) == (10, 0, 0)
