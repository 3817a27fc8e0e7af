"""The time of the flows that a picture is of: a span that ends now, or some spans before."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ringfence_tui.screens.map.answers import When

SPANS = ((1, "h"), (24, "h"), (7, "d"), (30, "d"), (90, "d"))
_USUAL = 2


@dataclass(frozen=True, slots=True)
class Times:
    """A span of `SPANS`, so many of them before now."""

    span: int = _USUAL
    back: int = 0

    @property
    def when(self) -> When:
        """Return the time as operations take it."""
        number, unit = SPANS[self.span]
        until = f"{self.back * number}{unit}" if self.back else None
        return When(f"{(self.back + 1) * number}{unit}", until)

    @property
    def words(self) -> str:
        """Return the time for people."""
        number, unit = SPANS[self.span]
        return f"{number}{unit}" + (f" until {self.back * number}{unit} ago" if self.back else "")

    def other(self) -> Times:
        """Return the next longer span that ends now, the shortest behind the longest."""
        return Times((self.span + 1) % len(SPANS))

    def stepped(self, back: int) -> Times:
        """Return the time so many spans earlier, later where negative; never later than now."""
        return replace(self, back=max(0, self.back + back))
