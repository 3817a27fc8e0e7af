"""What a terminal sends, read so that nothing of it ends the application: no byte that is no UTF-8, no odd sequence.

Textual (8.2.8) ends with a traceback at one byte of Latin-1, and paints for ever for a size that nothing has.
"""

from __future__ import annotations

import os
import select
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.message import Message

AT_ONCE = 4096  # bytes
LOOK = 0.1  # seconds between two looks whether the application leaves, and whether a sequence ends here


class TypedInput:
    """Makes events of bytes. `size` tells the columns and lines of the terminal: a report of others is not heeded."""

    def __init__(self, size: Callable[[], tuple[int, int]]) -> None:
        self._size = size
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._parser = XTermParser()
        self._kept = _Pixels()

    def read(self, data: bytes) -> Iterator[Message]:
        """Yield the events of some bytes. Those of a sequence that cannot be understood are dropped with it."""
        text = self._decode(data)
        if text:  # without a text the parser is told that there is no more
            yield from self._understood(self._parser.feed(text))

    def pause(self) -> Iterator[Message]:
        """Yield the events of what has waited for long enough for more: an escape by itself is the key."""
        yield from self._understood(self._parser.tick())

    def _understood(self, found: Iterable[Message]) -> Iterator[Message]:
        try:
            for event in found:
                if not isinstance(event, Resize):
                    yield event
                elif event.size == self._size():
                    self._kept = _Pixels(self._parser.mouse_pixels, event.size, event.pixel_size)
                    yield event
                else:
                    self._kept.give(self._parser)
        except Exception:  # noqa: BLE001  # whatever the parser trips over; a generator that raised has ended
            self._parser = XTermParser()
            self._kept.give(self._parser)


@dataclass(frozen=True, slots=True)
class _Pixels:
    """How a parser makes cells of the pixels in which the mouse may be told."""

    used: bool = False
    cells: tuple[int, int] | None = None
    pixels: tuple[int, int] | None = None

    def give(self, parser: XTermParser) -> None:
        parser.mouse_pixels, parser.terminal_size, parser.terminal_pixel_size = self.used, self.cells, self.pixels


class TerminalDriver(LinuxDriver):
    """Textual's driver with our reading."""

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
        while not self.exit_event.is_set():
            if select.select([self.fileno], [], [], LOOK)[0]:
                for event in typed.read(os.read(self.fileno, AT_ONCE)):
                    self.process_message(event)
            for event in typed.pause():
                self.process_message(event)
