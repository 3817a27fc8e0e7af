"""Signs for terminals that lack ours."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ringfence_tui.glyphs import STAND_INS, stand_ins

from tests.tui.terminal import Terminal
from tests.unit.cli_shop import FILES, shop

UTF8 = {"TERM": "xterm-256color", "LANG": "C.UTF-8"}


@pytest.mark.parametrize(
    "environment",
    [
        UTF8,
        {"TERM": "xterm"},
        {"TERM": "xterm", "LANG": "C"},
        {"TERM": "screen", "STY": "1", "LANG": "C.UTF-8"},
        UTF8 | {"LC_ALL": "de_DE.utf8"},
        {"TERM": "linux", "RINGFENCE_ASCII": "0"},
    ],
)
def test_a_terminal_that_may_show_all_gets_all(environment: dict[str, str]) -> None:
    assert stand_ins(environment) is None


@pytest.mark.parametrize(
    "environment",
    [
        {"TERM": "screen", "STY": "1"},
        UTF8 | {"LC_ALL": "de_DE.ISO-8859-1"},
        UTF8 | {"LC_ALL": "de_DE.ISO-8859-15@euro"},
        UTF8 | {"LC_CTYPE": "ru_RU.KOI8-R"},
        UTF8 | {"RINGFENCE_ASCII": "1"},
    ],
)
def test_another_character_set_gets_ascii_alone_in_as_many_cells(environment: dict[str, str]) -> None:
    made = stand_ins(environment)
    assert made is not None
    assert made("┌─ ✓ db-ü │ 日本 …\x1b[1m") == "+- v db-? | ???? .\x1b[1m"


def test_signs_of_our_own_alone_are_exchanged_on_serial_lines() -> None:
    made = stand_ins({"TERM": "vt220"})
    assert made is not None
    assert made("│ ✗ db-ü →") == "| X db-ü >"


def test_the_linux_console_keeps_what_its_fonts_have() -> None:
    made = stand_ins({"TERM": "linux"})
    assert made is not None
    assert made("│ ✓ ✗ → · … –") == "│ v X → · . -"


def test_no_two_marks_that_say_opposite_things_become_one() -> None:
    assert len({STAND_INS[ord(mark)] for mark in "✓✗"}) == 2
    assert STAND_INS[ord("·")] not in map(ord, "x!?~+r")


def test_no_other_byte_than_ascii_is_written_where_that_was_asked_for(tmp_path: Path) -> None:
    shop(tmp_path, {"inventory/hosts.yml": FILES["inventory/hosts.yml"].replace("web-1", "wéb-日")})
    environment = {"LC_ALL": "C", "RINGFENCE_ASCII": "1"}
    with Terminal([sys.executable, "-m", "ringfence.cli"], (90, 30), cwd=tmp_path, env=environment) as terminal:
        terminal.wait_for("covered      4 of 4")
        for key, said in (
            ("2", "w?b-??"),
            ("/", "/"),
            ("é", "1 of 4"),
            ("enter", "1 of 4"),
            ("?", "Keys of"),
            ("esc", "NAME"),
        ):
            terminal.press(key)
            terminal.wait_for(said)
        terminal.press("q")
        assert terminal.wait_end() == 0
    assert terminal.written.isascii()
