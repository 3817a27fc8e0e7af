"""The colours of signs on light and dark ground, which stay apart for colour-blind eyes (Machado 2009, CIE76)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.model.picture import Sign


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a ground."""

    ground: str
    text: str
    faint: str  # frames and what is beside the matter
    box: str
    allowed: str
    would_be_denied: str
    denied: str
    unknown: str

    def of(self, sign: Sign) -> str:
        """Return a sign's colour."""
        return {
            Sign.DENIED: self.denied,
            Sign.WOULD_BE_DENIED: self.would_be_denied,
            Sign.ALLOWED: self.allowed,
        }.get(sign, self.unknown)


LIGHT = Palette("#FFFFFF", "#1A1A1A", "#D0D0D0", "#F4F4F4", "#005A9C", "#8A6A00", "#7A0019", "#757575")
DARK = Palette("#121212", "#EDEDED", "#3A3A3A", "#1E1E1E", "#56B4E9", "#F5D000", "#FF7A59", "#9A9A9A")

# Nothing is said by colour alone: strokes differ too. Lengths of dashes and gaps in pixels; nothing for a whole line.
DASHES: Mapping[Sign, tuple[int, int]] = {
    Sign.WOULD_BE_DENIED: (10, 4),
    Sign.NOT_JUDGED: (2, 4),
    Sign.UNDECIDED: (5, 5),
    Sign.NOTHING: (1, 5),
}
PALETTES: Mapping[str, Palette] = {"light": LIGHT, "dark": DARK}
