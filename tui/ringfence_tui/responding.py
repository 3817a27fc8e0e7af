"""Quarantine and release from every screen: whom and why, what it would cut, one confirmation, what kernels hold."""

from __future__ import annotations

from ringfence_tui.emergency_views import CutRequest, CutView, DoneView, DoRequest, StandingView, Told
from ringfence_tui.messages import WorkspaceChanged
from ringfence_tui.page import Page
from ringfence_tui.spans import Row, Span, Tone, fitting, row
from ringfence_tui.widgets.dialog import Confirmation
from ringfence_tui.widgets.prompt import Prompt
from ringfence_tui.widgets.sheet import Sheet

MOST_ROWS = 20
TONES = {"red": Tone.BAD, "green": Tone.GOOD, "yellow": Tone.WARN}


async def quarantine(page: Page, whom: str) -> None:
    """Isolate what a person names, by default `whom`, once that was confirmed."""
    asked = Prompt("Quarantine: whom", (row(Span("an asset, role=web, or a network", Tone.DIM)),), whom, does="go on")
    what = await page.answered(asked)
    if not what or not what.strip():
        return
    hint = row(Span("it stands in every answer, as long as the quarantine does", Tone.DIM))
    why = await page.answered(Prompt(f"Quarantine {what}: why", (hint,), does="show what it cuts"))
    if not why or not why.strip():
        return
    page.say(Span("looking what this cuts …", Tone.DIM))
    view = await page.engine.ask("emergency.cut", CutRequest(what.strip(), why.strip()), CutView)
    page.say()
    asked_for = Confirmation(f"Isolate {what}", _rows(view.lines), view.id.partition("-")[2], "isolate")
    if await page.confirm(asked_for):
        await _carried(page, "emergency.quarantine", view.id, f"isolating {what}")


async def release(page: Page) -> None:
    """End an emergency that a person names, by default the newest."""
    standing = await page.engine.ask("emergency.standing", None, StandingView)
    if not standing.ids:
        page.say(Span("nothing stands", Tone.DIM))
        return
    rows = fitting([row(line) for line in standing.lines], MOST_ROWS, "ringfence emergencies")
    asked = Prompt(
        "Release: which",
        rows,
        standing.ids[0],
        complete=lambda before: [one for one in standing.ids if one.startswith(before)],
        does="release it",
    )
    name = await page.answered(asked)
    if name and name.strip():
        await _carried(page, "emergency.release", name.strip(), f"releasing {name.strip()}")


async def _carried(page: Page, question: str, name: str, words: str) -> None:
    page.job(words)
    page.say(Span(f"{words} …", Tone.DIM))
    try:
        done = await page.engine.ask(question, DoRequest(name, page.ringfence.passwords), DoneView)
    finally:
        page.job("")
    page.post_message(WorkspaceChanged())
    page.say()
    await page.mount(Sheet("Done" if done.ok else "Not everywhere", _rows(done.lines)))


def _rows(lines: Told) -> tuple[Row, ...]:
    return fitting([row(Span(text, TONES[style])) if style in TONES else row(text) for text, style in lines], MOST_ROWS)
