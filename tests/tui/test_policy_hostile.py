"""Names that are commands to a terminal or markup to a toolkit are text on Policy, Simulate, Explain, Suggestions."""

from __future__ import annotations

import sys
from pathlib import Path

from ringfence.model.draft_effect import Checks, DraftEffect, RuleEffect
from ringfence.model.picture import PictureEnd, PictureFlow, PolicyState, Sign
from ringfence.model.picture import SignCount as Count
from ringfence_tui.app import RingfenceApp
from ringfence_tui.screens.explain import model as explain
from ringfence_tui.screens.policy import model as policy
from ringfence_tui.screens.simulate import model as simulate
from ringfence_tui.screens.suggest import model as suggest

from tests.tui.map.test_map_hostile import COMMANDS, MARKUP, PAYLOADS, WIDE
from tests.tui.map_program import ToldEngine
from tests.tui.terminal import Terminal

ROOT = Path(__file__).parents[2]
BAD = MARKUP + COMMANDS + WIDE


def hostile() -> ToldEngine:
    """Return an engine that says hostile things wherever a text may stand."""
    rule = policy.RuleRow(BAD, BAD, 1, BAD, BAD, BAD, "12345678", policy.Change.CHANGED)
    gone = policy.RuleRow(BAD, BAD, 2, BAD, BAD, "allow", "12345678")
    file = policy.FileView(BAD, f"{BAD}\nrules: {MARKUP}\n", ("+", " ", " "), (rule, gone), True, BAD)
    view = policy.PolicyView((file,), (policy.Fault(BAD, 1, 1, BAD, BAD),), (BAD,), True, True)
    flow = PictureFlow(
        PictureEnd(BAD, BAD, BAD), PictureEnd(BAD, None, BAD), 6, 1, 3, None, False, {PolicyState.HELD: Sign.DENIED}, {}
    )
    effect = DraftEffect(
        1,
        Count(1, 1),
        Count(),
        (Count(), Count()),
        (),
        (RuleEffect(BAD, BAD, BAD, BAD, 1, 2, (), 1, 1),),
        (flow,),
        (BAD,),
        Checks(1, (BAD,), 1, (BAD,), (BAD,)),
    )
    side = explain.SideView(
        BAD,
        Sign.DENIED,
        "deny",
        BAD,
        "12345678",
        BAD,
        BAD,
        BAD,
        BAD,
        (BAD,),
        (explain.LabelView(BAD, BAD, BAD),),
        ((BAD, BAD),),
    )
    answer = explain.AnswerView(Sign.DENIED, BAD, BAD, BAD, (side, side), BAD, BAD, (BAD,), True)

    def rows(request: simulate.SimulateRequest) -> simulate.SimulateView:
        said = simulate.Side("from", "deny", BAD)
        flows = (simulate.FlowRow(BAD, BAD, BAD, BAD, 1, "newly_denied", False, True, BAD, BAD, (said,), (said,)),)
        count = simulate.CountRow(BAD, (1, 0, 0, 0), 1, simulate.Step(request.by, BAD, BAD), BAD, 1)
        return simulate.SimulateView(request, (count,), flows, 1, {}, 1, 1, 1, 1, BAD, (BAD,))

    offer = suggest.Offer(BAD, BAD, BAD, BAD, f"- name: {BAD}", BAD, BAD, BAD, 1, 1, 1, 1, False, (BAD,), True)
    return ToldEngine(
        answers={
            "policy.files": lambda _: view,
            "policy.words": lambda _: policy.Words({BAD: (BAD,)}, (BAD,)),
            "policy.effect": lambda _: policy.EffectView(effect),
            "policy.use": lambda _: policy.Uses({"12345678": policy.RuleUse(1, BAD)}),
            "policy.lint": lambda _: policy.Linted({f"{BAD}:2": (BAD,)}),
            "simulate.rows": rows,
            "explain.words": lambda _: explain.Words((BAD,), (BAD,), (BAD,)),
            "explain.answer": lambda request: explain.Explained(request, (answer, answer), (BAD, BAD)),
            "explain.reads": lambda _: (explain.ReadView(BAD, BAD, BAD, BAD, False),),
            "explain.states": lambda _: explain.OtherStates((BAD,), ("x",), BAD),
            "explain.seen": lambda _: (explain.SeenView(BAD, BAD, True, 1, BAD),),
            "explain.offer": lambda _: explain.Offer((BAD,), BAD),
            "suggest.offers": lambda request: suggest.Offers(
                request, (offer,), (BAD,), ((BAD, BAD),), 1, 1, BAD, (BAD,)
            ),
        }
    )


def test_hostile_names_reach_neither_the_terminal_nor_the_toolkit() -> None:
    with Terminal([sys.executable, "-m", "tests.tui.test_policy_hostile"], (80, 24), cwd=ROOT) as terminal:
        terminal.wait_for("FROM → TO")
        _press(terminal, "j j G e t t n / a enter k k")
        terminal.press("S")
        terminal.wait_for("SUGGESTED")
        _press(terminal, "j e x r enter d")
        terminal.press("5")
        terminal.wait_for("would be")
        _press(terminal, "j b b f c x esc j")
        terminal.press("f")
        terminal.wait_for("CONN")
        terminal.press("e")
        terminal.wait_for("outbound")
        _press(terminal, "n N a esc r")
        terminal.wait_for("[@click=app.bell]")
        terminal.press("q")
        assert terminal.wait_end() == 0
    for payload in PAYLOADS:
        assert payload not in terminal.written
    assert b"Traceback" not in terminal.written


def _press(terminal: Terminal, keys: str) -> None:
    for key in keys.split():
        terminal.press(key)
        terminal.settle(0.15 if key == "esc" else 0.06)


if __name__ == "__main__":
    RingfenceApp(hostile(), first="policy").run()
