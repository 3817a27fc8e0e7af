"""From traffic to rules: what is wanted, what is kept out and why, and the rules for what is left."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ringfence.model.addresses import address_text
from ringfence.model.assets import Asset
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Direction
from ringfence.model.services import ICMP, ICMPV6, TCP, UDP
from ringfence.model.units import SERVICE_PATTERN
from ringfence.suggest.addressed import masks, opened
from ringfence.suggest.cover import Chosen, Reach, Service, cover
from ringfence.suggest.decided import ALLOWED, NOT_ENFORCED, OPEN, Decided, Said
from ringfence.suggest.groups import Groups
from ringfence.suggest.infrastructure import EVERY, common
from ringfence.suggest.refusals import Refusals
from ringfence.suggest.rules import Evidence, Offered, Process, joined, union_of
from ringfence.suggest.traffic import EPHEMERAL, WHY, Seen

# One pair of hosts within so short a time, and never again in a window of at least that length, is not a habit.
SHORT, LONG_WINDOW = timedelta(hours=1), timedelta(days=2)
# So many ports above the ephemeral border between two groups are given out anew each time: they become one range.
DYNAMIC = 5
MOST_NAMED = 4  # addresses of the internet that a rule names one by one, and processes
NO_PROCESSES_FROM = 0.75
LISTENERS_UNTIL = 0.25
HABIT = 2  # connections of a process, at least
# Rules that name more assets than that one by one are none that a person reads: labels come first.
MOST_UNLABELLED = 20
UNLABELLED = "without labels: label them first (ringfence labels suggest)"


@dataclass(frozen=True, slots=True)
class Kept:
    """Traffic that no rule is suggested for, with the reason."""

    why: str
    seen: Seen


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted: a service between two groups, with everything that was seen of it."""

    client: int
    server: int
    service: Service
    seen: tuple[Seen, ...]

    @property
    def pairs(self) -> int:
        """Return how many pairs of hosts and services were seen."""
        return sum({(one.protocol, one.port): one.pairs for one in self.seen}.values())


@dataclass(frozen=True, slots=True)
class Mined:
    """Suggested rules, what is kept out, and how many flows the policy allows already."""

    offers: tuple[Offered, ...]
    kept: tuple[Kept, ...]
    wishes: tuple[Wish, ...]
    allowed: int


@dataclass
class Miner:
    """Finds rules for what was seen between groups.

    `refusals` are what a person wants no rule for; `inside` are the groups of the application to
    fence, None for all; `sees` says whether a group's enforcer can match a kind of process in a direction.
    """

    groups: Groups
    decided: Decided
    dial: float
    refusals: Refusals
    inside: Collection[int] | None = None
    sees: Callable[[int, str, Direction], bool] = lambda _group, _kind, _direction: True
    addresses: Callable[[Wish, str], Sequence[str]] = lambda _wish, _side: ()
    reach: Reach = field(init=False)
    unnamed: set[int] = field(init=False)

    def __post_init__(self) -> None:
        unlabelled = {number for number, group in enumerate(self.groups.every) if group.asset is not None}
        self.unnamed = unlabelled if len(unlabelled) > MOST_UNLABELLED else set()
        self.reach = Reach(self.groups, self.decided.closed if self.decided.decides else None, self.refusals.met)

    def mine(self, rows: Iterable[Seen], window: tuple[datetime, datetime] | None) -> Mined:
        """Return the rules for rows of a window from its first to its last moment."""
        kept: list[Kept] = []
        wanted: dict[tuple[int, int, int, int], list[Seen]] = {}
        outside: list[Seen] = []
        allowed = 0
        for row in rows:
            if self.inside is not None and row.client not in self.inside and row.server not in self.inside:
                if row.why is None:
                    outside.append(row)
                continue
            why = self.why(row)
            if why == ALLOWED:
                allowed += row.flows
            elif why is not None:
                kept.append(Kept(why, row))
            else:
                wanted.setdefault((row.client, row.server, row.protocol, row.port), []).append(row)
        wishes: list[Wish] = []
        for (client, server, service), seen in self._services(wanted).items():
            if _once(seen, window):
                kept.extend(Kept("seen once", one) for one in seen)
            else:
                wishes.append(Wish(client, server, service, tuple(seen)))
        return Mined(tuple(self._rules(wishes, outside)), tuple(kept), tuple(wishes), allowed)

    def why(self, row: Seen) -> str | None:
        """Return why no rule is for a row, ALLOWED where the policy has one, None where it is wanted."""
        if row.why is not None:
            return WHY[row.why]
        said = Said(row.client_unit, row.client_user, row.server_unit)
        verdict = self.decided.verdict(row.client, row.server, row.protocol, row.port, said)
        if verdict in (ALLOWED, NOT_ENFORCED) or verdict != OPEN:
            return verdict
        if row.client in self.unnamed or row.server in self.unnamed:
            return UNLABELLED
        return self.refusals.why(row.client, row.server, Service(row.protocol, row.port, row.port))

    def _services(
        self, wanted: Mapping[tuple[int, int, int, int], list[Seen]]
    ) -> dict[tuple[int, int, Service], list[Seen]]:
        """Return the wanted by service: ports that are given out anew each time are one range."""
        high: dict[tuple[int, int, int], int] = {}
        for client, server, protocol, port in wanted:
            if port >= EPHEMERAL and protocol in (TCP, UDP):
                high[client, server, protocol] = high.get((client, server, protocol), 0) + 1
        found: dict[tuple[int, int, Service], list[Seen]] = {}
        for (client, server, protocol, port), rows in wanted.items():
            service = Service(protocol, port, port)
            if port >= EPHEMERAL and high.get((client, server, protocol), 0) >= DYNAMIC:
                service = Service(protocol, EPHEMERAL, 65535)
            elif protocol not in (TCP, UDP, ICMP, ICMPV6, 132):
                service = Service(protocol, 0, 65535)
            found.setdefault((client, server, service), []).extend(rows)
        return found

    def _rules(self, wishes: Sequence[Wish], outside: Sequence[Seen]) -> list[Offered]:
        wanted = [(one.client, one.server, one.service) for one in wishes]
        kinds = common(wanted, self.reach, self.dial)
        offers: dict[tuple[str, object], Offered] = {}
        for kind, chosen in kinds.values():
            offers.setdefault((kind.name, chosen), self._offered(chosen, wishes, kind.name))
        rest = [number for number in range(len(wanted)) if number not in kinds]
        found = [
            self._offered(replace(one, covered=tuple(rest[number] for number in one.covered)), wishes)
            for one in cover([wanted[number] for number in rest], self.reach, self.dial)
        ]
        return sorted(
            (
                self._weighed(one, wishes, outside)
                for one in joined([*offers.values(), *found], lambda one: self._rare(one, wishes))
            ),
            key=lambda one: (bool(one.kind), sorted(one.applications()[1]), -_connections(one), one.id),
        )

    def _rare(self, one: Offered, wishes: Sequence[Wish]) -> bool:
        """Return whether no more than half of the hosts that a rule speaks for were seen to do that."""
        clients: dict[int, int] = {}
        for wish in (wishes[number] for number in one.covered):
            clients[wish.client] = max(clients.get(wish.client, 0), *(row.clients for row in wish.seen))
        return 2 * sum(clients.values()) <= sum(self.groups.every[number].size for number in clients)

    def _offered(self, chosen: Chosen, wishes: Sequence[Wish], kind: str = "") -> Offered:
        seen = [row for number in chosen.covered for row in wishes[number].seen]
        groups = [
            {wishes[number].client for number in chosen.covered},
            {wishes[number].server for number in chosen.covered},
        ]
        source = destination = Process()
        if self.dial < NO_PROCESSES_FROM and chosen.source != EVERY:
            source = self._process(seen, groups[0], Direction.OUT)
        if self.dial < LISTENERS_UNTIL and chosen.destination != EVERY and chosen.service.protocol in (TCP, UDP, 132):
            destination = self._process(seen, groups[1], Direction.IN)
        return Offered(
            (chosen.source,),
            (chosen.destination,),
            (chosen.service,),
            chosen.covered,
            source_process=source,
            destination_process=destination,
            kind=kind,
            addresses=(self._few(chosen, wishes, "client"), self._few(chosen, wishes, "server")),
        )

    def _process(self, seen: Sequence[Seen], groups: Collection[int], direction: Direction) -> Process:
        """Return the units, else the users, that alone were seen at an end, each more than once."""
        for kind in ("unit", "user") if direction is Direction.OUT else ("unit",):
            counts: dict[str | None, int] = {}
            for row in seen:
                name = getattr(row, f"{'client' if direction is Direction.OUT else 'server'}_{kind}")
                counts[name] = counts.get(name, 0) + row.connections
            names = sorted(name for name in counts if name is not None)
            if names and (None in counts or len(names) > MOST_NAMED // 2 or min(counts.values()) < HABIT):
                return Process()
            if names and (kind == "user" or all(re.fullmatch(SERVICE_PATTERN, name) for name in names)):
                if not all(self.sees(group, kind, direction) for group in groups):
                    return Process()
                return Process(units=tuple(names)) if kind == "unit" else Process(users=tuple(names))
        return Process()

    def _few(self, chosen: Chosen, wishes: Sequence[Wish], side: str) -> tuple[str, ...]:
        """Return the addresses on one side that a rule names one by one: few of the internet, or amidst assets."""
        choice = chosen.source if side == "client" else chosen.destination
        if choice.peer != "internet" and not self.groups.amidst_assets(choice.peer):
            return ()
        found: set[str] = set()
        for number in chosen.covered:
            found.update(self.addresses(wishes[number], side))
        return tuple(sorted(found)) if len(found) <= MOST_NAMED else ()

    def _weighed(self, one: Offered, wishes: Sequence[Wish], outside: Iterable[Seen]) -> Offered:
        """Return a rule with its evidence, and with what it would allow beyond what was seen, `outside` too."""
        mine = [wishes[number] for number in one.covered]
        seen = [row for wish in mine for row in wish.seen]
        clients: dict[int, int] = {}
        servers: dict[int, int] = {}
        for wish in mine:
            most = max(row.clients for row in wish.seen), max(row.servers for row in wish.seen)
            clients[wish.client] = max(clients.get(wish.client, 0), most[0])
            servers[wish.server] = max(servers.get(wish.server, 0), most[1])
        pairs = sum(wish.pairs for wish in mine)
        evidence = Evidence(
            sum(row.flows for row in seen),
            sum(row.connections for row in seen),
            sum(clients.values()),
            sum(servers.values()),
            pairs,
            min(row.first for row in seen),
            max(row.last for row in seen),
        )
        reach = self.opened(one)
        used = pairs + self._used(one, outside)
        return replace(one, evidence=evidence, reach=max(reach, pairs), beyond=max(0, reach - used))

    def _used(self, one: Offered, rows: Iterable[Seen]) -> int:
        """Return how many pairs of hosts and services of these rows a rule would allow."""
        clients, servers = self.masks(one)
        found: dict[tuple[int, int, Service], int] = {}
        for row in rows:
            if clients >> row.client & 1 and servers >> row.server & 1 and self.why(row) is None:
                for service in one.services:
                    if service.protocol == row.protocol and service.low <= row.port <= service.high:
                        found[row.client, row.server, service] = row.pairs
        return sum(found.values())

    def opened(self, one: Offered) -> int:
        """Return how many pairs of hosts and services a rule opens; a host with itself is none of them."""
        return opened(self.reach, one)

    def allowing(self, offers: Iterable[Offered], client: str, server: str, services: IntervalSet) -> list[str]:
        """Return the ids of those rules that allow a service between two ends, each an asset's name or an address."""
        ends = [self._bits(client), self._bits(server)]
        return [
            one.id
            for one in offers
            if all(mask & end for mask, end in zip(self.masks(one), ends, strict=True))
            and union_of(one.services) & services
        ]

    def _bits(self, end: str) -> int:
        """Return the groups of an asset, given by its name, with an address in brackets or not, or by an address."""
        assets = self.groups.snapshot.named()
        end = end.partition(" (")[0]
        names = {end} if end in assets else {name for name, asset in assets.items() if end in _texts(asset)}
        return sum(1 << number for number, group in enumerate(self.groups.every) if names.intersection(group.members))

    def masks(self, one: Offered) -> tuple[int, int]:
        """Return the groups of both sides of a rule, as bits."""
        return masks(self.reach, one)


def _texts(asset: Asset) -> list[str]:
    return [address_text(point) for point in asset.addresses]


def _connections(one: Offered) -> int:
    return one.evidence.connections if one.evidence else 0


def _once(seen: Sequence[Seen], window: tuple[datetime, datetime] | None) -> bool:
    """Return whether something was seen once; a short window cannot tell."""
    if window is None or window[1] - window[0] < LONG_WINDOW:
        return False
    first, last = min(one.first for one in seen), max(one.last for one in seen)
    return last - first < SHORT and all(one.pairs == 1 for one in seen)
