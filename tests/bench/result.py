"""What a benchmark found: the figure and its peer's, the rows behind it, targets, and what to know of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from .report import machine


@dataclass(frozen=True)
class Target:
    """What was promised of a figure: at most (or, with `least`, at least) so much."""

    what: str
    measured: float
    limit: float
    least: bool = False

    @property
    def met(self) -> bool:
        """Return whether the promise holds."""
        return self.measured >= self.limit if self.least else self.measured <= self.limit


@dataclass(frozen=True)
class Result:
    """`seconds` is ours and `peer` theirs in the same unit; `table` begins with its heads; `more` goes into JSON."""

    name: str
    subject: str
    seconds: float
    peer: float
    unit: str
    table: tuple[tuple[str, ...], ...]
    targets: tuple[Target, ...] = ()
    remarks: tuple[str, ...] = ()
    more: dict[str, float] = field(default_factory=dict)

    def data(self) -> dict[str, object]:
        """Return the figures as plain data."""
        return {
            "name": self.name,
            "seconds": rounded(self.seconds),
            "peer": rounded(self.peer),
            "ratio": rounded(self.seconds / self.peer),
            **{key: rounded(value) for key, value in self.more.items()},
            "unit": self.unit,
            "subject": self.subject,
            "table": self.table,
            "targets": [[t.what, rounded(t.measured), rounded(t.limit), t.met] for t in self.targets],
            "remarks": self.remarks,
            "machine": machine(),
        }


def rounded(value: float) -> float:
    """Return a figure with four digits that count."""
    return float(f"{value:.4g}")
