"""What is done with assets: marked ones are labelled, all are discovered."""

from __future__ import annotations

from ringfence.model.source_steps import SourceStep

from ringfence_tui.engine.client import EngineError
from ringfence_tui.engine.progress import Progress
from ringfence_tui.messages import WorkspaceChanged
from ringfence_tui.screens.assets.detail import LabelRequest, Preview, Written, preview_rows
from ringfence_tui.screens.assets.discovery import DiscoverRequest, Discovery, discovery_rows
from ringfence_tui.screens.assets.finding import FindingPage
from ringfence_tui.screens.assets.model import OTHER_KEYS, AssetTable, completions
from ringfence_tui.spans import Span, Tone, row
from ringfence_tui.widgets.dialog import Confirmation
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.prompt import Prompt

MOST_DISCOVERY = 5


class LabellingPage(FindingPage):
    """Labels what is marked, and watches a discovery."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self.discovery = Discovery()

    def labelled(self) -> None:
        """Do what is done once a label rule was written."""

    # Labels

    def action_label(self) -> None:
        """Ask for a label, show what it would do, and write the rule where that is confirmed."""
        names = tuple(sorted(self.marked)) or tuple(filter(None, (self.name_at_cursor(),)))
        if names and self.may("write labels.yml"):
            self.ringfence.key_order.hold()
            self.work(self._label(names), "asked")

    async def _label(self, names: tuple[str, ...]) -> None:
        whom = names[0] if len(names) == 1 else f"{len(names):,} assets"
        labels = {key: values for key, values in self.table.values.items() if key not in OTHER_KEYS}
        known = AssetTable(values=labels)
        asked = Prompt(
            f"Label {whom}",
            (row(Span("key=value, as role=db", Tone.DIM)),),
            complete=lambda text: completions(known, text),
            does="show what it does",
        )
        label = await self.answered(asked)
        if not label:
            return
        request = LabelRequest(names, label.strip())
        self.say(Span("comparing tables and judging flows …", Tone.DIM))
        preview = await self.engine.ask("assets.preview", request, Preview, self.hear)
        self.say()
        shown = preview_rows(preview, len(names))
        if await self.confirm(Confirmation(f"Label {whom} {label}", shown, does="write it into labels.yml")):
            written = await self.engine.ask("assets.write", request, Written)
            self.marked.clear()
            self.labelled()
            self.post_message(WorkspaceChanged())
            self.call_after_refresh(lambda: self.say(Span("✓ ", Tone.GOOD), f"written into {written.file}"))

    def hear(self, part: object) -> None:
        """Show what is worked on."""
        if isinstance(part, Progress):
            self.say(Span(f"{part.text} …", Tone.DIM))

    # Discovery

    def action_discover(self) -> None:
        """Ask the inventory again."""
        self.discovery = Discovery(on="asking the inventory")
        self.show_discovery()
        self.work(self._discover(), "discover")

    async def _discover(self) -> None:
        try:
            found = DiscoverRequest(not self.read_only, self.ringfence.passwords.vault)
            self.discovery = await self.engine.ask("assets.discover", found, Discovery, self.hear_source)
        except EngineError as error:
            wrong = tuple(fault.message for fault in error.faults)
            self.discovery = Discovery(wrong=wrong, files=self.discovery.files)
        self.show_discovery()
        self.work(self.load())

    def hear_source(self, part: object) -> None:
        """Show what a source is at."""
        if isinstance(part, SourceStep):
            self.discovery = self.discovery.heard(part)
            self.show_discovery()

    def show_discovery(self) -> None:
        """Show what each source gave."""
        rows = discovery_rows(self.discovery)
        shown = self.query_one("#discovery", Lines)
        shown.styles.height = min(len(rows), MOST_DISCOVERY)
        shown.show(rows)
