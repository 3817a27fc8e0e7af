"""A film of a program: what it shows is what the program showed, without the pauses of the test that drove it."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pyte

from tests.tui.drawing import drawn, rows
from tests.tui.recording import PAUSE_AT_MOST, Recording, shortened
from tests.tui.terminal import Terminal

SIZE = (40, 6)
PICTURES = Path(__file__).parents[2] / "docs/pictures"
WRITES = (
    "import sys; print('\\x1b[1;31;44mred' + ' ' * 30 + '\\x1b[0m\\r\\n\\x1b[4mline\\x1b[0m\\x1b[7m' + ' ' * 20 + '|',"
    " '数据库 <&>'); sys.stdin.readline(); print('\\x1b[2;1H' + ' ' * 40 + '\\x1b[0m\\r\\nlast')"
)


def recorded() -> Recording:
    recording = Recording(SIZE, "a film")
    with Terminal([sys.executable, "-c", WRITES], SIZE, recording=recording) as terminal:
        terminal.wait_for("<&>")
        terminal.mark("the first & <only> screen")
        terminal.press("enter")
        terminal.wait_for("last")
        terminal.mark("its end")
    return recording


def test_what_asciinema_plays_is_what_was_on_the_terminal(tmp_path: Path) -> None:
    recording = recorded()
    recording.write_cast(tmp_path / "one.cast")

    head, *events = (json.loads(line) for line in (tmp_path / "one.cast").read_text(encoding="utf-8").splitlines())
    assert (head["version"], head["width"], head["height"]) == (2, *SIZE)
    screen = pyte.Screen(*SIZE)
    stream, stills = pyte.Stream(screen), list(recording.stills)
    for _, kind, text in events:
        if kind == "m":
            assert rows(screen) == stills.pop(0).shown, text
        else:
            stream.feed(text)
    assert stills == []
    times = [at for at, _, _ in events]
    assert times == sorted(times)


def test_a_pause_is_short_and_a_key_takes_a_moment() -> None:
    recording = Recording(SIZE, "a film")
    recording.wrote(b"one")
    recording._last = time.monotonic() - 100
    recording.wrote(b"two")

    (first, _, _), (second, _, _) = recording._events
    assert second - first == PAUSE_AT_MOST


def test_what_is_shortened_is_painted_alike() -> None:
    spaces = " " * 30
    for text in (f"\x1b[41m{spaces}\x1b[0m\r\nb", f"\x1b[1;41ma b{spaces}b\x1b[0m\x1b[1mc", f"\x1b[38;5;7m{spaces}a"):
        seen = []
        for told in (text, shortened(text)):
            screen = pyte.Screen(*SIZE)
            pyte.Stream(screen).feed("\x1b[32mX" * 120 + "\x1b[0m\x1b[H" + told)
            seen.append(rows(screen))
        assert seen[0] == seen[1]
        assert len(shortened(text)) < len(text)


def test_what_erasing_would_paint_otherwise_is_not_shortened() -> None:
    for style in ("7", "4", "1;7", "7;38;5;2", "1;4;31"):
        assert shortened(f"\x1b[{style}m{' ' * 30}a") == f"\x1b[{style}m{' ' * 30}a"
    assert shortened(" " * 30) == " " * 30


def test_stills_are_an_svg_without_script_and_without_anything_from_elsewhere(tmp_path: Path) -> None:
    recording = recorded()
    recording.write_stills(tmp_path / "one.svg")

    told = (tmp_path / "one.svg").read_text(encoding="utf-8")
    ElementTree.fromstring(told)
    assert "1/2  the first &amp; &lt;only&gt; screen" in told
    assert told.count("http") == 1  # the name of SVG
    assert "script" not in told
    ElementTree.fromstring(drawn(recording.stills[0].shown))


def test_the_film_in_the_documentation_shows_all_of_the_journey() -> None:
    cast = PICTURES / "journey.cast"
    assert cast.stat().st_size < 400_000, "make recording"
    _, *events = (json.loads(line) for line in cast.read_text(encoding="utf-8").splitlines())
    marks = [text for _, kind, text in events if kind == "m"]
    steps = (PICTURES.parents[1] / "tests/lab/journey.py").read_text(encoding="utf-8")
    assert sorted(marks) == sorted(re.findall(r'terminal\.mark\("(.*)"\)', steps)), "make recording"
    assert f"{len(marks)}/{len(marks)}  {marks[-1]}" in (PICTURES / "journey.svg").read_text(encoding="utf-8")
    assert "".join(text for _, kind, text in events if kind == "o").rindex("DENIED") > 0
