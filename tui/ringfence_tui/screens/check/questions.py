"""Everything that `check` finds."""

from __future__ import annotations

from ringfence.model.errors import RingfenceError
from ringfence.operations.check import check, findings_of

from ringfence_tui.engine.questions import Questions
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.screens.check.model import Checked
from ringfence_tui.screens.overview.model import Wrong
from ringfence_tui.screens.overview.questions import wrong_of


def everything(session: EngineSession, _request: None, _tell: Tell) -> Checked:
    """Return every problem, failing test and broken invariant; broken files are problems too."""
    try:
        found = check(session.fresh())
    except RingfenceError as error:
        found = findings_of(error)
    wrong = [wrong_of(problem) for problem in found.problems]
    wrong += [Wrong(str(one.test.place or ""), str(one), "ringfence explain says why") for one in found.failed]
    wrong += [
        Wrong(
            str(one.invariant.place or ""),
            f"invariant '{one.invariant.name}' does not hold: {one.example.client} → {one.example.server} "
            f"on {one.example.service}",
            "ringfence check says which rules decide it",
        )
        for one in found.broken
    ]
    return Checked(tuple(sorted(wrong, key=lambda one: not one.error)))


QUESTIONS: Questions = {"everything": everything}
