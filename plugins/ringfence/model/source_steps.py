"""What becomes of a source of the inventory while it is asked: it begins, and it ends with hosts or fails."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ringfence.model.counts import counted


class SourceStage(StrEnum):
    """How far a source is."""

    BEGAN = "began"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SourceStep:
    """One step of a source, a file named from the workspace: how many hosts it named, after so many seconds.

    `why` is what made it fail.
    """

    source: str
    stage: SourceStage
    hosts: int = 0
    seconds: float = 0.0
    why: str = ""

    def words(self) -> str:
        """Return what the source is at, without its name."""
        match self.stage:
            case SourceStage.BEGAN:
                return "is asked"
            case SourceStage.ENDED:
                return f"{counted(self.hosts, 'host')} in {self.seconds:.1f} s"
            case SourceStage.FAILED:
                return f"failed after {self.seconds:.1f} s: {self.why or 'it gave no reason'}"

    def data(self) -> dict[str, object]:
        """Return it as plain data."""
        return {
            "source": self.source,
            "stage": str(self.stage),
            "hosts": self.hosts,
            "seconds": round(self.seconds, 3),
            "why": self.why,
        }


def last_steps(steps: Iterable[SourceStep]) -> tuple[SourceStep, ...]:
    """Return the last step of each source, in the order in which sources were first asked."""
    return tuple({step.source: step for step in steps}.values())
