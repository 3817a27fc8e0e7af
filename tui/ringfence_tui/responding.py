"""Quarantine, permission, release from every screen: whom, why, what it would do, one confirmation, what is held."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TypeGuard

from ringfence_tui.emergency_views import (
    CutRequest,
    CutView,
    DoneView,
    DoRequest,
    LetThroughRequest,
    StandingView,
    Told,
)
from ringfence_tui.messages import WorkspaceChanged
from ringfence_tui.page import Page
from ringfence_tui.spans import Row, Span, Tone, row
from ringfence_tui.widgets.dialog import Confirmation
from ringfence_tui.widgets.prompt import Prompt
from ringfence_tui.widgets.sheet import Sheet

TONES = {"red": Tone.BAD, "green": Tone.GOOD, "yellow": Tone.WARN}


async def quarantine(page: Page, whom: str) -> None:
    """Isolate what a person names, by default `whom`, once that was confirmed."""
    hints = (
        row(Span("an asset, role=web, or a network", Tone.DIM)),
        row(Span("after it, if wanted: --keep role=jump stays reachable, --for 4h ends it", Tone.DIM)),
    )
    line = await page.answered(Prompt("Quarantine: whom", hints, whom, does="go on"))
    if line is None:
        return
    request = _request(line)
    if request is None:
        _refused(page, "an asset, role=web or a network is needed: nobody was named, and nothing was changed")
        return
    what = request.what
    hint = row(Span("it is shown in every answer while the quarantine stands", Tone.DIM))
    why = await page.answered(Prompt(f"Quarantine {what}: why", (hint,), does="show what it cuts"))
    if not _reason_given(why, page):
        return
    page.say(Span("looking what this cuts …", Tone.DIM))
    view = await page.engine.ask("emergency.cut", replace(request, why=why.strip()), CutView)
    page.say()
    asked_for = Confirmation(f"Isolate {what}", _rows(view.lines), view.id.partition("-")[2], "isolate")
    if await page.confirm(asked_for):
        await _carried(page, "emergency.quarantine", view.id, f"isolating {what}")


def _reason_given(why: str | None, page: Page) -> TypeGuard[str]:
    """Return whether a reason was given; say so where it was confirmed empty, which is no answer."""
    if why is not None and not why.strip():
        _refused(page, "a reason is needed: nothing was changed")
    return why is not None and bool(why.strip())


def _refused(page: Page, why: str) -> None:
    page.say(Span("✗ ", Tone.BAD), why)


def _request(line: str) -> CutRequest | None:
    """Return what a line asks for, in the words of the command, the reason still missing; None for an empty one."""
    what, *options = re.split(r"(?:^|\s)--(keep|for)(?:\s+|=|$)", line.strip())
    if not what.strip():
        return None
    said = list(zip(options[::2], (word.strip() for word in options[1::2]), strict=True))
    # one that says nothing is refused as the command refuses it
    keep = tuple(word for name, word in said if name == "keep")
    return CutRequest(what.strip(), "", keep, next((word or "?" for name, word in said[::-1] if name == "for"), ""))


async def let_through(page: Page) -> None:
    """Let a connection through that a person names, by default the one at the cursor, once that was confirmed."""
    hints = (
        row(Span("who, to whom, on what, and for how long: web-1 db-1 tcp/5432 --for 2h", Tone.DIM)),
        row(Span("quotes where one has spaces: 'role=web env=prod' db-1 ssh --for 30m", Tone.DIM)),
    )
    pair = page.pair_at_cursor()
    begun = f"{shlex.join(pair)} --for 2h" if pair is not None else ""
    line = await page.answered(Prompt("Let through: what", hints, begun, does="go on"))
    if line is None:
        return
    request = _let_through_request(line)
    if request is None:
        _refused(page, "a client, a server, a service and --for 2h are needed, in this order")
        return
    hint = row(Span("it is shown in every answer while this is let through", Tone.DIM))
    what = f"{request.client} to {request.server}"
    why = await page.answered(Prompt(f"Let {what} through: why", (hint,), does="show what it opens"))
    if not _reason_given(why, page):
        return
    page.say(Span("looking what this opens …", Tone.DIM))
    view = await page.engine.ask("emergency.permission", replace(request, why=why.strip()), CutView)
    page.say()
    title = f"Let {what} through on {request.service}"
    if await page.confirm(Confirmation(title, _rows(view.lines), view.id.partition("-")[2], "let it through")):
        await _carried(page, "emergency.allow_for", view.id, f"letting {what} through")


def _let_through_request(line: str) -> LetThroughRequest | None:
    """Return what a line asks for, the reason still missing; None for one that lacks a part."""
    try:
        words = shlex.split(re.sub(r"--for=", "--for ", line))
    except ValueError:
        return None
    if "--for" not in words[:-1]:
        return None
    at = words.index("--for")
    within, rest = words[at + 1], words[:at] + words[at + 2 :]
    if len(rest) != 3:
        return None
    client, server, service = rest
    return LetThroughRequest(client, server, service, within)


async def release(page: Page) -> None:
    """End an emergency that a person names, by default the newest about the asset at the cursor, else of all."""
    standing = await page.engine.ask("emergency.standing", page.asset_at_cursor(), StandingView)
    if not standing.ids:
        page.say(Span("nothing stands", Tone.DIM))
        return
    rows = tuple(row(line) for line in standing.lines)
    asked = Prompt(
        "Release: which",
        rows,
        standing.ids[0],
        complete=lambda before: [one for one in standing.ids if one.startswith(before)],
        does="release it",
        way="ringfence emergencies",
    )
    name = await page.answered(asked)
    if name is not None and not name.strip():
        _refused(page, "an id is needed: nothing was released")
    elif name is not None:
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
    return tuple(row(Span(text, TONES[style])) if style in TONES else row(text) for text, style in lines)
