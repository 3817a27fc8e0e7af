"""What every screen shows of a small shop, at two sizes, line by line; of eight of them the colours too, as SVG.

`python -m tests.tui.test_screen_texts` writes texts and SVG anew: look at the difference before it is committed.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.tui.drawing import drawn, rows
from tests.tui.terminal import Terminal
from tests.unit.cli_shop import NOW, ringfence, shop

RINGFENCE = [sys.executable, "-m", "ringfence.cli"]
TEXTS = Path(__file__).parent / "texts"
SVGS = Path(__file__).parent / "svgs"
SIZES = ((80, 24), (120, 40))
# The screens whose colours are kept, at the first size: those in which colour repeats what a sign says.
COLOURED = frozenset(
    {"overview", "assets", "map", "map-sheet", "map-neighbours", "policy", "simulate", "suggest"},
)
# Each screen: its name, the keys that lead to it from the one before, and what is there once all of it is.
WALK = (
    ("overview", (), "1 flow denied"),
    ("help", ("?",), "Keys of Overview"),
    (
        "assets",
        (
            "esc",
            "2",
        ),
        "managed from",
    ),
    ("map", ("3",), "process not seen"),
    ("map-sheet", ("d",), "tests 1/1"),
    ("map-neighbours", ("esc", "v"), "SERVERS"),
    ("policy", ("v", "4"), "0 never"),  # the numbers come last
    ("suggest", ("S",), "beyond:"),
    ("simulate", ("5",), "1 still allowed"),
    ("rollout", ("6",), "p make one"),
    ("history", (":", "history", "enter"), "no plan was rolled out"),
    ("verify", (":", "verify", "enter"), "no host has confirmed"),
    ("check", (":", "go to check", "enter"), "nothing is wrong"),
)
# What another time or another machine changes.
CHANGES = (
    (re.compile(r"\b(now|\d+ (s|min|h|d|w))\b *"), "AGE "),
    (re.compile(r" +$", re.MULTILINE), ""),
)


def screens(directory: Path, size: tuple[int, int]) -> Iterator[tuple[str, Terminal]]:
    """Yield the name of every screen, and the terminal that shows it."""
    shop(directory)
    assert ringfence(directory, "flows", "add", str(directory / "flows.csv"), "--format", "csv").exit_code == 0
    environment = {"SOURCE_DATE_EPOCH": NOW, "TZ": "UTC", "XDG_STATE_HOME": str(directory.parent / "state")}
    with Terminal(RINGFENCE, size, cwd=directory, env=environment) as terminal:
        for name, keys, there in WALK:
            for key in keys:
                before = terminal.text()
                terminal.press(key)
                # what follows an escape at once is a key with alt, and a busy machine is late: each of them is seen
                terminal.wait_for(lambda text, before=before: text != before, 60)  # type: ignore[misc]
                terminal.settle(quiet=0.3)
            terminal.wait_for(there)
            yield name, terminal


def told(text: str) -> str:
    """Return a screen's text without what another time or machine changes."""
    for changing, written in CHANGES:
        text = changing.sub(written, text)
    return text.rstrip() + "\n"


def picture(terminal: Terminal) -> str:
    """Return a screen as SVG, without what another time or machine changes."""
    return drawn(rows(terminal.emulated, CHANGES[:-1]))


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_every_screen_shows_what_it_showed(size: tuple[int, int], tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    for name, terminal in screens(tmp_path / "shop", size):
        kept = (TEXTS / f"{name}-{size[0]}x{size[1]}.txt").read_text(encoding="utf-8")
        with suppress(AssertionError):  # what is still to come of a screen comes when the engine has it
            terminal.wait_for(lambda shown, kept=kept: told(shown) == kept, 30)  # type: ignore[misc]
        assert told(terminal.text()) == kept, name
        if size == SIZES[0] and name in COLOURED:
            compare(name, terminal, tmp_path)


def compare(name: str, terminal: Terminal, directory: Path) -> None:
    """Compare a screen with its SVG; where they differ, the one of now is beside the test's other files."""
    kept, now = SVGS / f"{name}.svg", directory / f"{name}.svg"
    with suppress(AssertionError):
        terminal.wait_for(lambda _: picture(terminal) == kept.read_text(encoding="utf-8"), 15)
    now.write_text(picture(terminal), encoding="utf-8")
    assert now.read_bytes() == kept.read_bytes(), f"look at both: {kept} was kept, {now} is what it is now"


if __name__ == "__main__":
    TEXTS.mkdir(exist_ok=True)
    SVGS.mkdir(exist_ok=True)
    for columns, lines in SIZES:
        with tempfile.TemporaryDirectory() as temporary:
            estate = Path(temporary) / "shop"
            estate.mkdir()
            for screen, shown in screens(estate, (columns, lines)):
                shown.settle(quiet=0.6)
                (TEXTS / f"{screen}-{columns}x{lines}.txt").write_text(told(shown.text()), encoding="utf-8")
                if (columns, lines) == SIZES[0] and screen in COLOURED:
                    (SVGS / f"{screen}.svg").write_text(picture(shown), encoding="utf-8")
