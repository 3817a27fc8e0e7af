"""Workloads that the enforcer of their host enforces on: containers on the bridges of a host, and their networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ringfence.enforcers import Facts, Profile, Rendered, enforcer, names
from ringfence.model.assets import Asset
from ringfence.model.intervals import IntervalSet
from ringfence.model.tables import VerdictTable


@dataclass(frozen=True, slots=True)
class Network:
    """A bridge network: its name, and its addresses without those of the host itself (its gateways)."""

    name: str
    addresses: IntervalSet


@dataclass(frozen=True, slots=True, eq=False)
class Contained:
    """A container with its table: `name` is the asset, `called` what its engine calls it on `host`.

    `addresses` are those that the table of every peer knows it by; it may have others by the time that these are used.
    """

    name: str
    host: str
    called: str
    addresses: tuple[int, ...]
    networks: tuple[Network, ...]
    table: VerdictTable


@runtime_checkable
class HeldByHost(Protocol):
    """An enforcer whose workloads get no ruleset of their own: the enforcer of their host renders their tables."""

    def contained(self, asset: Asset, table: VerdictTable, facts: Facts) -> Contained:
        """Return what its host's enforcer must know of such a workload, of which `refusals` found nothing."""
        ...


@runtime_checkable
class HoldsContainers(Protocol):
    """An enforcer, and its renderer, that renders the tables of a host's containers into the ruleset of the host."""

    def render_holding(self, table: VerdictTable, profile: Profile, contained: Sequence[Contained]) -> Rendered:
        """Return what the host loads. Raise RingfenceError for what it cannot enforce."""
        ...


def held_by_host(enforcer_name: str) -> bool:
    """Return whether workloads of an enforcer are held by a host, so that Ansible has no line to them."""
    return enforcer_name in names() and isinstance(enforcer(enforcer_name), HeldByHost)
