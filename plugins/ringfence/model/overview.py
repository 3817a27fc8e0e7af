"""A workspace at a glance: what there is, what decides, what was seen, what was rolled out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ringfence.model.picture import Sign, SignCount


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """The assets of one source; `stale` of them stand as they were `since` it was silent."""

    name: str
    assets: int
    stale: int = 0
    since: str = ""


@dataclass(frozen=True, slots=True)
class AssetsSummary:
    """How many assets there are, of which sources, with which labels; `taken` is when the inventory was asked.

    `labelled` workloads have all of the usual keys, `lacking` says how many lack each. `kept` is set where this is the
    last snapshot, and the inventory was not asked since. `waiting` are addresses that hosts report and nobody accepted.
    """

    assets: int
    workloads: int
    sources: tuple[SourceSummary, ...]
    labelled: int
    lacking: Mapping[str, int]
    contradictions: int
    enforcers: Mapping[str, int]
    taken: datetime
    kept: bool = False
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class PolicySummary:
    """How hosts enforce by the files: `modes` counts the weaker direction's mode of each.

    `covered` hosts have a table in which a rule decides something. `impossible` names the workloads that nothing
    enforces on, with the reason.
    """

    hosts: int
    modes: Mapping[str, int]
    covered: int
    rules: int
    impossible: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrafficSummary:
    """What was seen, and what the files say of it; `unseen` names the hosts of which nothing was seen."""

    connections: int
    flows: int
    signs: Mapping[Sign, SignCount]
    refused: SignCount
    hosts: int
    unseen: tuple[str, ...]
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RolloutSummary:
    """The newest plan and the newest run, empty where there is none, and what `verify` last found different."""

    plan: str = ""
    made: str = ""
    plan_hosts: int = 0
    plans: int = 0
    run: str = ""
    run_plan: str = ""
    state: str = ""
    who: str = ""
    started: str = ""
    run_hosts: int = 0
    holding: int = 0
    drifted: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class EmergencySummary:
    """A quarantine or permission that stands, or is `over` and may be held all the same.

    `whom` is what a person wrote, `since` seconds since 1970. `held` hosts are known to hold it; the others that
    should, or should no more, are `doubtful`.
    """

    kind: str
    id: str
    whom: str
    who: str
    since: int
    held: int = 0
    over: bool = False
    doubtful: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EmergenciesSummary:
    """What stands, the newest first."""

    emergencies: tuple[EmergencySummary, ...] = ()


@dataclass(frozen=True, slots=True)
class DraftSummary:
    """The draft: how many changes it has, of which files, and how many of them the files no longer take."""

    changes: int = 0
    files: tuple[str, ...] = ()
    conflicts: int = 0
