"""The model of a terminal that tests read screens by."""

from __future__ import annotations

import pytest

from tests.tui.terminal import line_of


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        (("a", "長", "", "b"), "a長b"),
        (("a", "", "b", " "), "a b "),  # its first half was written over
        (("a", "長", "b", " "), "a b "),  # its second half was
        (("e\u0301", "x"), "e\u0301x"),
    ],
)
def test_a_wide_character_of_which_half_is_written_over_is_a_blank(cells: tuple[str, ...], line: str) -> None:
    assert line_of(cells) == line
