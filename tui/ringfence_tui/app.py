"""The application: it wires screens, engine and themes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from rich.console import RenderableType
from textual import events
from textual.app import App
from textual.driver import Driver
from textual.screen import Screen

from ringfence_tui.actions import Action, actions, help_rows
from ringfence_tui.clipboard import wrapped
from ringfence_tui.copying import copy_command, lend_mouse
from ringfence_tui.ending import can_suspend, heed
from ringfence_tui.engine.client import Engine, EngineError, EngineGone
from ringfence_tui.glyphs import stand_ins
from ringfence_tui.jobs import Jobs, job_rows
from ringfence_tui.key_layouts import is_held, latin_key
from ringfence_tui.key_order import KeyOrder
from ringfence_tui.keys import APPLICATION, bindings
from ringfence_tui.messages import GoTo, JobsChanged, NotTaken, WorkspaceChanged
from ringfence_tui.opened import Opened
from ringfence_tui.page import Page
from ringfence_tui.passwords import Given
from ringfence_tui.responding import quarantine, release
from ringfence_tui.room import is_enough
from ringfence_tui.screens import SCREENS, Entry
from ringfence_tui.spans import Span, Tone
from ringfence_tui.theme import DARK, PLAIN, THEMES, WORD_OF
from ringfence_tui.widgets.jump import Jump
from ringfence_tui.widgets.overlay import Overlay
from ringfence_tui.widgets.palette import Palette
from ringfence_tui.widgets.sheet import Sheet
from ringfence_tui.widgets.shown import Shown

DRIVERS = {
    "LinuxDriver": "ringfence_tui.terminal_driver:TerminalDriver",
    "WebDriver": "ringfence_tui.serve.driver:BrowserDriver",
}


class RingfenceApp(App[int]):
    """Screens are installed when they are first shown, and switched ever after."""

    TITLE = "ringfence"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False  # a click on what is being removed ends the application (Textual 8.2.8, Screen._forward_event)
    BINDINGS = bindings(APPLICATION)

    def __init__(self, engine: Engine, *, no_color: bool = False, theme: str = DARK, first: str = "overview") -> None:
        super().__init__(ansi_color=True if no_color else None)
        for one in THEMES:
            self.register_theme(one)
        self.theme = PLAIN if no_color else theme
        self.animation_level = "none"
        self.engine = engine
        self.engine.on_gone = self._engine_gone
        self.opened: Opened | None = None
        self.jobs = Jobs()
        self.passwords = Given()
        self.first = first
        self._trail: list[str] = []
        self.shown = Shown(stand_ins(self.around))
        self.copied = ""  # the last command that was copied: leaving prints it
        self.key_order = KeyOrder(self, self._forward, self._keys_to_overlay)

    def get_driver_class(self) -> type[Driver]:
        """Return the driver: a terminal's and a browser's are those that no input ends."""
        found = super().get_driver_class()
        where = DRIVERS.get(found.__name__)  # none for a test's
        return found if where is None else cast("type[Driver]", named(where))

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
    def can_lend(self) -> bool:
        """Return whether the terminal can be handed to another program for a while; a browser cannot."""
        return self._driver is not None and self._driver.can_suspend

    @property
    def around(self) -> Mapping[str, str]:
        """Return the environment as far as it tells of the terminal: nothing in a browser, whose server has another."""
        return {} if self.driver_class.__name__ == "BrowserDriver" else os.environ

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
        return page

    # What Textual calls

    async def on_event(self, event: events.Event) -> None:
        """Take keys one at a time, everything else as it comes; a button reaches nothing beside what lies on top."""
        if isinstance(event, events.Key | events.MouseEvent | events.Paste) and self._ignored(event):
            return
        if isinstance(event, events.Resize):  # at a size that is the old one again too, and after `fg`
            self.action_redraw()
        if isinstance(event, events.Key) and is_held(event):
            event = latin_key(event)
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded and not _leaves(event):
            await self.key_order.take(event)
        elif isinstance(event, events.MouseDown | events.MouseUp) and not event.is_forwarded and self._beside(event):
            return
        else:
            await super().on_event(event)

    async def _forward(self, pressed: events.Key | events.Paste) -> None:
        """Hand a key on: a command is at its place on a keyboard of other letters too, a text has the letters."""
        if isinstance(pressed, events.Key) and not getattr(self.focused, "takes_text", False):
            pressed = latin_key(pressed)
        await super().on_event(pressed)

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        """Say so where a key does nothing."""
        found = await super()._check_bindings(key, priority)
        if not found and not priority and self.screen_stack:
            self.page.say_no_key(key)
        return found

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, self.shown.differing(renderable))

    def _ignored(self, event: events.Key | events.MouseEvent | events.Paste) -> bool:
        """Return whether nobody sees what a key would do: the terminal is too small."""
        return not is_enough(*self.size) and not (isinstance(event, events.Key) and event.key == "ctrl+q")

    def _overlay(self) -> Overlay | None:
        """Return what lies over the screen, the last of several."""
        found = self.screen.query(Overlay) if self.screen_stack else ()
        return next((one for one in reversed(list(found)) if one.is_attached), None)

    def _keys_to_overlay(self) -> None:
        """Have what lies over the screen take the keys, whatever took them meanwhile, and nothing that is gone."""
        overlay, focused = self._overlay(), self.focused
        if overlay is not None and (focused is None or overlay not in focused.ancestors_with_self):
            overlay.fit()
            self.screen.set_focus(overlay)
        elif focused is not None and not (focused.is_attached and focused.is_running):
            # what was removed while it was being opened can keep the focus (Textual 8.2.8)
            self.screen.set_focus(next(iter(self.screen.focus_chain), None))

    def _beside(self, event: events.MouseEvent) -> bool:
        overlay = self._overlay()
        return overlay is not None and not overlay.region.contains(event.x, event.y)

    async def on_mount(self) -> None:
        """Bind the numbers of the screens, and ask which workspace this is."""
        heed(self)
        self.app_resume_signal.subscribe(self, lambda _app: self.action_redraw(), immediate=True)
        for entry in SCREENS:
            if entry.key:
                self.bind(entry.key, f"show('{entry.name}')", show=False)
        self.run_worker(self._open(), exit_on_error=False)

    async def _open(self) -> None:
        try:
            self.opened = await self.engine.ask("workspace.opened", None, Opened)
        except EngineError as error:
            self.page.say_error(error)
            return
        self.page.show_top()
        if self.page.page_name != self.first:
            return
        if self.opened.directory:
            self.page.entered()
            self._say_permissions()
        else:
            self.go("start")
            self._trail.clear()

    async def open_workspace(self, directory: Path) -> None:
        """Open another workspace, with another engine, and show its overview."""
        await self.engine.restart(directory)
        self.opened = await self.engine.ask("workspace.opened", None, Opened)
        for page in self.pages:
            page.forget()
        self.go("overview")
        self._trail.clear()
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

    def _engine_gone(self, error: EngineGone) -> None:
        if self.is_running:
            self.page.say_error(error)

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
        return actions(self.page.page_title, keys, read_only=self.read_only)

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

    def copy_to_clipboard(self, text: str) -> None:
        """Have the terminal copy a text."""
        self._clipboard = text
        if self._driver is not None:
            self._driver.write(wrapped(text, self.around))

    def action_mouse(self) -> None:
        """Give the mouse to the terminal, which marks text with it, or take it back."""
        lend_mouse(self)

    async def action_quit(self) -> None:
        """Leave."""
        self.exit(0)

    def action_redraw(self) -> None:
        """Write the whole screen again: something else wrote on the terminal."""
        self.shown.forget()
        if self.screen_stack:
            self.screen.refresh()

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


def _leaves(event: events.Key | events.Paste) -> bool:
    return isinstance(event, events.Key) and event.key == "ctrl+q"


def named(where: str) -> Any:
    """Return what `module:name` names."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


def _made(entry: Entry) -> Page:
    made: Page = named(entry.where)(entry.name, entry.title)
    return made
