"""What the workspace's store of flows was made of: sources, days, rows, bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.flows.kept_sources import KeptSource, keep_source, kept_sources, still_there
from ringfence.flows.ledger import ROLLUPS, SIGHTINGS, Ledger
from ringfence.flows.store import FlowStore
from ringfence.flows.store_counts import Added
from ringfence.model.errors import OutsideError

if TYPE_CHECKING:
    from ringfence.estate import Estate


@dataclass(frozen=True, slots=True)
class KeptDay:
    """A day of the store: its flows (None where a file does not say), files and bytes, those of records too."""

    day: str
    flows: int | None
    files: int
    size: int

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {"day": self.day, "flows": self.flows, "files": self.files, "size": self.size}


@dataclass(frozen=True, slots=True)
class KeptFlows:
    """What a store holds, by the places that it came from and by day."""

    sources: tuple[KeptSource, ...]
    days: tuple[KeptDay, ...]

    @property
    def size(self) -> int:
        """Return the bytes of all days."""
        return sum(one.size for one in self.days)

    @property
    def flows(self) -> int:
        """Return how many flows all days have, as far as their files say."""
        return sum(one.flows or 0 for one in self.days)

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "flows": self.flows,
            "size": self.size,
            "sources": [one.data() for one in self.sources],
            "days": [one.data() for one in self.days],
        }


def list_flows(estate: Estate) -> KeptFlows:
    """Return what is kept. Raise OutsideError where the ledger, or the list of sources, is damaged."""
    directory = estate.history.flows
    ledger = Ledger.load(directory)
    days: list[KeptDay] = []
    for day, names in ledger.days(directory).items():
        records = [name for name in ledger.sightings if name.removeprefix(f"{SIGHTINGS}/").startswith(day.isoformat())]
        counts = [ledger.batches.get(name, 0) for name in names]
        rollups = [f"{ROLLUPS}/{name}" for name in names if name in ledger.rollups]
        sizes = [path.stat().st_size for name in (*names, *records, *rollups) if (path := directory / name).is_file()]
        days.append(KeptDay(day.isoformat(), sum(counts) if all(counts) else None, len(sizes), sum(sizes)))
    there = {one.day for one in days}
    found = still_there(kept_sources(directory), there)
    known = {one.name for one in found}
    for origin in ledger.origins:
        if not any(origin.path == name or origin.path.startswith(f"{name.rstrip('/')}/") for name in known):
            read_as = origin.read_as.partition(" ")[0]
            found.append(KeptSource(origin.path, read_as, None, origin.flows, 0, 0, origin.days, origin.size))
    return KeptFlows(tuple(sorted(found, key=lambda one: (one.name, one.read_as))), tuple(days))


def note_source(estate: Estate, name: str, read_as: str, added: Added, wrong: int, size: int | None = None) -> str:
    """Keep what a place brought, for `list_flows`; a file that was added before and brought nothing stays as it is.

    Return why that is not kept, nothing where it is: the flows are there all the same.
    """
    came = KeptSource(
        name,
        read_as,
        estate.now.isoformat(timespec="seconds"),
        added.read,
        added.records,
        wrong,
        tuple(day.isoformat() for day in added.days),
        size,
    )
    store = FlowStore(estate.history.flows)
    try:
        with store.alone():
            if not (added.known and not added.new and _is_noted(store.directory, name, read_as)):
                keep_source(store.directory, came, {day.isoformat() for day in store.days()})
    except OutsideError as error:
        return f"the flows are kept, and not listed by 'ringfence flows list': {error.message}"
    return ""


def _is_noted(directory: Path, name: str, read_as: str) -> bool:
    try:
        return any((one.name, one.read_as) == (name, read_as) for one in kept_sources(directory))
    except OutsideError:
        return False
