"""The picture of who talks to whom: groups by labels, and what each policy state says of the traffic between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Sign(StrEnum):
    """What becomes of a flow in one policy state; in the order of `WORST_FIRST` in a picture's cell."""

    DENIED = "x"
    WOULD_BE_DENIED = "!"
    NOT_JUDGED = "?"
    UNDECIDED = "~"
    ALLOWED = "+"
    NOTHING = "·"


WORST_FIRST = tuple(Sign)


class PolicyState(StrEnum):
    """Which policy judges: what hosts enforce, what the files say, or the files with the unsaved draft."""

    HELD = "held"
    FILES = "files"
    DRAFT = "draft"


class GroupKind(StrEnum):
    """What a group of a picture is made of."""

    LABELS = "labels"
    ASSET = "asset"
    NETWORK = "network"
    UNKNOWN = "unknown"
    INTERNET = "internet"


@dataclass(frozen=True, slots=True)
class SignCount:
    """How many distinct flows, and how many connections in them."""

    flows: int = 0
    connections: int = 0

    def __add__(self, other: SignCount) -> SignCount:
        return SignCount(self.flows + other.flows, self.connections + other.connections)


def digit(connections: int) -> int:
    """Return how large a number of connections is: how many decimal digits it has, 9 at most, 0 for none."""
    return min(len(str(connections)), 9) if connections > 0 else 0


@dataclass(frozen=True, slots=True)
class PictureGroup:
    """A row and column of the matrix. `labels` has a value for each level, None where an asset lacks that label.

    `name` is the asset's or the network's name where the group is one; `assets` how many assets it holds. In a picture
    of one group's inside, the groups outside of it have values for its own levels alone.
    """

    kind: GroupKind
    labels: tuple[str | None, ...]
    assets: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class PictureService:
    """What one service has of the traffic between two groups; `port` is None for unknown, `protocol` a number."""

    protocol: int
    port: int | None
    signs: Mapping[PolicyState, Mapping[Sign, SignCount]]
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class PictureEdge:
    """The traffic from one group to another: `client` and `server` are indexes of groups.

    `signs` has, for each state that was judged, how many flows have each sign. `refused` are attempts that were refused
    when they were seen; they have no sign. `services` are the busiest first, `more_services` how many others there are.
    """

    client: int
    server: int
    signs: Mapping[PolicyState, Mapping[Sign, SignCount]]
    refused: SignCount = field(default_factory=SignCount)
    services: tuple[PictureService, ...] = ()
    last: datetime | None = None
    more_services: int = 0

    def worst(self, state: PolicyState) -> Sign:
        """Return the worst sign of a state."""
        counts = self.signs.get(state, {})
        return next((sign for sign in WORST_FIRST if counts.get(sign, SignCount()).flows), Sign.NOTHING)

    def differs(self, one: PolicyState, other: PolicyState) -> bool:
        """Return whether two states say something different of these flows."""
        return dict(self.signs.get(one, {})) != dict(self.signs.get(other, {}))


@dataclass(frozen=True, slots=True)
class Picture:
    """Groups in the order of their labels, unknown and the internet last, and the traffic between them.

    `levels` are the label keys of the groups, coarsest first. `totals` are the flows and connections of the window by
    state and sign: the sum over the edges.
    """

    levels: tuple[str, ...]
    groups: tuple[PictureGroup, ...]
    edges: tuple[PictureEdge, ...]
    totals: Mapping[PolicyState, Mapping[Sign, SignCount]]
    refused: SignCount
    since: datetime | None = None
    until: datetime | None = None

    def edge(self, client: PictureGroup, server: PictureGroup) -> PictureEdge | None:
        """Return the traffic from one group to another, None where there is none or no such group."""
        return next(
            (one for one in self.edges if self.groups[one.client] == client and self.groups[one.server] == server), None
        )


@dataclass(frozen=True, slots=True)
class PictureEnd:
    """One end of a flow: its address, its asset and its process where they are known."""

    address: str
    asset: str | None = None
    process: str | None = None


@dataclass(frozen=True, slots=True)
class PictureFlow:
    """One distinct flow with its sign in each state, and the ids of the rules that decide it there; none of a refusal.

    `port` is None for unknown, `protocol` a number.
    """

    client: PictureEnd
    server: PictureEnd
    protocol: int
    port: int | None
    connections: int
    last: datetime | None
    refused: bool
    signs: Mapping[PolicyState, Sign]
    rules: Mapping[PolicyState, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class RuleShare:
    """What one rule, `default` or a built-in decides of some flows: on which side, with what sign.

    `place` is a file and line, "" where it is not known.
    """

    rule: str
    name: str
    place: str
    side: str
    sign: Sign
    count: SignCount


@dataclass(frozen=True, slots=True)
class RuleTraffic:
    """The flows of which a rule, `default` or a built-in decides a side, by sign, and when the last was seen."""

    rule: str
    count: SignCount
    signs: Mapping[Sign, SignCount]
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProcessShare:
    """How many flows name a process at one end (`client` or `server`); None for those that name none."""

    side: str
    process: str | None
    count: SignCount


@dataclass(frozen=True, slots=True)
class PictureCell:
    """The traffic from one group to another, down to the single flow.

    `edge` is None where there is none. `clients` and `servers` are how many ends there are on each side; `flows` the
    busiest, `more` how many others. `rules` are what decides, in each state, what decides most first.
    """

    client: PictureGroup
    server: PictureGroup
    edge: PictureEdge | None
    clients: int
    servers: int
    rules: Mapping[PolicyState, tuple[RuleShare, ...]]
    processes: tuple[ProcessShare, ...]
    flows: tuple[PictureFlow, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A group that another talks with: their traffic, and how many of its ends are in it."""

    group: PictureGroup
    edge: PictureEdge
    ends: int


@dataclass(frozen=True, slots=True)
class ModeShare:
    """How many hosts have these modes; both are "" for hosts that hold no table."""

    inbound: str
    outbound: str
    hosts: int


@dataclass(frozen=True, slots=True)
class Listening:
    """A service that answered on some hosts of a group, with the process where one was named."""

    protocol: int
    port: int | None
    process: str | None
    hosts: int
    connections: int


@dataclass(frozen=True, slots=True)
class GroupMiddle:
    """What a group is itself, by state: the modes of its hosts and the rules that decide its side of its flows.

    `listening` is what was seen to answer there, the busiest first.
    """

    modes: Mapping[PolicyState, tuple[ModeShare, ...]]
    listening: tuple[Listening, ...]
    rules: Mapping[PolicyState, tuple[RuleShare, ...]]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Who talks to a group (`clients`) and whom it talks to (`servers`), the most connections first.

    `middle` is what the group is itself, where that was asked for.
    """

    group: PictureGroup
    clients: tuple[Neighbour, ...]
    servers: tuple[Neighbour, ...]
    middle: GroupMiddle | None = None
