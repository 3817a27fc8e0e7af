"""Discovery: the inventory asked again, and what each source gave, compared with what was known before."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.model.assets import Snapshot
from ringfence.sources.merging import STALE
from ringfence.sources.snapshots import difference

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.problems import Problem


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """What one source gave: assets now and before; `stale` stand as they were last known, because it was silent."""

    name: str
    assets: int
    before: int
    stale: int = 0


@dataclass(frozen=True, slots=True)
class Discovered:
    """What the inventory said: by source, what came and went, and every problem; `silent` are the sources' own."""

    sources: tuple[SourceAnswer, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: int
    silent: tuple[Problem, ...]
    problems: tuple[Problem, ...]
    seconds: float
    kept: bool = False


def discover(estate: Estate, *, keep: bool = True) -> Discovered:
    """Ask the inventory again; with `keep`, keep the snapshot where it has no error and differs from the last.

    Raise InputErrors for files that cannot be read, OutsideError where the inventory cannot be asked at all.
    """
    before = estate.history.newest()
    began = time.monotonic()
    survey = estate.survey(fresh=True)
    seconds = time.monotonic() - began
    kept = keep and not survey.errors()
    if kept:
        estate.keep_snapshot()
    known = difference(before or Snapshot((), survey.snapshot.taken), survey.snapshot)
    return Discovered(
        sources=_answers(before, survey.snapshot),
        added=known.added,
        removed=known.removed,
        changed=len({one.asset for one in known.changed}),
        silent=survey.silent,
        problems=survey.problems,
        seconds=seconds,
        kept=kept,
    )


def _answers(before: Snapshot | None, after: Snapshot) -> tuple[SourceAnswer, ...]:
    then, now = _counted(before), _counted(after)
    stale = Counter(source for asset in after.assets if STALE in asset.attributes for source in set(asset.sources))
    return tuple(SourceAnswer(name, now[name], then[name], stale[name]) for name in sorted({*then, *now}))


def _counted(snapshot: Snapshot | None) -> Counter[str]:
    return Counter(source for asset in (snapshot.assets if snapshot else ()) for source in set(asset.sources))
