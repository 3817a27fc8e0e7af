"""Fields one below another, each with its label and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events, on
from textual.app import ComposeResult
from textual.message import Message
from textual.widget import Widget

from ringfence_tui.spans import Span, Tone
from ringfence_tui.widgets.body import Beside
from ringfence_tui.widgets.caption import Caption
from ringfence_tui.widgets.field import Field


@dataclass(frozen=True, slots=True)
class Ask:
    """A field: its name, its label, what stands in it first, and what belongs there."""

    name: str
    label: str
    value: str = ""
    help: str = ""


class FieldForm(Widget):
    """Enter goes to the next field, and from the last one tells `Done` with what was entered."""

    DEFAULT_CSS = """
    FieldForm { layout: vertical; height: 1fr; }
    FieldForm Beside { height: 1; }
    FieldForm Field { width: 1fr; }
    """

    class Done(Message):
        """Everything was entered; `values` by the fields' names."""

        def __init__(self, values: dict[str, str]) -> None:
            super().__init__()
            self.values = values

    def __init__(self, asks: Sequence[Ask]) -> None:
        super().__init__()
        self.asks = tuple(asks)

    def compose(self) -> ComposeResult:
        """Yield the fields."""
        for ask in self.asks:
            with Beside():
                yield Caption(Span(f"   {ask.label}", Tone.STRONG), classes="label")
                yield Field(ask.value, id=f"field-{ask.name}")
            yield Caption(Span(f"{'':16}{ask.help}", Tone.DIM))
            yield Caption("")

    @on(Field.Entered)
    def entered(self, message: Field.Entered) -> None:
        """Go on, or be done."""
        message.stop()
        fields = list(self.query(Field))
        if message.field is not fields[-1]:
            self.step(1)
            return
        self.post_message(self.Done({ask.name: field.value for ask, field in zip(self.asks, fields, strict=True)}))

    @on(Field.Left)
    def left(self, message: Field.Left) -> None:
        """Go to the field below at ↓; escape is the screen's."""
        if message.down:
            message.stop()
            self.step(1)

    def on_key(self, event: events.Key) -> None:
        """Go to the field above at ↑, as ↓ goes to the one below."""
        if event.key == "up":
            event.stop()
            self.step(-1)

    def step(self, by: int) -> None:
        """Go to another field; beyond the last one comes the first."""
        fields = list(self.query(Field))
        at = next((place for place, field in enumerate(fields) if field.has_focus), -by)
        self.screen.set_focus(fields[(at + by) % len(fields)])
