"""Lines of `ringfence.presenting` as rows of the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence_tui.spans import Row, Span, Tone

if TYPE_CHECKING:
    from ringfence.presenting import Line

TONES = {"green": Tone.GOOD, "red": Tone.BAD, "yellow": Tone.WARN, None: Tone.PLAIN}


def spanned(line: Line) -> Row:
    """Return a line as a row."""
    tone = TONES.get(line.style, Tone.PLAIN)
    return (Span(f" {line.text}", Tone.STRONG if line.bold and tone is Tone.PLAIN else tone),) if line.text else ()
