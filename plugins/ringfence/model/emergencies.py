"""Emergencies as a workspace keeps them: a quarantine that isolates assets, or a permission that ends by itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ringfence.model.addresses import DEFAULT_REALM
from ringfence.model.errors import Place
from ringfence.model.intervals import EMPTY, IntervalSet, union
from ringfence.model.services import Services

FOLDER = "emergencies"
SUFFIX = ".json"
ID = re.compile(r"[qp]-[0-9a-f]{8}")
NO_SERVICE = Services()


class Kind(StrEnum):
    """What an emergency does."""

    QUARANTINE = "quarantine"
    PERMISSION = "permission"

    @property
    def ending(self) -> str:
        """Return the command that ends one."""
        return "release" if self is Kind.QUARANTINE else "end"


class HostState(StrEnum):
    """What is known of an emergency on one host: the kernel was read to have it, or not to have it any more."""

    HELD = "held"
    RELEASED = "released"
    UNKNOWN = "not reached"


@dataclass(frozen=True, slots=True)
class Member:
    """An asset that an emergency is about, with the addresses that it had when that was decided."""

    name: str
    addresses: IntervalSet
    realm: str = DEFAULT_REALM


@dataclass(frozen=True, slots=True)
class EmergencyEnd:
    """Whom an emergency is about: assets, and addresses of no asset; `said` is what a person wrote."""

    said: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()
    outside: IntervalSet = EMPTY

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the assets."""
        return frozenset(member.name for member in self.members)

    @property
    def addresses(self) -> IntervalSet:
        """Return every address."""
        return union([self.outside, *(member.addresses for member in self.members)])

    def met_in(self, realms: frozenset[str], near: Collection[str] = (), without: Collection[str] = ()) -> IntervalSet:
        """Return the addresses as a workload that sees some realms meets them, and assets that are `near` anyway.

        Those of the assets `without` are left out.
        """
        met = [one for one in self.members if (one.realm in realms or one.name in near) and one.name not in without]
        return union([self.outside, *(one.addresses for one in met)])


@dataclass(frozen=True, slots=True)
class Order:
    """One emergency as it was decided, and what became of it on hosts.

    A quarantine isolates `first`, but for what is in `second`, which stays reachable. A permission lets `first` reach
    `second` on `services`. Times are seconds since 1970; `ends` is 0 where it stands until it is released, and
    `released` where nobody released it. `approved_by` are the principals who signed its request. `place` is its file.
    """

    id: str
    kind: Kind
    who: str
    why: str
    since: int
    first: EmergencyEnd
    second: EmergencyEnd = EmergencyEnd()
    service: str = ""
    services: Services = NO_SERVICE
    ends: int = 0
    released: int = 0
    released_by: str = ""
    approved_by: tuple[str, ...] = ()
    hosts: Mapping[str, HostState] = field(default_factory=dict)
    place: Place | None = None

    def stands(self, now: float) -> bool:
        """Return whether it is meant to hold at a time."""
        return not self.released and (not self.ends or now < self.ends)

    @property
    def title(self) -> str:
        """Return what people read where it decided: `quarantine q-1a2b3c4d (alice, because …)`."""
        return f"{self.kind} {self.id} ({self.who}, because {self.why})"
