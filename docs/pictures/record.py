"""Records a command of the real program in a terminal and draws what it printed as an SVG picture.

`python docs/pictures/record.py docs/pictures/demo.svg -- ringfence demo`
"""

from __future__ import annotations

import argparse
import io
import os
import pty
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 110
BAR = re.compile(r"━━━━━━.*\d:\d\d:\d\d")


def recorded(command: list[str]) -> str:
    """Return what a command printed to a terminal of its own, escapes included; raises SystemExit if it failed."""
    printed = bytearray()

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 65536)
        printed.extend(data)
        return data

    os.environ["COLUMNS"] = str(COLUMNS)
    status = os.waitstatus_to_exitcode(pty.spawn(command, read))
    if status:
        raise SystemExit(f"the command ended with status {status}: nothing drawn")
    return printed.decode(errors="replace")


def last_state(text: str) -> list[str]:
    """Return the lines as they stood at the end: what a line was overwritten with is what counts.

    Frames of progress bars, which the terminal showed one above the other, are left out.
    """
    without_moves = re.sub(r"\x1b\[\??[0-9;]*[A-HJKSTfhl]", "", text)
    lines = (line.rstrip("\r").rsplit("\r", 1)[-1] for line in without_moves.split("\n"))
    return [line for line in lines if not BAR.search(line)]


def drawn(lines: list[str], title: str) -> str:
    """Return an SVG of coloured terminal lines."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for line in lines:
        console.print(Text.from_ansi(line), soft_wrap=False)
    # The picture asks no other site for its letters.
    return re.sub(r"@font-face\s*\{[^}]*\}\s*", "", console.export_svg(title=title))


def main() -> None:
    """Record, cut to the lines asked for, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--from", dest="first", default="", help="the first line shown holds this text")
    parser.add_argument("--lines", type=int, default=60)
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    lines = last_state(recorded(arguments.command))
    start = next((number for number, line in enumerate(lines) if arguments.first in line), 0)
    svg = drawn(lines[start : start + arguments.lines], " ".join(arguments.command))
    arguments.picture.write_text(svg + "\n")
    sys.stdout.write(f"drew {arguments.picture}\n")


if __name__ == "__main__":
    main()
