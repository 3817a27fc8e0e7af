"""A suggested rule: what it says, why it is suggested, and what it would allow beyond what was seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ringfence.model.intervals import IntervalSet
from ringfence.model.services import ICMP, ICMPV6, WELL_KNOWN, Services, parse_service, point_of, service_texts, union
from ringfence.suggest.cover import Choice, Service

Plain = dict[str, object]
# A person writes these by their names.
_NAMED = (
    *("dns", "https", "http", "ssh", "ntp", "postgresql", "mysql", "redis", "ldaps", "mongodb", "mssql", "rdp"),
    *("node-exporter", "prometheus", "memcached", "elasticsearch", "smtp", "syslog", "kubernetes-api"),
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a rule rests on: flows (pairs of addresses), connections, hosts at both ends, and when it was seen."""

    flows: int
    connections: int
    clients: int
    servers: int
    pairs: int
    first: datetime
    last: datetime

    def data(self) -> Plain:
        """Return plain data for `--json`."""
        times = {"first_seen": self.first.isoformat(), "last_seen": self.last.isoformat()}
        counts = {name: getattr(self, name) for name in ("flows", "connections", "clients", "servers", "pairs")}
        return {**counts, **times}


@dataclass(frozen=True, slots=True)
class Process:
    """Units or users that alone were seen at an end; both empty for no process in the rule."""

    units: tuple[str, ...] = ()
    users: tuple[str, ...] = ()

    def plain(self) -> Plain:
        """Return it in the words of the grammar."""
        named = {"unit": self.units, "user": self.users}
        return {kind: names[0] if len(names) == 1 else list(names) for kind, names in named.items() if names}


@dataclass(frozen=True, slots=True)
class Offered:
    """One suggested rule.

    `reach` counts the pairs of hosts and services that it would allow and that nothing has decided before, `beyond`
    those of them that were not seen. `kind` says what infrastructure it is for, else it is empty. `covered` are the
    numbers of the wanted.
    """

    sources: tuple[Choice, ...]
    destinations: tuple[Choice, ...]
    services: tuple[Service, ...]
    covered: tuple[int, ...] = ()
    evidence: Evidence | None = None
    reach: int = 0
    beyond: int = 0
    source_process: Process = Process()
    destination_process: Process = Process()
    kind: str = ""
    addresses: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    @property
    def id(self) -> str:
        """Return eight hex digits of what the rule says: the same in every run that suggests it."""
        said = [self.peers("from"), self.peers("to"), list(self.service_words()), bool(self.kind)]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:8]

    def service_words(self) -> tuple[str, ...]:
        """Return the services as a person writes them."""
        return service_words(self.services)

    def peers(self, side: str, scope: str | None = None) -> object:
        """Return `from` or `to` in the words of the grammar, within a scope of one application or without."""
        choices, process = (
            (self.sources, self.source_process) if side == "from" else (self.destinations, self.destination_process)
        )
        addresses = self.addresses[0 if side == "from" else 1]
        found = [_peer(one, process, scope, addresses) for one in _fused(choices)]
        return found[0] if len(found) == 1 else found

    def rule(self, name: str, scope: str | None = None) -> Plain:
        """Return the rule in the words of the grammar."""
        words = self.service_words()
        said: Plain = {"name": name, "from": self.peers("from", scope), "to": self.peers("to", scope)}
        said["allow"] = words[0] if len(words) == 1 else list(words)
        near = [one for one in self.destinations if one.peer and one.peer != "internet"]
        return {**said, "at": "from"} if near else said

    def applications(self, key: str = "app") -> tuple[set[str], set[str]]:
        """Return the applications that both sides name."""
        sides = (self.sources, self.destinations)
        first, second = ({value for one in side for k, value in one.labels if k == key} for side in sides)
        return first, second


def service_words(services: Iterable[Service]) -> tuple[str, ...]:
    """Return services in the words of the grammar, by name where a name says the same, in order."""
    wanted = union_of(services)
    words: list[str] = []
    left = wanted
    for name in _NAMED:
        points = parse_service(name)
        if len(WELL_KNOWN[name]) == 1 and points.v4.intervals and not points.v4 - left:
            words.append(name)
            left = left - points.v4
    dns = parse_service("dns").v4
    if not dns - left:
        words.append("dns")
        left = left - dns
    both = IntervalSet.of(((point_of(ICMP, 8),) * 2, (point_of(ICMPV6, 128),) * 2))
    if both & left:
        words.append("ping")
        left = left - both
    return (*sorted(words), *service_texts(left))


def union_of(services: Iterable[Service]) -> IntervalSet:
    """Return the points of services."""
    return IntervalSet.of((point_of(one.protocol, one.low), point_of(one.protocol, one.high)) for one in services)


def points_of(words: Sequence[str]) -> Services:
    """Return the services of words of the grammar."""
    return union(parse_service(word) for word in words)


def _peer(labels: dict[str, object], process: Process, scope: str | None, addresses: Sequence[str]) -> object:
    if "peer" in labels:
        peer = str(labels["peer"])
        if addresses:
            return {"cidr": list(addresses) if len(addresses) > 1 else addresses[0]}
        if peer == "internet":
            return peer
        return {"list": peer.removeprefix("list ")} if peer.startswith("list ") else {"cidr": peer}
    said = dict(labels)
    if scope is not None:
        if said.get("app") == scope:
            del said["app"]
        else:
            said["scope"] = "none"
    return {**said, **({"process": who} if (who := process.plain()) else {})}


def _fused(choices: Sequence[Choice]) -> list[dict[str, object]]:
    """Return choices as mappings; those that differ in one label's value alone are one with a list of values."""
    found: list[dict[str, tuple[str, ...]]] = []
    for choice in choices:
        if choice.peer or choice.asset:
            found.append({"peer": (choice.peer,)} if choice.peer else {"asset": (choice.asset,)})
        else:
            found.append({key: (value,) for key, value in choice.labels})
    again = True
    while again:
        again = False
        for place, one in enumerate(found):
            for other in found[place + 1 :]:
                differing = [key for key in one if one[key] != other.get(key)]
                if one.keys() == other.keys() and len(differing) <= 1 and "peer" not in one:
                    for key in differing:
                        one[key] = tuple(sorted({*one[key], *other[key]}))
                    found.remove(other)
                    again = True
                    break
            if again:
                break
    return [{key: values[0] if len(values) == 1 else list(values) for key, values in one.items()} for one in found]


def joined(offers: Sequence[Offered], alone: Callable[[Offered], bool] = lambda _: False) -> list[Offered]:
    """Return fewer rules that say the same: one for equal ends, one for equal services.

    One that is to stand `alone` gets no further ends: a person is to say yes or no to it by itself.
    """
    by_ends: dict[object, Offered] = {}
    for one in offers:
        key = (one.sources, one.destinations, one.source_process, one.destination_process, one.kind, one.addresses)
        before = by_ends.get(key)
        by_ends[key] = _with(before, one, services=(*before.services, *one.services)) if before else one
    found = [one for one in by_ends.values() if not alone(one)]
    for side in ("sources", "destinations"):
        found = _joined_at(found, side)
    return [*found, *(one for one in by_ends.values() if alone(one))]


def _joined_at(offers: Sequence[Offered], side: str) -> list[Offered]:
    other = "destinations" if side == "sources" else "sources"
    by_rest: dict[object, Offered] = {}
    for one in offers:
        choices: tuple[Choice, ...] = getattr(one, side)
        plain = all(choice.labels and not choice.peer for choice in choices)
        # those of one application, or of several that reach one
        at = (
            {value for choice in choices for key, value in choice.labels if key == "app"}
            if side == "destinations"
            else ()
        )
        shape = (tuple(sorted({key for choice in choices for key, _ in choice.labels})), tuple(sorted(at)))
        rest = (getattr(one, other), one.services, one.source_process, one.destination_process, one.kind)
        key = (*rest, shape, _but_one(choices)) if plain else (*rest, choices, one.addresses)
        before = by_rest.get(key)
        if before is None:
            by_rest[key] = one
        elif side == "sources":
            by_rest[key] = _with(before, one, sources=tuple(sorted({*before.sources, *one.sources})))
        else:
            by_rest[key] = _with(before, one, destinations=tuple(sorted({*before.destinations, *one.destinations})))
    return list(by_rest.values())


def _but_one(choices: Sequence[Choice]) -> object:
    """Return the labels but the role: what ends must share to be told in one selector."""
    return frozenset((key, value) for choice in choices for key, value in choice.labels if key != "role")


def _with(before: Offered, one: Offered, **changed: object) -> Offered:
    return replace(
        before,
        covered=(*before.covered, *one.covered),
        **changed,  # type: ignore[arg-type]  # fields of Offered
    )
