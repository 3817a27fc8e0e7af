"""Textual's driver of a terminal, with our reading of what is typed."""

from __future__ import annotations

import os
import select

from textual.drivers.linux_driver import LinuxDriver

from ringfence_tui.handing import LOOK, Handing
from ringfence_tui.typed_input import TypedInput

AT_ONCE = 4096  # bytes


class TerminalDriver(LinuxDriver):
    """A terminal."""

    def _sigcont_application(self, *signalled: object) -> None:
        """Go on after a SIGSTOP as after a SIGTSTP: else a second thread reads, and the terminal keeps our settings."""
        if self._auto_restart and self._key_thread is not None and self._key_thread.is_alive():
            self.suspend_application_mode()
            self._must_signal_resume = True
        super()._sigcont_application(*signalled)

    def keep_mouse(self) -> bool:
        """Take the mouse where the terminal has it, else give it back; return whether it is ours now."""
        if self._mouse:
            self._disable_mouse_support()
            self._mouse = False
        else:
            self._mouse = True
            self._enable_mouse_support()
            if self._mouse_pixels:  # the mode that was set last counts
                self._enable_mouse_pixels()
        return self._mouse

    def run_input_thread(self) -> None:
        """Hand on what is typed until the application leaves."""
        typed = TypedInput(lambda: os.get_terminal_size(self.fileno))
        handing = Handing(self, self.exit_event)
        while not self.exit_event.is_set():
            if select.select([self.fileno], [], [], LOOK)[0]:
                handing.hand(typed.read(os.read(self.fileno, AT_ONCE)))
            handing.hand(typed.pause())
