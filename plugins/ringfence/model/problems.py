"""Problems: what is not as it should be, but did not stop the reading; an error or a warning, with its place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ringfence.model.errors import Place


class Severity(StrEnum):
    """Whether a problem must be solved before a plan is made, or only be known."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem: how bad it is, what is wrong, where, and the way out where there is one."""

    severity: Severity
    message: str
    place: Place | None = None
    remedy: str | None = None

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        way_out = f" ({self.remedy})" if self.remedy else ""
        return f"{where}{self.message}{way_out}"

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        place = self.place
        return {
            "severity": str(self.severity),
            "message": self.message,
            "file": place.file if place else None,
            "line": place.line if place else None,
            "column": place.column if place else None,
            "remedy": self.remedy,
        }
