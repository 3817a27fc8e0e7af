"""Verdict tables: the order-free policy of one workload, what enforcers render and analyses read."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import product
from typing import Protocol

from ringfence.model.addresses import ALL_V4, ALL_V6, range_texts
from ringfence.model.assets import Control
from ringfence.model.intervals import IntervalSet
from ringfence.model.memberships import ALWAYS, Membership
from ringfence.model.processes import LINUX_KINDS, OTHER, Named, ProcessClass, process_classes
from ringfence.model.range_texts import RangeTexts, pieces_of
from ringfence.model.rules import Direction, Mode, Process
from ringfence.wire.plan_format import TABLE_FORMAT

__all__ = [
    "DEFAULT_RULE",
    "OTHER",
    "Cell",
    "Classes",
    "DeferredAddresses",
    "DirectionTable",
    "Effect",
    "Outcome",
    "Piece",
    "ProcessClass",
    "ServiceMap",
    "VerdictTable",
    "process_classes",
    "range_texts_of",
]

DEFAULT_RULE = "default"
NOTHING_NAMED: Named = tuple((kind, ()) for kind in LINUX_KINDS)


class Effect(StrEnum):
    """What happens to a connection: `watch` lets it pass and records that `full` would have denied it."""

    ALLOW = "allow"
    DENY = "deny"
    WATCH = "watch"


@dataclass(frozen=True, slots=True, order=True)
class Outcome:
    """An effect and the id of the rule that decided it, or `default` where none did."""

    effect: Effect
    rule: str = DEFAULT_RULE
    log: bool = False

    @property
    def passes(self) -> bool:
        """Return whether the connection is let through."""
        return self.effect is not Effect.DENY


Piece = tuple[int, int, Outcome]


@dataclass(frozen=True)
class ServiceMap:
    """An outcome for every point of the service line: closed, sorted, gapless pieces, neighbours never equal."""

    pieces: tuple[Piece, ...]

    def outcome(self, point: int) -> Outcome:
        """Return the outcome at a point of `ringfence.model.services`."""
        return self.pieces[bisect_right(self.pieces, point, key=lambda piece: piece[0]) - 1][2]

    def passing(self) -> IntervalSet:
        """Return the points that are let through."""
        return IntervalSet.of((low, high) for low, high, outcome in self.pieces if outcome.passes)

    @cached_property
    def digest(self) -> str:
        """Return the sha256 of the canonical form."""
        return hashlib.sha256(json.dumps(self.data(), separators=(",", ":")).encode()).hexdigest()

    def data(self) -> list[list[object]]:
        """Return plain data: `[low, high, effect, rule, log]` for every piece, points of the service line."""
        return [[low, high, str(o.effect), o.rule, o.log] for low, high, o in self.pieces]


class Classes(Protocol):
    """A cut of all addresses into numbered classes."""

    def class_at(self, point: int) -> int:
        """Return the class of an address."""


class DeferredAddresses(Protocol):
    """Addresses that are made when somebody looks: the classes `numbers` of a cut of all addresses."""

    @property
    def cut(self) -> Classes:
        """Return the cut that the numbers are of."""

    @property
    def numbers(self) -> Iterable[int]:
        """Return the numbers of the classes."""

    def ranges(self) -> IntervalSet:
        """Return them as ranges."""

    def texts(self) -> RangeTexts:
        """Return the texts of the ranges."""


@lru_cache(maxsize=1024)
def range_texts_of(addresses: IntervalSet) -> RangeTexts:
    """Return the texts of a set's ranges."""
    families = (pieces_of(range_texts(addresses & whole)) for whole in (ALL_V4, ALL_V6))
    return RangeTexts(*families)


class Cell:
    """All remote addresses of one local address set and process class that share one service map.

    Where that depends on the dynamic sets that a remote address is in, `membership` says for which of them the cell
    holds; the cells of the same remote addresses then tell every membership once.
    The remote addresses may be given as something that makes them: large estates keep them as bitmaps and make ranges
    or texts of them only when, and as long as, somebody looks.
    """

    __slots__ = ("_remote", "local", "membership", "process", "services")

    def __init__(
        self,
        local: IntervalSet,
        process: ProcessClass,
        remote: IntervalSet | DeferredAddresses,
        services: ServiceMap,
        membership: Membership = ALWAYS,
    ) -> None:
        self.local = local
        self.process = process
        self.services = services
        self.membership = membership
        self._remote = remote

    @property
    def remote(self) -> IntervalSet:
        """Return the remote addresses."""
        return self._remote if isinstance(self._remote, IntervalSet) else self._remote.ranges()

    @property
    def remote_classes(self) -> DeferredAddresses | None:
        """Return the remote addresses as classes of a cut, None where they are kept as ranges."""
        return None if isinstance(self._remote, IntervalSet) else self._remote

    @property
    def remote_texts(self) -> RangeTexts:
        """Return the texts of the remote addresses."""
        return range_texts_of(self._remote) if isinstance(self._remote, IntervalSet) else self._remote.texts()

    def __repr__(self) -> str:
        return f"Cell({', '.join(map(repr, self._values()))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cell) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def _values(self) -> tuple[IntervalSet, ProcessClass, IntervalSet, ServiceMap, Membership]:
        return self.local, self.process, self.remote, self.services, self.membership


@dataclass(frozen=True, init=False)
class DirectionTable:
    """One direction of a table.

    Its cells together cover every local address, process class, remote address and membership of it once.

    `named` are the processes that the policy of this workload names, sorted, for every kind of its platform; the
    process classes are all their combinations, with none (`other`) for each. Units and users are Linux's. `locals`
    partition every address of both families.
    """

    mode: Mode
    cells: tuple[Cell, ...]
    named: Named

    def __init__(
        self,
        mode: Mode,
        cells: tuple[Cell, ...],
        units: tuple[str, ...] | None = None,
        users: tuple[str, ...] | None = None,
        *,
        named: Named = NOTHING_NAMED,
    ) -> None:
        given = {"unit": units, "user": users}
        whole = tuple((kind, names if (own := given.get(kind)) is None else own) for kind, names in named)
        object.__setattr__(self, "mode", mode)
        object.__setattr__(self, "cells", cells)
        object.__setattr__(self, "named", whole)

    @property
    def units(self) -> tuple[str, ...]:
        """Return the named units."""
        return self.names("unit")

    @property
    def users(self) -> tuple[str, ...]:
        """Return the named users of Linux."""
        return self.names("user")

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the process kinds of this workload's platform."""
        return tuple(kind for kind, _ in self.named)

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the named processes of a kind."""
        return next((names for one, names in self.named if one == kind), ())

    def services_at(self, local: int, process: ProcessClass, remote: int, members: Collection[str] = ()) -> ServiceMap:
        """Return the service map for two addresses (points) and a process class.

        `members` are the dynamic sets that the remote address is in.
        """
        known = self.class_of(process)
        for cell in self.cells:
            if (
                cell.process == known
                and local in cell.local
                and remote in cell.remote
                and cell.membership.holds(members)
            ):
                return cell.services
        raise LookupError(f"no cell covers {local}, {process}, {remote}: the table is incomplete")

    def class_of(self, process: ProcessClass) -> ProcessClass:
        """Return the class of this table that a process falls into."""
        if all(name in self.names(kind) for kind, name in process.names):
            return process
        return ProcessClass(**{kind: name for kind, name in process.names if name in self.names(kind)})

    def classes_of(self, process: Process | None) -> frozenset[ProcessClass]:
        """Return the classes that what a peer names falls into, all for None; one of another platform has none here."""
        every = self.process_classes
        if process is None:
            return frozenset(every)
        named = process.named()
        if not named or not set(named) <= set(self.kinds):
            return frozenset()
        chosen: list[tuple[str, tuple[str | None, ...]]] = [
            (kind, named.get(kind) or (None, *self.names(kind))) for kind in self.kinds
        ]
        kinds = [kind for kind, _ in chosen]
        pairs = product(*(names for _, names in chosen))
        return frozenset(self.class_of(ProcessClass(**dict(zip(kinds, one, strict=True)))) for one in pairs)

    @property
    def process_classes(self) -> tuple[ProcessClass, ...]:
        """Return every process class, `other` first."""
        return process_classes(self.named)

    @property
    def local_sets(self) -> tuple[IntervalSet, ...]:
        """Return the distinct local address sets, in order."""
        return tuple(dict.fromkeys(cell.local for cell in self.cells))

    @property
    def dynamic_sets(self) -> tuple[str, ...]:
        """Return the dynamic sets that decide something here, sorted."""
        conditions = (cell.membership for cell in self.cells if cell.membership != ALWAYS)
        return tuple(sorted({name for one in conditions for name in (*one.inside, *one.outside)}))


@dataclass(frozen=True)
class VerdictTable:
    """The compiled policy of the workloads that share it; `rule_names` name the rules that decide something in it."""

    inbound: DirectionTable
    outbound: DirectionTable
    control: Control | None = None
    rule_names: Mapping[str, str] = field(default_factory=dict)

    def direction(self, direction: Direction) -> DirectionTable:
        """Return one direction's table."""
        return self.inbound if direction is Direction.IN else self.outbound

    @property
    def dynamic_sets(self) -> tuple[str, ...]:
        """Return the dynamic sets that decide something in either direction, sorted."""
        return tuple(sorted({*self.inbound.dynamic_sets, *self.outbound.dynamic_sets}))

    def data(self) -> dict[str, object]:
        """Return the canonical plain data of `tables/<digest>.json`; docs/architecture.md gives its shape."""
        data, sets = self._outline()
        return {**data, "addresses": {name: list(addresses.texts()) for addresses, name in sets.items()}}

    def text(self) -> str:
        """Return the canonical JSON text, with a newline at its end."""
        data, sets = self._outline()
        addresses = ",".join(
            f'"{name}":["{texts}"]' if texts else f'"{name}":[]'
            for name, texts in sorted((name, addresses.joined('","')) for addresses, name in sets.items())
        )
        # "addresses" sorts before every other key
        rest = json.dumps(data, sort_keys=True, separators=(",", ":"))
        return f'{{"addresses":{{{addresses}}},{rest[1:]}\n'

    def _outline(self) -> tuple[dict[str, object], dict[RangeTexts, str]]:
        """Return the data without `addresses`, and the names of the address sets."""
        sets: dict[RangeTexts, str] = {}
        maps: dict[ServiceMap, str] = {}

        def set_name(addresses: RangeTexts) -> str:
            return sets.setdefault(addresses, f"a{len(sets)}")

        def map_name(services: ServiceMap) -> str:
            return maps.setdefault(services, f"s{len(maps)}")

        directions = {
            str(direction): {
                "mode": str(table.mode),
                **{f"{kind}s": list(names) for kind, names in table.named},
                "cells": [
                    {
                        "local": set_name(range_texts_of(cell.local)),
                        **{kind: cell.process.name(kind) for kind in table.kinds},
                        "remote": set_name(cell.remote_texts),
                        "services": map_name(cell.services),
                        **_condition(cell.membership),
                    }
                    for cell in table.cells
                ],
            }
            for direction, table in ((Direction.IN, self.inbound), (Direction.OUT, self.outbound))
        }
        control = {"from": list(self.control.networks), "port": self.control.port} if self.control else None
        data: dict[str, object] = {
            "format": TABLE_FORMAT,
            "control": control,
            **directions,
            "services": {name: services.data() for services, name in maps.items()},
            "rules": dict(sorted(self.rule_names.items())),
        }
        return data, sets

    @cached_property
    def digest(self) -> str:
        """Return the sha256 of the canonical text."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def _condition(membership: Membership) -> dict[str, list[str]]:
    """Return what a cell's data says of dynamic sets: nothing where it holds for all."""
    if membership == ALWAYS:
        return {}
    return {"inside": list(membership.inside), "outside": list(membership.outside)}
