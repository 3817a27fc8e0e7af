"""What a terminal sends, read so that nothing of it ends the application: no byte that is no UTF-8, no odd sequence.

Textual (8.2.8) ends with a traceback at one byte of Latin-1, and paints forever for a size that nothing has.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from textual._xterm_parser import XTermParser
from textual.events import Paste, Resize
from textual.message import Message

from ringfence_tui.messages import NotTaken
from ringfence_tui.pasted_input import NotPasted, Pasted, PastedInput, Piece


class TypedInput:
    """Makes events of bytes. `size` tells the columns and lines of the terminal: a report of others is not heeded."""

    def __init__(self, size: Callable[[], tuple[int, int]]) -> None:
        self._size = size
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._pastes = PastedInput()
        self._parser = XTermParser()
        self._kept = _Pixels()

    def read(self, data: bytes) -> Iterator[Message]:
        """Yield the events of some bytes. Those of a sequence that cannot be understood are dropped with it."""
        yield from self._events(self._pastes.read(self._decode(data)))

    def pause(self) -> Iterator[Message]:
        """Yield the events of what has waited for long enough for more: an escape by itself is the key."""
        yield from self._events(self._pastes.pause())
        yield from self._understood(self._parser.tick())

    def _events(self, pieces: Iterable[Piece]) -> Iterator[Message]:
        for piece in pieces:
            match piece:
                case Pasted(text):
                    yield Paste(text.replace("\0", ""))
                case NotPasted(why):
                    yield NotTaken(why)
                case _:  # never an empty text: by that the parser is told that there is no more
                    yield from self._understood(self._parser.feed(piece.text))

    def _understood(self, found: Iterable[Message]) -> Iterator[Message]:
        try:
            for event in found:
                if isinstance(event, Paste):  # its text was taken out before; what is left are the marks
                    continue
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
