"""What an export cannot say: collected, so that all of it is told in one pass."""

from __future__ import annotations

from dataclasses import dataclass, field

from ringfence.model.errors import Place


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something of the policy that Kubernetes' objects cannot say: what it is called, where it stands, why."""

    name: str
    reason: str
    place: Place | None = None
    remedy: str = ""

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        place = str(self.place) if self.place else None
        return {"name": self.name, "reason": self.reason, "place": place, "remedy": self.remedy}


class Inexpressible(Exception):
    """One reason why something cannot be said, with a way out."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


@dataclass(slots=True)
class Refusals:
    """The refusals of one export, each once, in the order in which they were met."""

    found: dict[Refusal, None] = field(default_factory=dict)

    def add(self, name: str, error: Inexpressible, place: Place | None = None) -> None:
        """Keep a refusal."""
        self.found.setdefault(Refusal(name, error.reason, place, error.remedy))
