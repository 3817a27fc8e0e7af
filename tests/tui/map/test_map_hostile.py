"""Names that are commands to a terminal or markup to a toolkit are text on the map, wherever they come from."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ringfence.model.draft_effect import Checks, DraftEffect, FilledRule, RuleEffect, RuleHome, StandsBefore
from ringfence.model.picture import PictureCell, PictureEnd, PictureFlow, PolicyState, ProcessShare, RuleShare, Sign
from ringfence.model.picture import SignCount as Count
from ringfence_tui.app import RingfenceApp
from ringfence_tui.screens.map.answers import DraftNote, MapAnswer, Writing

from tests.tui.map_program import KEYS, ToldEngine
from tests.tui.pictures import edge, picture
from tests.tui.terminal import Terminal

ROOT = Path(__file__).parents[3]
COMMANDS = "\x1b]0;owned\x07\x1b[31mred\x9b31m\u202eevil\u2066\r\n\t\u0301\u0301\u0301"
MARKUP = "[@click=app.bell]ring[/][true, false]b[/]"
WIDE = "数据库" * 9
KEYS_PRESSED = "h k j l d tab l p f tab tab tab x esc v l h v - enter esc a enter / ring enter w esc c o f f f f"
PAYLOADS = (
    b"\x1b]0;owned",
    b"\x1b[31mred",
    "\u202e".encode(),
    "\x9b".encode(),
    b"\r\n\t",
    "\u0301\u0301\u0301".encode(),
)


def hostile() -> ToldEngine:
    """Return an engine that says hostile things wherever a text may stand."""
    levels = (f"env{COMMANDS}", "app", MARKUP)
    groups = [f"{name}1 a b" for name in "xyz"]
    made = picture(groups, edge(0, 1, held="+12/61 x1", files="!1", draft="x12/61"), edge(1, 2, held="~1", files="~1"))
    labels = [(COMMANDS, MARKUP, WIDE), (MARKUP, COMMANDS, None), (WIDE, MARKUP, COMMANDS)]
    renamed = [type(one)(one.kind, names, 1) for one, names in zip(made.groups, labels, strict=True)]
    shown = type(made)(levels, tuple(renamed), made.edges, made.totals, made.refused)
    text = COMMANDS + MARKUP
    ends = PictureEnd(text, text, text), PictureEnd(text, None, WIDE)
    flow = PictureFlow(*ends, 6, 5432, 3, None, False, {PolicyState.HELD: Sign.DENIED}, {})
    share = RuleShare(text, text, text, "in", Sign.DENIED, Count(1, 1))

    rule = RuleEffect(text, text, text, text, 1, 2, (StandsBefore(text, text, text, text, 1),), 1, 1)
    checks = Checks(1, (text,), 1, (text,), (text,))
    done = DraftEffect(1, Count(1, 1), Count(), (Count(), Count()), (), (rule,), (flow,), (text,), checks)
    homes = (RuleHome(text, {}, 0, text, text, new=True), RuleHome(WIDE, {}, 0, text, text, new=False))
    filled = FilledRule({"name": text}, homes, (), ((f"{text}.service", 1), (None, 1)))

    def cell(request) -> PictureCell:
        found = shown.edge(request.client, request.server)
        processes = (ProcessShare("client", text, Count(1, 1)), ProcessShare("server", WIDE, Count(1, 1)))
        rules = {PolicyState.HELD: (share,)}
        return PictureCell(request.client, request.server, found, 1, 1, rules, processes, (flow,), 3)

    return ToldEngine(
        answers={
            "map.picture": lambda _: MapAnswer(shown, (*levels, *KEYS[3:])),
            "map.cell": cell,
            "map.sheet": lambda _: filled,
            "map.effect": lambda _: done,
            "map.take": lambda _: DraftNote(1),
            "map.writing": lambda _: Writing((text, WIDE), (text,)),
        }
    )


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=str)
def test_hostile_names_reach_neither_the_terminal_nor_the_toolkit(size):
    with Terminal([sys.executable, "-m", "tests.tui.map.test_map_hostile"], size, cwd=ROOT) as terminal:
        terminal.wait_for("x2*")
        for key in KEYS_PRESSED.split():
            terminal.press(key)
            terminal.settle(0.15 if key == "esc" else 0.06)
        terminal.wait_for("[@click=app.bell]")
        terminal.press("q")
        assert terminal.wait_end() == 0
    for payload in PAYLOADS:
        assert payload not in terminal.written
    assert b"Traceback" not in terminal.written


if __name__ == "__main__":
    RingfenceApp(hostile(), first="map").run()
