"""The palettes: the cursor is seen on every sign."""

from __future__ import annotations

import pytest
from ringfence_tui.spans import OF_SIGN, Tone
from ringfence_tui.theme import PALETTES


@pytest.mark.parametrize("name", PALETTES)
def test_the_cursor_is_seen_on_a_cell_of_every_sign(name: str) -> None:
    palette = PALETTES[name]
    cursor = palette[Tone.CHOSEN]
    assert cursor.reverse
    for tone in OF_SIGN.values():
        style = palette[tone]
        assert not style.reverse or style.color != cursor.color  # without colour, reverse is the cursor's alone
