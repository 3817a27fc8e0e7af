"""What a program wrote to a terminal, as a film: asciicast v2 for `asciinema play`, and stills that follow each other.

A test presses keys as soon as it may and waits for minutes; a person who looks on wants neither. So the film has a
clock of its own: a pause after each key, and no pause that is longer than a moment.
"""

from __future__ import annotations

import json
import re
import time
from codecs import getincrementaldecoder
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import pyte

from tests.tui.drawing import FONT, HEIGHT, Cells, head, row_svg, rows

PAUSE_AT_MOST = 1.0  # seconds without output that the film keeps
KEY_TAKES = 0.4  # seconds between what a person sees and the key they press
MARK_TAKES = 1.5  # seconds that a screen stands that is named
STILL_TAKES = 4  # seconds of a still
TICK = 0.05  # seconds; what is written within one is one event
CAPTION = 2  # lines below a still
# Half of what a screen is written with: spaces (and whether a line ends behind them), and styles that end and begin.
SPACES = re.compile(r"(\x1b\[([0-9;]+)m[^\x1b ]*(?: {1,8}[^\x1b ]+)*)( {9,})(\x1b\[0m\r\n)?")
COLOURS = re.compile(r"[345]8;(5;\d+|2;\d+;\d+;\d+)")
STYLES = re.compile(r"\x1b\[0m(?:\r\n(\x1b\[[0-9]+;[0-9]+H))?\x1b\[([0-9;]+)m")


@dataclass(frozen=True, slots=True)
class Still:
    """A screen and what is to be seen on it."""

    caption: str
    shown: tuple[Cells, ...]


@dataclass
class Recording:
    """A film of one or several programs, in the same size, one after the other."""

    size: tuple[int, int]
    title: str
    stills: list[Still] = field(default_factory=list)
    _events: list[tuple[float, str, str]] = field(default_factory=list)
    _now: float = 0.0
    _last: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")("replace").decode

    def wrote(self, data: bytes) -> None:
        """Keep what a program wrote just now."""
        self._pass(PAUSE_AT_MOST)
        self._add("o", shortened(self._decode(data)))

    def typed(self) -> None:
        """Keep that a key is pressed now: by a person, who has looked before."""
        self._pass(PAUSE_AT_MOST)
        self._now += KEY_TAKES

    def says(self, line: str) -> None:
        """Have the shell's prompt and what is typed there, between programs."""
        self._now += MARK_TAKES
        self._add("o", f"\x1b[2J\x1b[H$ {line}\r\n")
        self._now += MARK_TAKES

    def mark(self, caption: str, screen: pyte.Screen) -> None:
        """Name what is on the screen now."""
        self._pass(PAUSE_AT_MOST)
        self._add("m", caption)
        self._now += MARK_TAKES
        self.stills.append(Still(caption, rows(screen)))

    def write_cast(self, target: Path) -> None:
        """Write the film as asciicast v2 (docs.asciinema.org/manual/asciicast/v2)."""
        columns, lines = self.size
        first = {
            "version": 2,
            "width": columns,
            "height": lines,
            "title": self.title,
            "env": {"TERM": "xterm-256color"},
        }
        written = [json.dumps(first)]
        written += [json.dumps([round(at, 2), kind, text], ensure_ascii=False) for at, kind, text in self._events]
        target.write_text("\n".join(written) + "\n", encoding="utf-8")

    def write_stills(self, target: Path) -> None:
        """Write the named screens as one SVG, each after the one before; a row that comes again is kept once."""
        target.write_text(following(self.stills, self.size), encoding="utf-8")

    def _pass(self, at_most: float) -> None:
        now = time.monotonic()
        self._now += min(now - self._last, at_most)
        self._last = now

    def _add(self, kind: str, text: str) -> None:
        if not text:
            return
        if kind == "o" and self._events and self._events[-1][1] == "o" and self._now - self._events[-1][0] < TICK:
            at, _, before = self._events[-1]
            self._events[-1] = (at, "o", before + text)
        else:
            self._events.append((self._now, kind, text))


def shortened(text: str) -> str:
    """Return what paints the same with fewer bytes: cells that are erased in the colour of the moment (ECH, CUF)."""

    def erased(found: re.Match[str]) -> str:
        before, style, spaces, line_end = found.groups()
        if {"4", "7"} & set(COLOURS.sub("", style).split(";")):  # underlined, reversed: not what erasing paints
            return found.group()
        return f"{before}\x1b[{len(spaces)}X" + (line_end or f"\x1b[{len(spaces)}C")

    return STYLES.sub("\\1\x1b[0;\\2m", SPACES.sub(erased, text))


def following(stills: Sequence[Still], size: tuple[int, int]) -> str:
    """Return stills as an SVG without script: each is seen for some seconds, then all of it begins again."""
    columns, lines = size
    takes, share = STILL_TAKES * len(stills), 100 / len(stills)
    style = (
        f"@keyframes seen{{0%{{visibility:visible}}{share:.3f}%,100%{{visibility:hidden}}}}"
        f".s{{visibility:hidden;animation:seen {takes}s step-end infinite}}.c{{{FONT};font-weight:bold}}"
    )
    numbers: dict[str, int] = {}
    shown = []
    for place, still in enumerate(stills):
        used = []
        for y, row in enumerate(still.shown):
            if drawn := row_svg(row):
                used.append(f'<use href="#r{numbers.setdefault(drawn, len(numbers))}" y="{y * HEIGHT}"/>')
        words = f"{place + 1}/{len(stills)}  {escape(still.caption)}"
        caption = f'<text class="c" x="8" y="{(lines + 1) * HEIGHT + 8}">{words}</text>'
        delay = f"animation-delay:{place * STILL_TAKES - takes}s"
        shown.append(f'<g class="s" style="{delay}">{"".join(used)}{caption}</g>')
    kept = "\n".join(f'<g id="r{number}">{drawn}</g>' for drawn, number in numbers.items())
    every = "\n".join(shown)
    return f"{head(columns, lines + CAPTION, style)}\n<defs>\n{kept}\n</defs>\n{every}\n</svg>\n"
