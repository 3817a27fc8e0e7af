"""What is pasted acts as no key, whatever stands in it and however it comes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ringfence_tui.messages import NotTaken
from ringfence_tui.pasted_input import ENDS, LONGEST, TOO_LARGE, UNENDED, NotPasted, Pasted, PastedInput, Piece, Typed
from ringfence_tui.serve.server import MESSAGE_AT_MOST
from ringfence_tui.typed_input import TypedInput
from textual.events import Key, Paste
from textual.message import Message

from tests.tui.map_estate import drawn
from tests.tui.terminal import Terminal

BEGIN, END = b"\x1b[200~", b"\x1b[201~"
ODD = {
    "an escape sequence": b"a\x1b[31mred\x1b[A",
    "a sequence that nobody knows": b"\x1b" + b"[" * 40 + b"q",
    "a lone escape": b"a\x1bqqq",
    "a title": b"\x1b]0;x\x07q",
    "no UTF-8": b"\xff\xfeq",
    "half a mark of the end": b"q\x1b[201q",
    "a mark of the beginning": b"q" + BEGIN + b"q",
    "line ends": b"q\rq\r\nq\n",
}


class Clock:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def events(data: bytes, at_once: int) -> Iterator[Message]:
    typed = TypedInput(lambda: (80, 24))
    for start in range(0, len(data), at_once):
        yield from typed.read(data[start : start + at_once])
        yield from typed.pause()


@pytest.mark.parametrize("at_once", [1, 3, 4096])
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_what_is_pasted_presses_no_key(odd: bytes, at_once: int) -> None:
    found = list(events(b"j" + BEGIN + odd + END + b"k", at_once))

    assert [type(one) for one in found] == [Key, Paste, Key]
    assert isinstance(found[1], Paste)
    assert found[1].text == odd.decode(errors="replace")


def test_an_empty_paste_and_two_in_one_packet() -> None:
    found = list(events(BEGIN + END + BEGIN + b"x" + END, 4096))

    assert [one.text for one in found if isinstance(one, Paste)] == ["", "x"]
    assert len(found) == 2


def test_a_paste_that_is_too_long_is_dropped_whole_and_told() -> None:
    found = list(events(BEGIN + b"x" * (LONGEST + 1) + END + b"j", 4096))

    assert [type(one) for one in found] == [NotTaken, Key]


def test_what_nobody_can_have_typed_is_a_paste_without_marks() -> None:
    clock = Clock()
    pasted = PastedInput(clock)
    assert not list(pasted.read("q" * 4096))
    assert not list(pasted.read("q\rq"))
    clock.now = 1.0

    assert list(pasted.pause()) == [Pasted("q" * 4096 + "q\rq")]
    assert list(pasted.read("j")) == [Typed("j")]


@pytest.mark.parametrize("key", ["\x1b", "\x03", "\x11"])
def test_a_paste_that_lost_its_end_is_told_and_left_by_a_key(key: str) -> None:
    clock = Clock()
    pasted = PastedInput(clock)
    found: list[Piece] = [*pasted.read("\x1b[200~half"), *pasted.pause()]
    clock.now = 3.0
    found += [*pasted.pause(), *pasted.pause(), *pasted.read(key), *pasted.pause()]
    clock.now = 3.2
    found += pasted.pause()

    assert found == [Typed("\x1b[200~"), UNENDED, Typed(ENDS + key)]
    assert list(pasted.read("j")) == [Typed("j")]


def test_a_line_that_stalls_in_a_paste_loses_nothing_of_it() -> None:
    clock = Clock()
    pasted = PastedInput(clock)
    list(pasted.read("\x1b[200~one "))
    clock.now = 9.0
    list(pasted.read("\x1b"))  # the end comes byte by byte
    found = [*pasted.pause(), *pasted.read("[201~")]

    assert found == [Pasted("one "), Typed(ENDS)]


def test_a_browser_may_send_the_longest_paste_in_one_message() -> None:
    message = json.dumps(["stdin", "\x1b" * LONGEST])

    assert len(message) < MESSAGE_AT_MOST


def test_memory_is_bounded_by_the_longest_paste() -> None:
    pasted = PastedInput()
    list(pasted.read("\x1b[200~"))
    for _ in range(40):
        list(pasted.read("x" * 2**16))

    assert not pasted._parts
    assert list(pasted.read(ENDS)) == [TOO_LARGE, Typed(ENDS)]
    assert isinstance(TOO_LARGE, NotPasted)


def test_a_megabyte_goes_into_the_editor_and_a_larger_one_does_not(tmp_path: Path) -> None:
    line = b"# a\x1b[31mred\x1bq \x1b[A\0\xff\r"
    with Terminal([sys.executable, "-m", "ringfence.cli"], (100, 30), cwd=drawn(tmp_path / "estate")) as terminal:
        terminal.wait_for("covered")
        terminal.press("4")
        terminal.wait_for("shop.yml")
        terminal.press("j")
        terminal.settle()
        terminal.press("e")
        terminal.wait_for("into the draft")
        for count, wanted in ((LONGEST // len(line), "\\x1bq"), (LONGEST // len(line) + 1, "longer than")):
            pasted = BEGIN + line * count + END
            for start in range(0, len(pasted), 4096):
                terminal.send(pasted[start : start + 4096])
                while terminal.read(0):
                    pass
            terminal.wait_for(wanted, 120)
        terminal.press("ctrl+q")
        terminal.wait_for("again leaves without it", 60)
        terminal.press("ctrl+q")
        assert terminal.wait_end(60) == 0
