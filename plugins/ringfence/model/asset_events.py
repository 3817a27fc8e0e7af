"""What happened to an asset: seen first, changed, gone, reached by a rollout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ringfence.model.counts import counted

MOST = 50  # snapshots that are read: of 50,000 assets each takes a third of a second


@dataclass(frozen=True, slots=True)
class AssetEvent:
    """Something that happened to an asset, when (UTC), and what tells it: a snapshot, a run, the inventory of now."""

    time: datetime
    text: str
    of: str


@dataclass(frozen=True, slots=True)
class AssetHistory:
    """What happened to an asset, the newest first; of `kept` snapshots the newest `read` were looked at."""

    name: str
    events: tuple[AssetEvent, ...]
    kept: int
    read: int

    def words(self) -> str:
        """Return how far back that goes."""
        if self.read < self.kept:
            return f"of {counted(self.kept, 'kept snapshot')} the newest {self.read} were read"
        return f"{counted(self.kept, 'snapshot')} kept"

    def data(self) -> dict[str, object]:
        """Return it as plain data."""
        return {
            "asset": self.name,
            "events": [{"time": one.time.isoformat(), "text": one.text, "from": one.of} for one in self.events],
            "snapshots": {"kept": self.kept, "read": self.read},
        }
