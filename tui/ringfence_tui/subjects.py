"""Subjects that one screen sends another: what is to be looked at there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AssetSubject:
    """One asset by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class AssetsSubject:
    """The assets that a filter chooses."""

    filter: str


@dataclass(frozen=True, slots=True)
class PairSubject:
    """Two ends, as selectors or names, and a service (`tcp/5432`), empty for any."""

    client: str
    server: str
    service: str = ""


@dataclass(frozen=True, slots=True)
class PictureSubject:
    """The map, with only what has one of these signs."""

    signs: str


@dataclass(frozen=True, slots=True)
class RuleSubject:
    """A rule by its id."""

    rule_id: str


@dataclass(frozen=True, slots=True)
class RunSubject:
    """A rollout by its id."""

    run_id: str


@dataclass(frozen=True, slots=True)
class PlanSubject:
    """A plan by its name."""

    plan: str
