"""What a person decided: rules in tiers, enforcement modes, tests, invariants and the workspace's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ringfence.model.addresses import addresses_of
from ringfence.model.assets import Control
from ringfence.model.emergency_settings import EMERGENCY_DEFAULTS, EmergencySettings
from ringfence.model.errors import Place
from ringfence.model.identity import DEFAULT_IDENTITY, Identity
from ringfence.model.intervals import IntervalSet
from ringfence.model.selectors import ANY, Selector
from ringfence.model.services import Services
from ringfence.model.watch_settings import WATCH_DEFAULTS, WatchSettings

EMERGENCY = "emergency"
DUCKDB = "duckdb"
DEFAULT_TIERS = (EMERGENCY, "guardrail", "application", "baseline")
DEFAULT_TIER = "application"
DEFAULT_PRIORITY = 100
# RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291: what `internet` never means unless a workspace says otherwise.
DEFAULT_PRIVATE = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1",
)


class Action(StrEnum):
    """What a rule does. Among equals `deny` beats `pass` beats `allow`."""

    ALLOW = "allow"
    DENY = "deny"
    PASS = "pass"  # noqa: S105 - an action, no password


class Mode(StrEnum):
    """What a verdict does: it is recorded only, or denies are enforced, or everything that is not allowed is denied."""

    OBSERVE = "observe"
    SELECTIVE = "selective"
    FULL = "full"


class Direction(StrEnum):
    """Seen from the workload: a connection it accepts (`in`, it is the server) or opens (`out`)."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Process:
    """Who on the host: one of `units` and one of `users` (either may be empty: any); Windows: programs, services."""

    units: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    services: tuple[str, ...] = ()

    def named(self) -> dict[str, tuple[str, ...]]:
        """Return the names by kind, without kinds that have none."""
        every = {"unit": self.units, "user": self.users, "program": self.programs, "service": self.services}
        return {kind: names for kind, names in every.items() if names}


@dataclass(frozen=True, slots=True)
class Peer:
    """One alternative of a rule's `from` or `to`; the ruleset's scope is already and-ed to `selector`."""

    selector: Selector
    process: Process | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `id` is 8 hex digits that stay when the rule moves in its file; `place` is its current place.

    `sides` holds the directions that it applies to: `at: from` is `out` alone, `at: to` is `in` alone. `ruleset` is the
    file of its ruleset, with the line of the document where the file holds several with rules.
    """

    id: str
    name: str
    place: Place
    sources: tuple[Peer, ...]
    destinations: tuple[Peer, ...]
    action: Action
    services: Services
    tier: str = DEFAULT_TIER
    priority: int = DEFAULT_PRIORITY
    sides: frozenset[Direction] = frozenset(Direction)
    log: bool = False
    ruleset: str = ""

    def local(self, direction: Direction) -> tuple[Peer, ...]:
        """Return the peers that mean the workload itself in a direction."""
        return self.destinations if direction is Direction.IN else self.sources

    def remote(self, direction: Direction) -> tuple[Peer, ...]:
        """Return the peers on the other end in a direction."""
        return self.sources if direction is Direction.IN else self.destinations


@dataclass(frozen=True, slots=True)
class Enforcement:
    """The modes of the workloads that `where` chooses; `cut` ends established connections that a new table denies."""

    where: Selector
    inbound: Mode
    outbound: Mode
    place: Place
    cut: bool = False

    def mode(self, direction: Direction) -> Mode:
        """Return the mode of one direction."""
        return self.inbound if direction is Direction.IN else self.outbound


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """One expectation: every connection from `sources` to `destinations` on `services` has the verdict `expect`."""

    name: str
    place: Place
    sources: tuple[Peer, ...]
    destinations: tuple[Peer, ...]
    services: Services
    expect: Action


@dataclass(frozen=True, slots=True)
class Invariant:
    """A statement proven for every asset, address, port and process; `sources` or `destinations` may be `any`."""

    name: str
    place: Place
    expect: Action
    sources: tuple[Peer, ...] = (Peer(ANY),)
    destinations: tuple[Peer, ...] = (Peer(ANY),)
    services: Services | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """`ringfence.yml`: every field has a default.

    `realms` maps a realm to the realms whose addresses it can meet; `canary` chooses the hosts that a rollout may
    begin with. An address that a host alone reports counts only inside `trusted`. Questions take the answer of a
    dynamic inventory for `fresh_for` seconds. `watch` is what `ringfence watch` goes by. `flows_engine` is `duckdb`, or
    the master of a Spark cluster.
    """

    control: Control | None = None
    realms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    private: tuple[str, ...] = DEFAULT_PRIVATE
    tiers: tuple[str, ...] = DEFAULT_TIERS
    valid_days: int = 7
    waves: tuple[int, ...] = (1, 10)
    canary: Selector | None = None
    identity: Identity = DEFAULT_IDENTITY
    trusted: tuple[str, ...] = ()
    fresh_for: int = 0
    watch: WatchSettings = WATCH_DEFAULTS
    flows_engine: str = DUCKDB
    emergencies: EmergencySettings = EMERGENCY_DEFAULTS

    def private_addresses(self) -> IntervalSet:
        """Return the private ranges as a set of addresses."""
        return addresses_of(self.private)

    def sees(self, realm: str) -> frozenset[str]:
        """Return the realms whose addresses a workload of `realm` can meet, including its own."""
        return frozenset({realm, *self.realms.get(realm, ())})


@dataclass(frozen=True, slots=True)
class Policy:
    """All that the files under `policy/` say, merged in the order of their names."""

    rules: tuple[Rule, ...] = ()
    enforcement: tuple[Enforcement, ...] = ()
    tests: tuple[PolicyTest, ...] = ()
    invariants: tuple[Invariant, ...] = ()
