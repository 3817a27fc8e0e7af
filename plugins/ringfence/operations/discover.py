"""Discovery: the inventory asked again, and what each source gave, compared with what was known before."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ringfence.model.assets import Snapshot
from ringfence.model.source_steps import SourceStep, last_steps
from ringfence.operations.execution import Execution
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
    """What the inventory said: by source, what came and went, and every problem; `silent` are the sources' own.

    `files` are the sources' files as they were asked, each with its last step.
    """

    sources: tuple[SourceAnswer, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: int
    silent: tuple[Problem, ...]
    problems: tuple[Problem, ...]
    seconds: float
    kept: bool = False
    files: tuple[SourceStep, ...] = ()

    def data(self) -> dict[str, object]:
        """Return it as plain data."""
        return {
            "files": [one.data() for one in self.files],
            "sources": [asdict(one) for one in self.sources],
            "added": list(self.added),
            "removed": list(self.removed),
            "changed": self.changed,
            "problems": [one.data() for one in self.problems],
            "seconds": round(self.seconds, 3),
            "kept": self.kept,
        }


def discover(estate: Estate, *, keep: bool = True, execution: Execution | None = None) -> Discovered:
    """Ask the inventory again; with `keep`, keep the snapshot where it has no error and differs from the last.

    The execution's listener hears of each source's file as it begins and ends.
    Raise InputErrors for files that cannot be read, OutsideError where the inventory cannot be asked at all.
    """
    before = estate.history.newest()
    began = time.monotonic()
    listener = (execution or Execution()).listener
    steps: list[SourceStep] = []

    def hear(step: SourceStep) -> None:
        steps.append(step)
        listener.source(step)

    survey = estate.survey(fresh=True, hear=hear)
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
        files=last_steps(steps),
    )


def _answers(before: Snapshot | None, after: Snapshot) -> tuple[SourceAnswer, ...]:
    then, now = _counted(before), _counted(after)
    stale = Counter(source for asset in after.assets if STALE in asset.attributes for source in set(asset.sources))
    return tuple(SourceAnswer(name, now[name], then[name], stale[name]) for name in sorted({*then, *now}))


def _counted(snapshot: Snapshot | None) -> Counter[str]:
    return Counter(source for asset in (snapshot.assets if snapshot else ()) for source in set(asset.sources))
