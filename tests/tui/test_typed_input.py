"""What a terminal sends ends no application."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ringfence_tui.typed_input import TypedInput
from textual.events import Key, Resize

from tests.tui.terminal import Terminal

ODD = {
    "Latin-1": b"\xe9\xff",
    "half a character": b"\xe9\x95x",
    "a surrogate": b"\xed\xa0\x80",
    "a key past all characters": b"\x1b[99999999u",
    "a key that is a surrogate": b"\x1b[55296u",
    "a key without a number": b"\x1b[;u\x1b[:u\x1b[-1u",
    "the mouse nowhere": b"\x1b[<0;-5;-7M\x1b[<999;0;0M\x1b[<;;M\x1b[M\xff\xff\xff\x1b[<0;99999999;99999999M",
    "a size of no terminal": b"\x1b[48;0;0;0;0t\x1b[48;9999;9999;1;1t",
    "NUL": b"\0" * 50,
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_a_key_after_what_no_terminal_sends_still_arrives(odd: bytes) -> None:
    typed = TypedInput(lambda: (80, 24))
    list(typed.read(odd))
    events = list(typed.read(b"j"))

    assert any(isinstance(one, Key) and one.key == "j" for one in events)


def test_a_size_counts_that_the_terminal_has() -> None:
    typed = TypedInput(lambda: (80, 24))
    sizes = [one.size for one in typed.read(b"\x1b[48;0;0;0;0t\x1b[48;24;80;480;800t") if isinstance(one, Resize)]

    assert sizes == [(80, 24)]


def test_a_character_may_come_in_two_parts() -> None:
    typed = TypedInput(lambda: (80, 24))

    assert not list(typed.read("長".encode()[:1]))
    assert [one.character for one in typed.read("長".encode()[1:]) if isinstance(one, Key)] == ["長"]


def test_the_application_goes_on_after_all_of_it(tmp_path: Path) -> None:
    with Terminal([sys.executable, "-m", "ringfence.cli"], cwd=tmp_path) as terminal:
        terminal.wait_for("Begin a new workspace")
        for odd in ODD.values():
            terminal.send(odd)
            terminal.settle()
        assert b"Traceback" not in terminal.written
        terminal.press("ctrl+q")
        assert terminal.wait_end() == 0
