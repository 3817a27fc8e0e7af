"""Textual's application on our terminal: what is typed, what is written, and who reads and writes it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any, cast

from rich.console import RenderableType
from textual import events
from textual.driver import Driver
from textual.screen import Screen

from ringfence_tui.clipboard import wrapped
from ringfence_tui.faults import FaultTelling
from ringfence_tui.glyphs import stand_ins
from ringfence_tui.handing import leaves
from ringfence_tui.key_layouts import is_held, latin_key
from ringfence_tui.key_order import KeyOrder, Pressed
from ringfence_tui.room import is_enough
from ringfence_tui.widgets.overlay import Overlay
from ringfence_tui.widgets.shown import Shown

DRIVERS = {
    "LinuxDriver": "ringfence_tui.terminal_driver:TerminalDriver",
    "WebDriver": "ringfence_tui.serve.driver:BrowserDriver",
}


class TerminalApp(FaultTelling):
    """Keys come one at a time, what lies on top has them, and only what differs is written."""

    def __init__(self, *, no_color: bool) -> None:
        super().__init__(ansi_color=True if no_color else None)
        self.animation_level = "none"
        self.shown = Shown(stand_ins(self.around))
        self.key_order = KeyOrder(self, self._forward, self._keys_to_overlay)

    def get_driver_class(self) -> type[Driver]:
        """Return the driver: a terminal's and a browser's are those that no input ends."""
        found = super().get_driver_class()
        where = DRIVERS.get(found.__name__)  # none for a test's
        return found if where is None else cast("type[Driver]", named(where))

    @property
    def can_lend(self) -> bool:
        """Return whether the terminal can be handed to another program for a while; a browser cannot."""
        return self._driver is not None and self._driver.can_suspend

    @property
    def around(self) -> Mapping[str, str]:
        """Return the environment as far as it tells of the terminal: nothing in a browser, whose server has another."""
        return {} if self.driver_class.__name__ == "BrowserDriver" else os.environ

    def pressed(self) -> None:
        """Hear that something is typed, before it is taken."""

    async def on_event(self, event: events.Event) -> None:
        """Take keys one at a time, everything else as it comes; a button reaches nothing beside what lies on top."""
        if isinstance(event, events.Key | events.MouseEvent | events.Paste) and self._ignored(event):
            return
        if isinstance(event, events.Resize):  # at a size that is the old one again too, and after `fg`
            self.action_redraw()
        if isinstance(event, events.Key) and is_held(event):
            event = latin_key(event)
        if isinstance(event, Pressed) and not event.is_forwarded and not leaves(event):
            self.pressed()
            await self.key_order.take(event)
        elif isinstance(event, events.MouseDown | events.MouseUp) and not event.is_forwarded and self._beside(event):
            return
        else:
            await super().on_event(event)

    async def _forward(self, pressed: Pressed) -> None:
        """Hand a key on: a command is at its place on a keyboard of other letters too, a text has the letters."""
        if isinstance(pressed, events.Key) and not getattr(self.focused, "takes_text", False):
            pressed = latin_key(pressed)
        await super().on_event(pressed)

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        """Tell of a key that does nothing."""
        found = await super()._check_bindings(key, priority)
        if not found and not priority and self.screen_stack:
            self.without_effect(key)
        return found

    def without_effect(self, key: str) -> None:
        """Hear of a key that does nothing where it was pressed."""

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, self.shown.differing(renderable))

    def _ignored(self, event: events.Key | events.MouseEvent | events.Paste) -> bool:
        """Return whether nobody sees what a key would do: the terminal is too small."""
        return not is_enough(*self.size) and not leaves(event)

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

    def copy_to_clipboard(self, text: str) -> None:
        """Have the terminal copy a text."""
        self._clipboard = text
        if self._driver is not None:
            self._driver.write(wrapped(text, self.around))

    def action_redraw(self) -> None:
        """Write the whole screen again: something else wrote on the terminal."""
        self.shown.forget()
        if self.screen_stack:
            self.screen.refresh()


def named(where: str) -> Any:
    """Return what `module:name` names."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)
