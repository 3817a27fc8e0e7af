"""The parts of the overview that are known until now, and what can be done next."""

from __future__ import annotations

from dataclasses import dataclass, field

from ringfence.model.overview import (
    AssetsSummary,
    DraftSummary,
    EmergenciesSummary,
    PolicySummary,
    RolloutSummary,
    TrafficSummary,
)

from ringfence_tui.engine.progress import Progress


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong: where, what, the way out."""

    place: str
    message: str
    remedy: str = ""
    error: bool = True


@dataclass(frozen=True, slots=True)
class Broken:
    """A part of the overview that cannot be had, and why."""

    part: str
    wrong: tuple[Wrong, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What `check` finds in the files and the inventory."""

    wrong: tuple[Wrong, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more comes."""


Summary = AssetsSummary | DraftSummary | EmergenciesSummary | PolicySummary | RolloutSummary | TrafficSummary
Part = Summary | Broken | Findings | Progress | Done


@dataclass(frozen=True, slots=True)
class Overview:
    """The parts that are known until now."""

    assets: AssetsSummary | None = None
    policy: PolicySummary | None = None
    traffic: TrafficSummary | None = None
    rollout: RolloutSummary | None = None
    draft: DraftSummary = field(default_factory=DraftSummary)
    emergencies: EmergenciesSummary = field(default_factory=EmergenciesSummary)
    broken: tuple[Broken, ...] = ()
    findings: tuple[Wrong, ...] = ()
    on: str = ""

    def wrong(self) -> tuple[Wrong, ...]:
        """Return everything that is wrong, each once, errors first."""
        every = dict.fromkeys([one for part in self.broken for one in part.wrong] + list(self.findings))
        return tuple(sorted(every, key=lambda one: not one.error))

    def errors(self) -> tuple[Wrong, ...]:
        """Return what is an error."""
        return tuple(one for one in self.wrong() if one.error)


@dataclass(frozen=True, slots=True)
class CollectRequest:
    """Ask the hosts who talks to whom, so often, with the passwords that Ansible needs."""

    times: int = 3
    every: float = 4.0
    become: str | None = field(default=None, repr=False)
    vault: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Collected:
    """What came: new flows, and why hosts said nothing, by name."""

    flows: int
    new: int
    silent: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Next:
    """What to do next: the key that does it, in words, and the screen that it leads to, or the action of this one."""

    key: str
    text: str
    screen: str
    subject: object = field(default=None, compare=False)
    action: str = ""


def taken(overview: Overview, part: Part) -> Overview:
    """Return the overview with another part."""
    match part:
        case AssetsSummary():
            return _with(overview, "assets", assets=part)
        case PolicySummary():
            return _with(overview, "policy", policy=part)
        case TrafficSummary():
            return _with(overview, "traffic", traffic=part)
        case RolloutSummary():
            return _with(overview, "rollout", rollout=part)
        case DraftSummary():
            return _with(overview, "", draft=part)
        case EmergenciesSummary():
            return _with(overview, "emergencies", emergencies=part)
        case Findings(wrong):
            return _with(overview, "", findings=wrong)
        case Progress(text):
            return _with(overview, "", on=text)
        case Done():
            return _with(overview, "", on="")
        case Broken():
            others = tuple(one for one in overview.broken if one.part != part.part)
            return _with(overview, "", broken=(*others, part))


def _with(overview: Overview, part: str, **values: object) -> Overview:
    kept: dict[str, object] = {name: getattr(overview, name) for name in Overview.__slots__}
    kept["broken"] = tuple(one for one in overview.broken if one.part != part)
    return Overview(**{**kept, **values})  # type: ignore[arg-type]  # the names are the fields'
