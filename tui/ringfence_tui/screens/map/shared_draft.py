"""A screen of the draft, which other applications have too: what they change is shown, and who did."""

from __future__ import annotations

from contextlib import suppress

from ringfence_tui.engine.client import EngineError
from ringfence_tui.page import Page
from ringfence_tui.screens.map.answers import DamageNote, DraftSeen
from ringfence_tui.spans import Span, Tone

LOOK_EVERY = 2.0  # seconds


class SharedDraftPage(Page):
    """Shows the draft that is on disk. Subclasses call `draft_shown`, and load anew in `draft_changed`."""

    _shown: str | None = None
    _damaged: DamageNote | None = None

    def on_mount(self) -> None:
        """Begin to look whether the draft is another one."""
        self.set_interval(LOOK_EVERY, self._look)

    @property
    def shown_draft(self) -> str | None:
        """Return the version of the draft that is shown, None where none is."""
        return self._shown

    def draft_shown(self, version: str, damaged: DamageNote | None) -> None:
        """Take note of the draft that is shown now, and say, once a visit, that one is damaged."""
        self._shown = version
        if damaged is not None and damaged != self._damaged:
            error = EngineError(damaged.message, damaged.place, damaged.remedy)
            self.call_after_refresh(self.say_error, error)  # behind what the cursor says where it is put first
        self._damaged = damaged

    def on_screen_resume(self) -> None:
        """Say again what is damaged."""
        self._damaged = None

    async def draft_changed(self) -> None:
        """Show the draft as it is now."""

    async def asked_anew(self, error: EngineError) -> None:
        """Show the draft as it is now where something could not be done with it, and why it could not."""
        with suppress(EngineError):
            await self.draft_changed()
        self.say_error(error)

    def _look(self) -> None:
        if self.is_current and self._shown is not None:
            self.work(self._ask_version(), group="shared")

    async def _ask_version(self) -> None:
        shown = self._shown
        try:
            seen = await self.engine.ask("map.seen", None, DraftSeen)
        except EngineError:
            return  # what is wrong is said to whoever asks for more
        if seen.own or shown is None or seen.version == shown or self._shown != shown:
            return
        self._shown = seen.version
        self.work(self._show_changed(seen.who or "another application"), group="changed")

    async def _show_changed(self, who: str) -> None:
        said = (Span(who, Tone.STRONG), " changed the draft: it is shown as it is now")
        self.say(*said)
        await self.draft_changed()
        self.say(*said)
