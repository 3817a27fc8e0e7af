"""The history of one asset: from the kept snapshots, the inventory of now, and the rollouts that reached it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.estate.history import NAME
from ringfence.model.asset_events import MOST, AssetEvent, AssetHistory
from ringfence.model.errors import InputError
from ringfence.model.times import time_of_seconds
from ringfence.operations.runs import begun_runs
from ringfence.sources.snapshots import asset_in, changes_of

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.assets import Asset
    from ringfence.operations.runs import ListedRun

NOW = "the inventory of now"


def asset_history(estate: Estate, name: str, most: int = MOST, heed: Callable[[], None] = lambda: None) -> AssetHistory:
    """Return what happened to an asset, the newest first; of the kept snapshots the newest `most` are read.

    `heed` is called before each is read: what it raises ends the question. Raise InputError for an asset that is in
    none of them and not in the inventory, and for a snapshot that is damaged.
    """
    kept = estate.history.until()
    read = kept[-max(1, most) :]
    now = estate.survey().snapshot.named().get(name)
    events = [*_seen(read, name, now, estate.now, heed, known_before=len(read) < len(kept))]
    if not events and now is None:
        raise InputError(f"no kept snapshot and no source has an asset '{name}'", remedy="see: ringfence assets")
    events += [_run_event(run, name) for run in begun_runs(estate)[0] if name in run.facts.hosts]
    return AssetHistory(name, tuple(sorted(events, key=lambda one: one.time, reverse=True)), len(kept), len(read))


def _seen(
    paths: list[Path], name: str, now: Asset | None, time: datetime, heed: Callable[[], None], *, known_before: bool
) -> Iterator[AssetEvent]:
    before: Asset | None = None
    was_there = False
    for number, (of, at, asset) in enumerate(_looks(paths, name, now, time, heed)):
        if asset is None and before is not None:
            yield AssetEvent(at, "gone: no source names it", of)
        elif asset is not None and before is None:
            first = "known already" if known_before and not number else "seen first"
            yield AssetEvent(at, f"{'there again' if was_there else first}: {_told(asset)}", of)
        elif asset is not None and before is not None:
            changes = [one for one in changes_of(before, asset) if not one.field.startswith("rule of label ")]
            for one in changes:
                yield AssetEvent(at, f"{one.field}: {one.before or 'none'} → {one.after or 'none'}", of)
        before, was_there = asset, was_there or asset is not None


def _looks(
    paths: list[Path], name: str, now: Asset | None, time: datetime, heed: Callable[[], None]
) -> Iterator[tuple[str, datetime, Asset | None]]:
    for path in paths:
        heed()
        yield path.name, _taken(path), asset_in(path, name)
    yield NOW, time.astimezone(UTC), now


def _taken(path: Path) -> datetime:
    try:
        return datetime.strptime(path.stem, NAME).replace(tzinfo=UTC)
    except ValueError:
        return time_of_seconds(path.stat().st_mtime)


def _told(asset: Asset) -> str:
    labels = " ".join(f"{key}={label.value}" for key, label in asset.labels.items())
    return f"{labels or 'no label'}, from {', '.join(asset.sources) or 'no source'}"


def _run_event(run: ListedRun, name: str) -> AssetEvent:
    end = run.directory.end() or {}
    hosts = end.get("hosts")
    own = (
        [one for one in hosts if isinstance(one, Mapping) and one.get("host") == name]
        if isinstance(hosts, list)
        else []
    )
    became = " ".join(filter(None, (str(own[0].get("state", "")), str(own[0].get("reason", ""))))) if own else run.state
    text = f"plan {run.directory.short_plan[:4]} rolled out by {run.facts.who}: {became}"
    return AssetEvent(run.directory.began, text, f"run {run.directory.id}")
