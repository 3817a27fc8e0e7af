"""What works in the background: several at once, each of the screen that began it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ringfence_tui.spans import Row, Span, Tone, row


@dataclass(frozen=True, slots=True)
class Job:
    """A job in a few words, and when it began, in seconds of a clock that only goes on."""

    text: str
    began: float


@dataclass
class Jobs:
    """The jobs by whose they are, the newest last."""

    every: dict[str, Job] = field(default_factory=dict)

    def tell(self, of: str, text: str, now: float) -> None:
        """Take what a job is at; one without a text has ended. It is as old as it was."""
        before = self.every.get(of)
        if not text:
            self.every.pop(of, None)
        else:
            self.every[of] = Job(text, before.began if before is not None else now)

    def words(self) -> str:
        """Return what the top line says: how many, and the newest."""
        if not self.every:
            return ""
        newest = list(self.every.values())[-1].text
        return newest if len(self.every) == 1 else f"{len(self.every)} jobs: {newest}"


def job_rows(every: Mapping[str, Job], now: float) -> tuple[Row, ...]:
    """Return a row for each job, the newest first."""
    if not every:
        return (row(Span("nothing works in the background", Tone.DIM)),)
    return tuple(
        row(Span(f"{job.text:<28}", Tone.STRONG), Span(f"  {of:<12}", Tone.DIM), f"  for {_spent(now - job.began)}")
        for of, job in reversed(list(every.items()))
    )


def _spent(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
