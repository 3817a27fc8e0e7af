"""The enforcers: from a verdict table to what one kind of host or service loads; found by entry point.

An enforcer is one folder here, `enforcers/<name>/`, and one in the collection, `plugin_utils/enforcers/<name>/`.
Nothing else imports a named enforcer: the rest of the engine asks `enforcer(name)` for what this module describes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, runtime_checkable

from ringfence.model.abilities import LINUX, Abilities
from ringfence.model.assets import Asset
from ringfence.model.intervals import IntervalSet
from ringfence.model.safe_text import clean_line
from ringfence.model.tables import VerdictTable
from ringfence.plugins import Registry

if TYPE_CHECKING:
    from pydantic import JsonValue

GROUP = "ringfence.enforcers"
# Why a host cannot take a table, and the way out.
Reason = tuple[str, str]
# What a host is known to be and have: plain data, read from what it told about itself.
Facts: TypeAlias = "Mapping[str, JsonValue]"
# The part of a host's facts that its text depends on: the plan freezes it, and hosts with equal ones share texts.
Profile: TypeAlias = "Mapping[str, JsonValue]"


@dataclass(frozen=True, slots=True)
class Targets:
    """All assets that one enforcer serves in a plan, and their tables, by asset name."""

    assets: Mapping[str, Asset]
    tables: Mapping[str, VerdictTable]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a host loads, and the data that it fills in at run time: the enforcer's own, nobody else reads it."""

    text: str
    runtime: list[dict[str, JsonValue]] = field(default_factory=list)


class Renderer(Protocol):
    """Renders the tables of one plan. Equal targets, tables and profiles give equal bytes."""

    def render(self, table: VerdictTable, profile: Profile) -> Rendered:
        """Return what the target loads. Raise RingfenceError for what this enforcer cannot enforce."""
        ...


@runtime_checkable
class Enforcer(Protocol):
    """What an enforcer offers.

    `name` is what a plan and `ringfence_enforcer` call it, `suffix` the ending of the files that a plan keeps its texts
    in. Every method is a pure function of its arguments.
    """

    name: str
    suffix: str
    abilities: Abilities

    def facts(self, told: Mapping[str, JsonValue]) -> Facts:
        """Return the facts that matter here of what a host told about itself.

        What it did not tell, or what is not valid, is taken as a current release has it: the host itself refuses what
        it lacks.
        """
        ...

    def lacks(self, facts: Facts) -> str:
        """Return why a host with these facts cannot be enforced on at all, empty where it can be."""
        ...

    def profile(self, facts: Facts) -> Profile:
        """Return the facts that rendering depends on."""
        ...

    def refusals(self, table: VerdictTable, facts: Facts, asset: Asset) -> list[Reason]:
        """Return everything of a table that a host with these facts cannot enforce.

        Of the asset only its variable `ringfence_<enforcer>` counts: of those that told nothing and have none, one is
        asked about for all that share a table.
        """
        ...

    def renderer(self, targets: Targets) -> Renderer:
        """Return what renders the tables of a plan whose targets of this enforcer these are."""
        ...


@dataclass(frozen=True, slots=True)
class Network:
    """A bridge network: its name, and its addresses without those of the host itself (its gateways)."""

    name: str
    addresses: IntervalSet


@dataclass(frozen=True, slots=True, eq=False)
class Contained:
    """A container with its table: `name` is the asset, `called` what its engine calls it on `host`.

    `addresses` are those that the table of every peer knows it by; it may have others by the time that these are used.
    `cut` says that its established connections end where the table denies them.
    """

    name: str
    host: str
    called: str
    addresses: tuple[int, ...]
    networks: tuple[Network, ...]
    table: VerdictTable
    cut: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Forwarded:
    """Workloads of one table whose packets a host judges where it forwards them, and their addresses as it meets them.

    `cut` says that their established connections end where the table denies them.
    """

    assets: tuple[str, ...]
    addresses: IntervalSet
    table: VerdictTable
    cut: bool = False


class OptionFault(NamedTuple):
    """What is not valid in the variable of an enforcer: below which key (empty: the whole), why, and the way out."""

    key: str
    why: str
    remedy: str


@runtime_checkable
class HeldByHost(Protocol):
    """An enforcer whose workloads get no ruleset of their own: the enforcer of their host renders their tables."""

    def held_at(self, asset: Asset) -> tuple[str, str] | None:
        """Return the host that holds a workload, and what it is called there; None where the host does not see it."""
        ...

    def contained(self, asset: Asset, table: VerdictTable, facts: Facts) -> Contained:
        """Return what its host's enforcer must know of such a workload, of which `refusals` found nothing."""
        ...

    def unseen(self, asset: Asset) -> str:
        """Return why an asset of this kind has no packets of its own on its host, empty for all others."""
        ...

    def bridges(self, asset: Asset) -> tuple[tuple[str, str], ...]:
        """Return the host and the name of every bridge network of an asset, a workload or not; nothing for others."""
        ...


@runtime_checkable
class HoldsContainers(Protocol):
    """An enforcer, and its renderer, that renders the tables of a host's containers into the ruleset of the host.

    So it does with the tables of those for whom the host forwards.
    """

    def forwards(self, asset: Asset) -> IntervalSet | None:
        """Return the addresses for which a host is asked to judge what it forwards, None where it is not asked to."""
        ...

    def render_holding(
        self,
        table: VerdictTable,
        profile: Profile,
        contained: Sequence[Contained],
        forwarded: Sequence[Forwarded] = (),
    ) -> Rendered:
        """Return what the host loads. Raise RingfenceError for what it cannot enforce."""
        ...


@runtime_checkable
class TakesOptions(Protocol):
    """An enforcer that the inventory asks for more by the variable `ringfence_<enforcer>` of a host."""

    def option_faults(self, given: object) -> list[OptionFault]:
        """Return what is not valid in the variable's value; what is valid beside it counts all the same."""
        ...


@runtime_checkable
class EnforcedOnTheWay(Protocol):
    """An enforcer whose workloads get no ruleset of their own: hosts that forward for them have their tables."""

    def on_the_way(self) -> bool:
        """Return true."""
        ...


_REGISTRY: Registry[Enforcer] = Registry(
    GROUP,
    Enforcer,
    "enforcer",
    "name, suffix, abilities, facts(), lacks(), profile(), refusals() and renderer()",
)


@cache
def variable_of(enforcer_name: str) -> str:
    """Return the name of the variable by which a host's inventory tells an enforcer about it."""
    return f"ringfence_{enforcer_name}"


def told_of(asset: Asset, enforcer_name: str, features: Facts) -> Facts:
    """Return what a host told about itself, and over it what its variable `ringfence_<enforcer>`, a mapping, says."""
    given = asset.attributes.get(variable_of(enforcer_name))
    return {**features, **given} if isinstance(given, Mapping) else features


def names() -> tuple[str, ...]:
    """Return the names of the installed enforcers, sorted."""
    return _REGISTRY.names()


def enforcer(name: str) -> Enforcer:
    """Return the enforcer of a name. Raise InputError, with the names there are, where none is installed."""
    return _REGISTRY.get(name)


def abilities_of(name: str) -> Abilities:
    """Return the abilities of the enforcer of a name; where none is installed, those of Linux: nothing is enforced."""
    return enforcer(name).abilities if name in names() else LINUX


def held_at(asset: Asset) -> tuple[str, str] | None:
    """Return the host that holds a workload, and what it is called there, None for one that is on its own."""
    its = enforcer(asset.enforcer) if asset.workload and asset.enforcer in names() else None
    return its.held_at(asset) if isinstance(its, HeldByHost) else None


def held_by_host(enforcer_name: str) -> bool:
    """Return whether other hosts have the tables of an enforcer's workloads, so that Ansible has no line to these."""
    return enforcer_name in names() and isinstance(enforcer(enforcer_name), HeldByHost | EnforcedOnTheWay)


def unseen(asset: Asset) -> str:
    """Return why an asset that was to be a workload held by a host is none, empty for all others."""
    its = enforcer(asset.enforcer) if not asset.workload and asset.enforcer in names() else None
    return clean_line(its.unseen(asset)) if isinstance(its, HeldByHost) else ""
