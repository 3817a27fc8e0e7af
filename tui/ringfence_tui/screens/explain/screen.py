"""The Explain screen: why a connection is allowed or denied, side by side, and what is known of it besides."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from textual import on
from textual.app import ComposeResult

from ringfence_tui.changing_page import ChangingPage, unfocused
from ringfence_tui.engine.client import EngineError
from ringfence_tui.keys import Key
from ringfence_tui.messages import AssetSubject, PairSubject, RuleSubject
from ringfence_tui.page import Confirmation
from ringfence_tui.screens.explain.model import (
    AnswerView,
    Beside,
    Explained,
    ExplainRequest,
    Offer,
    OtherStates,
    Words,
    completions,
    foot_rows,
    head_row,
    side_rows,
    states_row,
)
from ringfence_tui.spans import Span, Tone, fitting, row
from ringfence_tui.widgets.body import Beside as SideBySide
from ringfence_tui.widgets.caption import Caption, Line
from ringfence_tui.widgets.field import Field
from ringfence_tui.widgets.lines import Lines

FIELDS = ("client", "server", "service", "process")
TITLES = (" from ", " to ", " service ", " process ")


class ExplainScreen(ChangingPage):
    """Four fields above the answer; letters are keys as long as no field has the cursor."""

    JUDGES = True
    KEYS = (
        Key("tab", "field", "field", "To the next field; in one it completes"),
        Key("r", "reverse", "reverse", "The same the other way round"),
        Key("n", "next(1)", "next", "The next answer, where services are decided differently"),
        Key("N", "next(-1)", "", "The answer before"),
        Key("m", "map", "map", "Show both ends on the map"),
        Key("a", "allow", "allow this", "A rule that allows it, into the draft", changes=True),
        Key("o", "rule", "open rule", "Open the rule that decides, or the nearest, in Policy"),
    )
    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    ExplainScreen #fields { height: 1; }
    ExplainScreen #fields Caption { width: auto; }
    ExplainScreen #head, ExplainScreen #states { height: 1; }
    ExplainScreen #sides { height: 1fr; }
    ExplainScreen #foot { height: 1; }
    """

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.asked = ExplainRequest()
        self.words = Words()
        self.explained: Explained | None = None
        self.beside = Beside()
        self.index = 0
        self._taken = False

    def body(self) -> ComposeResult:
        """Yield the fields, the verdict, both sides, and what is known besides."""
        with SideBySide(id="fields"):
            for name, title in zip(FIELDS, TITLES, strict=True):
                caption = Caption(Span(title, Tone.DIM))
                caption.styles.width = len(title)
                yield caption
                yield Field(id=name, complete=lambda before, name=name: self._complete(name, before))  # type: ignore[misc]
        yield Line()
        yield Caption(id="head")
        yield Caption(id="states")
        with SideBySide(id="sides"):
            yield Lines(id="out")
            yield unfocused(Lines(id="in"))
        yield unfocused(Lines(id="foot"))

    def entered(self) -> None:
        """Explain what was sent here, or again what is shown: files may be others now."""
        for name in FIELDS:
            field = self.query_one(f"#{name}", Field)
            if self._taken or not field.value:
                field.value = getattr(self.asked, name)
                field.cursor_position = len(field.value)
        self._taken = False
        self.work(self._load_words(), "words")
        if self.asked.whole:
            self.query_one("#out").focus()
            self.work(self._explain(self.asked), "explain")
            return
        self._show()
        self._first_empty().focus()

    def forget(self) -> None:
        """Explain nothing: another workspace was opened."""
        self.asked, self.explained, self.words = ExplainRequest(), None, Words()
        self._taken = True

    def take(self, subject: object) -> None:
        """Explain a pair, or ask what of an asset."""
        if isinstance(subject, AssetSubject):
            subject = PairSubject("", subject.name)
        if isinstance(subject, PairSubject):
            self.asked = ExplainRequest(subject.client, subject.server, subject.service)
            self.explained, self.beside, self._taken = None, Beside(), True

    def asset_at_cursor(self) -> str:
        """Return the client: of the two ends, the one that reaches out."""
        return self.asked.client or self.asked.server

    def pair_at_cursor(self) -> tuple[str, str, str] | None:
        """Return what is asked."""
        return (self.asked.client, self.asked.server, self.asked.service) if self.asked.whole else None

    def command(self) -> str:
        """Return the command that says the same."""
        return self.asked.command()

    # Asking

    async def _load_words(self) -> None:
        self.words = await self.engine.ask("explain.words", None, Words)

    def _complete(self, name: str, before: str) -> tuple[str, ...]:
        known = {"service": self.words.services, "process": self.words.processes}.get(name, self.words.assets)
        return completions(known, before) if before else ()

    def _first_empty(self) -> Field:
        empty = [name for name in FIELDS[:3] if not self.query_one(f"#{name}", Field).value.strip()]
        return self.query_one(f"#{empty[0] if empty else 'client'}", Field)

    @on(Field.Entered)
    def _entered(self, message: Field.Entered) -> None:
        self.asked = ExplainRequest(*(self.query_one(f"#{name}", Field).value.strip() for name in FIELDS))
        if not self.asked.whole:
            self._first_empty().focus()
            return
        self.query_one("#out").focus()
        self.work(self._explain(self.asked), "explain")

    @on(Field.Left)
    def _left_field(self, _message: Field.Left) -> None:
        self.query_one("#out").focus()

    async def _explain(self, request: ExplainRequest) -> None:
        self.say()
        try:
            with self.waiting("explaining …"):
                self.explained = await self.engine.ask("explain.answer", request, Explained)
        except EngineError:
            self.explained, self.beside = None, Beside()
            self._show()
            raise
        self.index, self.beside = 0, Beside()
        self._show()
        self.beside = replace(self.beside, reads=await self.engine.ask("explain.reads", request, tuple))
        self._show()
        await asyncio.gather(self._ask_states(request), self._ask_seen(request))

    async def _ask_states(self, request: ExplainRequest) -> None:
        states = await self.engine.ask("explain.states", request, OtherStates)
        self.beside = replace(self.beside, states=states)
        self._show()

    async def _ask_seen(self, request: ExplainRequest) -> None:
        seen = await self.engine.ask("explain.seen", request, tuple)
        self.beside = replace(self.beside, seen=seen)
        self._show()

    # Showing

    @property
    def answer(self) -> AnswerView | None:
        """Return the answer that is shown."""
        answers = self.explained.answers if self.explained is not None else ()
        return answers[self.index] if self.index < len(answers) else None

    def aged(self) -> None:
        """Say anew how long ago the ends were read."""
        self._show()

    def _show(self) -> None:
        self.query_one("#head", Caption).show(*head_row(self.explained, self.index, self.beside))
        self.query_one("#states", Caption).show(*states_row(self.explained, self.index, self.beside))
        one = self.answer
        half = max(20, self.size.width // 2)
        for number, name in enumerate(("out", "in")):
            shown = side_rows(one.sides[number], bool(number), half) if one is not None else ()
            self.query_one(f"#{name}", Lines).show(((), *shown) if shown else ())
        foot, rows = self.query_one("#foot", Lines), foot_rows(self.explained, self.index, self.beside, self.size.width)
        rows = fitting(rows, max(1, self.size.height // 2), "the command says all: y")
        foot.styles.height = max(1, len(rows))
        foot.show(rows)

    def on_resize(self) -> None:
        """Wrap otherwise."""
        self.call_after_refresh(self._show)

    # What keys do

    def action_field(self) -> None:
        """Go to the next field."""
        self.focus_next(Field)

    def action_next(self, by: int) -> None:
        """Show another answer."""
        count = len(self.explained.answers) if self.explained is not None else 0
        if count > 1:
            self.index = (self.index + by) % count
            self._show()
        else:
            self.say(Span("everything that was asked is decided alike", Tone.DIM))

    def action_reverse(self) -> None:
        """Explain the other way round."""
        self.asked = replace(self.asked, client=self.asked.server, server=self.asked.client, process="")
        self._taken = True
        self.entered()

    def action_map(self) -> None:
        """Show both ends on the map."""
        if self.explained is not None:
            self.go("map", PairSubject(*self.explained.map_words, self.asked.service))

    def action_rule(self) -> None:
        """Open the rule that decides."""
        one = self.answer
        if one is None:
            return
        ids = [side.rule_id for side in sorted(one.sides, key=lambda side: side.sign is not one.sign) if side.rule_id]
        if ids:
            self.go("policy", RuleSubject(ids[0]))
        elif one.nearest_place:
            self.go("policy", RuleSubject(one.nearest_place))
        else:
            self.say(Span("no rule decides here, and none is near", Tone.DIM))

    def action_allow(self) -> None:
        """Take a rule that allows it into the draft."""
        if self.may("change the draft") and self.explained is not None:
            self.work(self._allow(self.asked), "allow")

    async def _allow(self, request: ExplainRequest) -> None:
        offer = await self.engine.ask("explain.offer", request, Offer)
        rows = (
            row(f"into the draft of {offer.file}, not into the file yet:"),
            *(row(Span(f"  {line}", Tone.STRONG)) for line in offer.lines),
        )
        if await self.confirm(Confirmation("allow this", rows, does="take it into the draft")):
            changes = await self.engine.ask("explain.take", request, int)
            self.say(Span("in the draft ", Tone.GOOD), f"which holds {changes}; Policy (4) shows and writes it")
            self.work(self._ask_states(request), "states")
