"""What is pasted, told from what is typed: nothing of a paste acts as a key, whatever stands in it.

Textual (8.2.8) presses the escape sequences in a paste as keys, and waits forever for the end of one that has none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

BEGINS, ENDS = "\x1b[200~", "\x1b[201~"
LONGEST = 2**20  # characters of one paste
NOBODY_TYPES = 1024  # characters in one read, without an escape among them: a terminal that does not mark its pastes
SILENT = 2.0  # seconds without a character after which a paste may have lost its end
BY_ITSELF = 0.1  # seconds without another character after which a key was pressed by itself
LEAVING = ("\x1b", "\x03", "\x11")  # escape, ctrl+c, ctrl+q: they end a paste that has lost its end


@dataclass(frozen=True, slots=True)
class Typed:
    """Characters of keys, the mouse, and what the terminal reports."""

    text: str


@dataclass(frozen=True, slots=True)
class Pasted:
    """A whole paste."""

    text: str


@dataclass(frozen=True, slots=True)
class NotPasted:
    """A paste that is not taken, or not yet, and why."""

    why: str


Piece = Typed | Pasted | NotPasted
TOO_LARGE = NotPasted(f"what was pasted is longer than {LONGEST:,} characters, and nothing of it was taken")
UNENDED = NotPasted("the terminal has begun a paste and not ended it; esc leaves it")


class PastedInput:
    """Takes the pastes out of what comes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self._before = ""  # the last characters that were typed: a mark may have begun in them
        self._pasting = False
        self._unmarked = False  # the paste that is being read has no marks
        self._parts: list[str] = []
        self._length = 0
        self._tail = ""  # the last characters that were pasted: the mark of the end may have begun in them
        self._alone = ""  # what may be a key that leaves the paste
        self._told = False

    def read(self, text: str) -> Iterator[Piece]:
        """Yield what some characters are, in their order."""
        now = self._clock()
        silent = now - self._last >= SILENT
        self._last = now
        self._alone = text if self._pasting and silent and text in LEAVING else ""
        while text:
            if self._unmarked:
                self._keep(text)
                return
            if not self._pasting:
                seen = self._before + text
                found = seen.find(BEGINS)
                if found < 0:
                    if len(text) >= NOBODY_TYPES and "\x1b" not in text:
                        self._begin(marked=False)
                        continue
                    self._before = seen[-len(BEGINS) + 1 :]
                    yield Typed(text)
                    return
                cut = found + len(BEGINS) - len(self._before)
                yield Typed(text[:cut])
                text = text[cut:]
                self._begin(marked=True)
                continue
            seen = self._tail + text
            found = seen.find(ENDS)
            if found < 0:
                self._keep(seen[: -len(ENDS) + 1])
                self._tail = seen[-len(ENDS) + 1 :]
                return
            self._tail = ""
            self._keep(seen[:found])
            yield self._end()
            yield Typed(ENDS)  # the parser has read the mark of the beginning too
            text = seen[found + len(ENDS) :]

    def pause(self) -> Iterator[Piece]:
        """Yield what nothing more belongs to."""
        if not self._pasting:
            return
        quiet = self._clock() - self._last
        if self._unmarked and quiet >= BY_ITSELF:
            yield self._end()
        elif self._alone and quiet >= BY_ITSELF:
            key, self._alone = self._alone, ""
            self._end()
            yield Typed(ENDS + key)
        elif quiet >= SILENT and not self._told:
            self._told = True
            yield UNENDED

    def _begin(self, *, marked: bool) -> None:
        self._pasting, self._unmarked = True, not marked
        self._before = self._tail = self._alone = ""
        self._told = False

    def _keep(self, text: str) -> None:
        self._length += len(text)
        if self._length <= LONGEST:
            self._parts.append(text)
        else:
            self._parts.clear()

    def _end(self) -> Piece:
        taken: Piece = Pasted("".join(self._parts)) if self._length <= LONGEST else TOO_LARGE
        self._pasting = self._unmarked = False
        self._parts, self._length, self._tail = [], 0, ""
        return taken
