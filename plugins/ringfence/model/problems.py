"""Problems that did not stop the reading: an error or a warning, with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ringfence.model.errors import Place


class Severity(StrEnum):
    """Whether a problem must be solved before a plan is made, or only be known."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem: how bad it is, what is wrong, where, and the remedy if there is one."""

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

    @classmethod
    def of(cls, data: Mapping[str, object]) -> Problem:
        """Return the problem that `data` gave. Raise KeyError, TypeError or ValueError for what is none."""
        file, remedy = data["file"], data["remedy"]
        place = Place(str(file), int(str(data["line"])), int(str(data["column"]))) if file else None
        return cls(Severity(str(data["severity"])), str(data["message"]), place, str(remedy) if remedy else None)
