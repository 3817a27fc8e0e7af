"""The application: it wires screens, engine and themes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from textual.screen import Screen

from ringfence_tui.actions import Action, actions, help_rows
from ringfence_tui.copying import copy_command, lend_mouse
from ringfence_tui.ending import can_suspend, heed
from ringfence_tui.engine.client import Engine, EngineError, EngineGone
from ringfence_tui.jobs import Jobs, job_rows
from ringfence_tui.keys import APPLICATION, bindings
from ringfence_tui.memory import kept_long
from ringfence_tui.messages import GoTo, JobsChanged, NotTaken, WorkspaceChanged
from ringfence_tui.opened import Opened
from ringfence_tui.page import Page
from ringfence_tui.passwords import Given
from ringfence_tui.responding import let_through, quarantine, release
from ringfence_tui.screens import SCREENS, Entry
from ringfence_tui.spans import Span, Tone
from ringfence_tui.terminal_app import TerminalApp, named
from ringfence_tui.theme import DARK, PLAIN, THEMES, WORD_OF
from ringfence_tui.widgets.jump import Jump
from ringfence_tui.widgets.overlay import Overlay
from ringfence_tui.widgets.palette import Palette
from ringfence_tui.widgets.sheet import Sheet

MINUTE = 60.0  # seconds


class RingfenceApp(TerminalApp):
    """Screens are installed when they are first shown, and switched ever after."""

    TITLE = "ringfence"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False  # a click on what is being removed ends the application (Textual 8.2.8, Screen._forward_event)
    BINDINGS = bindings(APPLICATION)

    def __init__(self, engine: Engine, *, no_color: bool = False, theme: str = DARK, first: str = "overview") -> None:
        super().__init__(no_color=no_color)
        for one in THEMES:
            self.register_theme(one)
        self.theme = PLAIN if no_color else theme
        self.engine = engine
        self.engine.on_gone = self._engine_gone
        self.opened: Opened | None = None
        self.jobs = Jobs()
        self.passwords = Given()
        self.first = first
        self.first_shown = asyncio.Event()  # of the first screen: what is said before it is wiped away by it
        self._trail: list[str] = []
        self._warned = False  # of what is lost by leaving; once is enough
        self.copied = ""  # the last command that was copied: leaving prints it

    # Screens

    def get_default_screen(self) -> Screen[Any]:
        """Return the first screen, so that nothing else is painted before it."""
        page = self._page(self.first)
        # a screen that was pushed has an entry here, which `switch_screen` takes away again (Textual 8.2.8)
        page._push_result_callback(self, None)
        return page

    def go(self, name: str, subject: object = None, *, back: bool = False) -> None:
        """Show a screen; `back` does not keep the one that was left."""
        current = self.page
        if not any(entry.name == name for entry in SCREENS):
            current.say(Span("that screen is not there yet", Tone.DIM))
            return
        if self.opened is not None and not self.opened.directory and not name.startswith(("start", "lab")):
            current.say(Span("there is no workspace yet: choose how to begin", Tone.DIM))
            return
        if name == current.page_name:
            if subject is not None:
                current.take(subject)
                current.entered()
            return
        page = self._page(name)
        if not back:
            self._trail = [*(one for one in self._trail if one != current.page_name), current.page_name][-20:]
        if subject is not None:
            page.take(subject)
        self.key_order.hold()
        self.switch_screen(page)

    @property
    def page(self) -> Page:
        """Return the screen that is shown."""
        return cast("Page", self.screen)

    @property
    def pages(self) -> tuple[Page, ...]:
        """Return the screens that were shown until now."""
        return tuple(screen for screen in self._installed_screens.values() if isinstance(screen, Page))

    @property
    def read_only(self) -> bool:
        """Return whether nothing may be changed, because that was asked for or because of permissions."""
        return self.engine.read_only or (self.opened is not None and self.opened.read_only)

    def _page(self, name: str) -> Page:
        found = self._installed_screens.get(name)
        if isinstance(found, Page):
            return found
        entry = next(entry for entry in SCREENS if entry.name == name)
        page = _made(entry)
        self.install_screen(page, name)
        self.call_after_refresh(kept_long)  # its modules and widgets stay
        return page

    # What Textual calls

    def pressed(self) -> None:
        """Warn anew of what leaving loses: another key came between."""
        self._warned = False

    async def on_mount(self) -> None:
        """Bind the numbers of the screens, and ask which workspace this is."""
        heed(self)
        self.app_resume_signal.subscribe(self, lambda _app: self.action_redraw(), immediate=True)
        for entry in SCREENS:
            if entry.key:
                self.bind(entry.key, f"show('{entry.name}')", show=False)
        self.set_interval(MINUTE, self.age)
        self.run_worker(self._open(), exit_on_error=False)

    def age(self) -> None:
        """Have the screen that is shown say anew how long ago things were."""
        if self.screen_stack:
            self.page.aged()

    async def _open(self) -> None:
        try:
            self.opened = await self.engine.ask("workspace.opened", None, Opened)
        except EngineError as error:
            await self.first_shown.wait()
            self.page.say_error(error)
            return
        await self.first_shown.wait()
        self.page.show_top()
        if self.page.page_name != self.first:
            return
        if self.opened.directory:
            self.page.entered()
            self._say_permissions()
        else:
            self.go("start")
            self._trail.clear()

    async def open_workspace(self, directory: Path, news: str = "") -> None:
        """Open another workspace, with another engine, and show its overview and what is new of it."""
        await self.engine.restart(directory)
        self.opened = await self.engine.ask("workspace.opened", None, Opened)
        for page in self.pages:
            page.forget()
        self.go("overview")
        self._trail.clear()
        if news:
            self.call_later(self.page.say, Span("✓ ", Tone.GOOD), news, whole=True)
        self._say_permissions()

    def _say_permissions(self) -> None:
        """Say where nothing may be written, which nobody asked for."""
        if self.opened is not None and self.opened.directory and self.opened.why:
            self.page.renew_keys()
            self.page.say(Span("read-only ", Tone.WARN), f"{self.opened.why}: look, simulate and explain work")
        elif self.opened is not None and self.opened.owner and not self.read_only:
            owner = self.opened.owner
            self.page.say(Span("you are root ", Tone.WARN), f"in {owner}'s workspace: what is written becomes root's")

    def on_go_to(self, message: GoTo) -> None:
        """Go to a screen."""
        self.go(message.screen, message.subject)

    def on_not_taken(self, message: NotTaken) -> None:
        """Say what became of a paste."""
        self.page.say(Span("! ", Tone.WARN), message.why)

    def on_jobs_changed(self, message: JobsChanged) -> None:
        """Show what works in the background."""
        before = self.jobs.words()
        self.jobs.tell(message.of, message.text, time.monotonic())
        if self.screen_stack and self.jobs.words() != before:  # none is left while the application ends
            self.page.show_top()

    def on_workspace_changed(self, _message: WorkspaceChanged) -> None:
        """Have the screen that is shown ask anew; the others do when they are shown."""
        self.page.entered()
        self.page.ask_doubt()

    def _engine_gone(self, error: EngineGone) -> None:
        if self.is_running:
            self.page.say_error(error)

    def without_effect(self, key: str) -> None:
        """Say that a key does nothing here."""
        self.page.say_no_key(key)

    # Actions

    def action_show(self, name: str) -> None:
        """Show a screen."""
        self.go(name)

    async def action_back(self) -> None:
        """Go back to the screen before."""
        if self._trail:
            self.go(self._trail.pop(), back=True)

    def action_help(self) -> None:
        """Show the keys of this screen."""
        if not self.page.query(Overlay):
            self.key_order.hold()
            self.page.mount(Sheet(f"Keys of {self.page.page_title}", help_rows(self._every())))

    def action_commands(self) -> None:
        """Find any action by its words, and do it."""
        if not self.page.query(Overlay):
            self.key_order.hold()
            self.page.work(self._choose(), "palette")

    async def _choose(self) -> None:
        page = self.page
        palette = Palette(self._every())
        await page.mount(palette)
        chosen = await palette.answer
        if chosen is not None:
            await self.run_action(chosen.run, self if chosen.on == "app" else page)

    def _every(self) -> tuple[Action, ...]:
        keys = (key for key in self.page.KEYS if self.can_lend or not key.lends)
        opened = self.opened is None or bool(self.opened.directory)
        return actions(self.page.page_title, keys, read_only=self.read_only, opened=opened)

    def action_jump(self) -> None:
        """Show letters that lead to the parts of the screen."""
        targets = [widget for widget in self.page.focus_chain if widget.region.height]
        if targets and not self.page.query(Overlay) and not self.page.query(Jump):
            self.page.mount(Jump(targets))

    def action_colours(self, theme: str) -> None:
        """Have other colours."""
        if self.theme != PLAIN:
            self.theme = theme
            self.run_worker(self._remember(WORD_OF[theme]), exit_on_error=False)

    async def _remember(self, word: str) -> None:
        with suppress(EngineError):
            why = await self.engine.ask("workspace.colours", word, str)
            if why:
                self.page.say(Span("for this session alone: ", Tone.DIM), why)

    def action_jobs(self) -> None:
        """Show everything that works in the background."""
        if not self.page.query(Overlay):
            self.key_order.hold()
            self.page.mount(Sheet("In the background", job_rows(self.jobs.every, time.monotonic())))

    def action_quarantine(self) -> None:
        """Isolate the asset at the cursor, or another one."""
        self._respond(lambda page: quarantine(page, page.asset_at_cursor()))

    def action_let_through(self) -> None:
        """Let the connection at the cursor through for a time, or another one."""
        self._respond(let_through)

    def action_release(self) -> None:
        """End an emergency."""
        self._respond(release)

    def _respond(self, task: Callable[[Page], Coroutine[Any, Any, None]]) -> None:
        if self.page.query(Overlay) or (self.opened is not None and not self.opened.directory):
            return
        if self.read_only:
            why = (self.opened.why if self.opened is not None else "") or "start the application without --read-only"
            self.page.say(Span("read-only ", Tone.WARN), f"cannot isolate or release anything; {why}")
            return
        self.key_order.hold()
        self.page.work(task(self.page), "asked")

    def action_command(self) -> None:
        """Show and copy the command that says the same as this screen."""
        copy_command(self)

    def action_mouse(self) -> None:
        """Give the mouse to the terminal, which marks text with it, or take it back."""
        lend_mouse(self)

    async def action_quit(self) -> None:
        """Leave; where something that was typed would be lost, say so first."""
        unsaved = next((lost for page in self.pages if (lost := page.unsaved())), "")
        if unsaved and not self._warned:
            self._warned = True
            again = (Span("ctrl+q", Tone.KEY), " again leaves without it")
            self.page.say(Span("! ", Tone.WARN), unsaved, "; ", *again, whole=True)
            return
        self.exit(0)

    def action_suspend_process(self) -> None:
        """Suspend, where a shell can take it up again."""
        if can_suspend() and not self.is_web:
            super().action_suspend_process()
        else:
            self.page.say(Span("no shell began this that could take it up again", Tone.DIM))

    def action_help_quit(self) -> None:
        """Say how to leave: ctrl+c does not."""
        self.page.say(Span("ctrl+q ", Tone.KEY), "leaves")

    def on_unmount(self) -> None:
        """Let the engine end."""
        self.engine.close()


def _made(entry: Entry) -> Page:
    made: Page = named(entry.where)(entry.name, entry.title)
    return made
