"""Explain: why connections are allowed or denied, side by side, with the place that decided it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ringfence.analysis.beside_sides import BesideSide, by_others, sent_elsewhere
from ringfence.analysis.builtins import LOOPBACK, built_in, edges, from_port
from ringfence.analysis.forwarding_hosts import way_notes
from ringfence.analysis.nearest import Nearest, nearest_rule
from ringfence.analysis.query_endpoints import Terminal, pairs_of
from ringfence.analysis.shared_bridges import UNSEEN, Bridge, between
from ringfence.analysis.side_permissions import Sides
from ringfence.analysis.stretches import stretches
from ringfence.analysis.unmeetable import skipped_headers
from ringfence.analysis.ways import Way, that_may_forward
from ringfence.beside import Others
from ringfence.compiler import Compilation
from ringfence.enforcers import unseen
from ringfence.model.addresses import address_text, family_of
from ringfence.model.errors import InputError, Place
from ringfence.model.intervals import Interval, IntervalSet, union
from ringfence.model.rules import Direction, Mode
from ringfence.model.services import Services, service_texts
from ringfence.model.tables import DEFAULT_RULE, OTHER, Effect, Outcome, ProcessClass

MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Side:
    """What one end decides.

    `rule` and `place` name the rule, the built-in or the mode that decided; `effect` is None where the end is not a
    workload. `process` is the class that this is said of, where the classes of this end differ. `notes` say what else
    a person must know. `unknown` says that it is an address of the private ranges that no asset holds. `beside` is what
    other firewalls of this end do, where they were read; it is no part of the verdict.
    """

    side: str
    verdict: str
    rule: str
    place: Place | None
    mode: Mode | None = None
    effect: Effect | None = None
    process: ProcessClass | None = None
    notes: tuple[str, ...] = ()
    unknown: bool = False
    beside: BesideSide | None = None

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "side": self.side,
            "verdict": self.verdict,
            "rule": self.rule,
            "place": str(self.place) if self.place else None,
            "mode": str(self.mode) if self.mode else None,
            "would_deny": self.effect is Effect.WATCH,
            "process": self.process.data() if self.process else None,
            **({"notes": list(self.notes)} if self.notes else {}),
            **({"beside": self.beside.data()} if self.beside else {}),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of some services (points) between two addresses: both sides decide alike for all of them.

    It holds where the server's address is in the dynamic sets of `members` and in no other. Where a verdict depends on
    the process, the answer is for the process that gets through, which each side names. `ways` are what other firewalls
    of hosts do that may forward it.
    """

    client: str
    server: str
    services: IntervalSet
    sides: tuple[Side, Side]
    nearest: Nearest | None = None
    members: tuple[str, ...] = ()
    ways: tuple[BesideSide, ...] = ()

    @property
    def verdict(self) -> str:
        """Return `allow` or `deny`."""
        return "allow" if all(side.verdict == "allow" for side in self.sides) else "deny"

    @property
    def beside(self) -> BesideSide | None:
        """Return what other firewalls do with what is allowed: where they cut it, else where nobody can tell."""
        told = (*(side.beside for side in self.sides), *self.ways)
        found = [one for one in told if one is not None and one.finding is not None]
        return next((one for one in found if one.cuts), found[0] if found else None)

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "verdict": self.verdict,
            "service": list(service_texts(self.services)),
            "from": self.client,
            "to": self.server,
            "sides": [side.data() for side in self.sides],
            "nearest": self.nearest.data() if self.nearest else None,
            **({"members": list(self.members)} if self.members else {}),
            **({"on_the_way": [one.data() for one in self.ways]} if self.ways else {}),
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that was asked: the answers of a pair of addresses for each family, one for all that is decided alike.

    `others` are the answers for further addresses of the same two ends, and for the dynamic sets that the client's
    policy names, as far as these answer otherwise. `bridge` is that of containers, over which the ends reach each other
    past both tables unless the kernel of their host shows it to these.
    """

    answers: tuple[Answer, ...]
    others: tuple[Answer, ...] = ()
    bridge: Bridge | None = None

    @property
    def verdict(self) -> str:
        """Return `allow` or `deny` where all answers agree, else `mixed`."""
        verdicts = {answer.verdict for answer in self.answers}
        return verdicts.pop() if len(verdicts) == 1 else MIXED

    @property
    def client(self) -> str:
        """Return the client of the first of the services."""
        return self.answers[0].client

    @property
    def server(self) -> str:
        """Return the server of the first of the services."""
        return self.answers[0].server

    @property
    def sides(self) -> tuple[Side, Side]:
        """Return what decides the first of the services on each side."""
        return self.answers[0].sides

    @property
    def nearest(self) -> Nearest | None:
        """Return the rule that nearly allows the first of the services."""
        return self.answers[0].nearest

    @property
    def members(self) -> tuple[str, ...]:
        """Return the dynamic sets that the server's address is in."""
        return self.answers[0].members

    @property
    def not_proven(self) -> str:
        """Return why what is denied may pass, empty where nothing is known of such a way."""
        denied = any(answer.verdict == "deny" for answer in self.answers)
        return f"both are on {self.bridge}, whose {UNSEEN}" if denied and self.bridge else ""

    def data(self) -> dict[str, object]:
        """Return the explanation as `ringfence explain --json` prints it."""
        first = self.answers[0].data()
        if self.verdict == MIXED:
            first |= {"verdict": MIXED, "sides": [], "nearest": None}
        asked = union(answer.services for answer in self.answers)
        return {
            **first,
            "service": list(service_texts(asked)),
            "answers": [answer.data() for answer in self.answers],
            "other_addresses": [other.data() for other in self.others],
            **({"not_proven": [self.not_proven]} if self.not_proven else {}),
        }


def explain(
    compilation: Compilation,
    source: str,
    destination: str,
    services: Services,
    process: ProcessClass | None = None,
    others: Mapping[str, Others] | None = None,
    ways: Sequence[Way] = (),
) -> Explanation:
    """Explain every port of a service between two ends, each an asset's name or an address.

    `destination` may be a name that a rule names with `fqdn`: the answer is for addresses of no asset that it resolves
    to, of which nothing else is known.
    `process` is the client's, and the server's where the policy names it there; without it the answer is for the
    process that gets furthest. `others` are the other firewalls of hosts, as far as these told them; `ways` those of
    these hosts that forward for others.

    Raise InputError for an unknown end, for ends of different families and for a service that neither end's family has.
    """
    pairs = list(pairs_of(compilation, source, destination))
    if not pairs:
        raise InputError(f"'{source}' and '{destination}' have no addresses of one family")
    sides = Sides()
    answers: list[Answer] = []
    further: list[Answer] = []
    first_of: dict[int, tuple[Answer, ...]] = {}
    for client, server in pairs:
        family = family_of(client.point)
        for one in _memberships(compilation, client, server) if services.of(family) else ():
            ours = _answers(compilation, sides, client, one, services.of(family), process)
            on_the_way = that_may_forward(ways, client, one)
            found = tuple(part for answer in ours for part in _beside(answer, client, one, others or {}, on_the_way))
            if family in first_of:
                further += _differing(found, first_of[family])
            else:
                first_of[family] = found
                answers += _differing(found, answers)
    if not answers:
        raise InputError(
            "the service does not exist in the address family of these ends",
            remedy="in IPv6 a packet is judged by the protocol behind its extension headers"
            if skipped_headers(services)
            else "ICMP of IPv4 is 'icmp', that of IPv6 is 'icmpv6'",
        )
    client, server = pairs[0]
    both = client.asset and server.asset and between(compilation.snapshot.assets, client.asset, server.asset)
    return Explanation(tuple(answers), tuple(further), both or None)


def _answers(
    compilation: Compilation,
    sides: Sides,
    client: Terminal,
    server: Terminal,
    asked: IntervalSet,
    process: ProcessClass | None,
) -> tuple[Answer, ...]:
    """Return the answers for two addresses in the order of the services, equal ones as one."""
    ends = ((Direction.OUT, client, server), (Direction.IN, server, client))
    cuts = {edge for one in ends for edge in _edges(compilation, sides, *one)}
    found: dict[tuple[Side, Side], list[Interval]] = {}
    for stretch in stretches(asked, cuts):
        out, into = (_side(compilation, sides, *one, stretch[0], process) for one in ends)
        found.setdefault((out, into), []).append(stretch)
    answers = []
    for decided, intervals in found.items():
        answer = Answer(str(client), str(server), IntervalSet.of(intervals), decided, members=server.members)
        if answer.verdict == "deny" and not server.members:
            here, there = (client.asset, client.point), (server.asset, server.point)
            answer = replace(answer, nearest=nearest_rule(compilation, here, there, answer.services))
        answers.append(answer)
    return tuple(answers)


def _beside(
    answer: Answer, client: Terminal, server: Terminal, others: Mapping[str, Others], ways: Sequence[str]
) -> Iterator[Answer]:
    """Yield an answer with what other firewalls do, in parts where these decide otherwise; what is denied as it is."""
    if answer.verdict == "deny":
        yield from _elsewhere(answer, client, server, others)
        return
    for services, found in by_others(client, server, answer.services, others, ways):
        first, second = (replace(side, beside=one) for side, one in zip(answer.sides, found[:2], strict=True))
        passed = tuple(one for one in found[2:] if one is not None)
        yield replace(answer, services=services, sides=(first, second), ways=passed)


def _elsewhere(answer: Answer, client: Terminal, server: Terminal, others: Mapping[str, Others]) -> Iterator[Answer]:
    """Yield what only the server's side denies, and where a translation there may send it on to another host."""
    out, into = answer.sides
    told = others.get(server.asset.name) if server.asset else None
    for services, elsewhere in sent_elsewhere(
        client, server, answer.services, told if out.verdict == "allow" else None
    ):
        note = f"not proven: {elsewhere} may send it on, and what is forwarded does not meet this table"
        yield (
            replace(answer, services=services, sides=(out, replace(into, notes=(*into.notes, note))))
            if elsewhere
            else (replace(answer, services=services))
        )


def _differing(found: Sequence[Answer], before: Sequence[Answer]) -> Iterator[Answer]:
    """Yield of some answers what others do not say already: another verdict, or services of another family."""
    for answer in found:
        alike = (one.services for one in before if (one.verdict, one.beside) == (answer.verdict, answer.beside))
        if rest := answer.services - union(alike):
            yield replace(answer, services=rest)


def _edges(
    compilation: Compilation, sides: Sides, direction: Direction, near: Terminal, far: Terminal
) -> Iterator[int]:
    """Yield where on the service line one side may begin to decide otherwise."""
    table = compilation.tables.get(near.asset.name) if near.asset else None
    if table is None:
        return
    yield from edges(table.control)
    directed = sides.lookup(table).directions[direction]
    for one in directed.table.process_classes:
        yield from (low for low, _, _ in directed.services_at(near.point, one, far.point, far.members).pieces)


def _memberships(compilation: Compilation, client: Terminal, server: Terminal) -> list[Terminal]:
    """Return a server as it may stand in the dynamic sets that the client's policy names: in none, or in one."""
    table = compilation.tables.get(client.asset.name) if client.asset else None
    if server.members or table is None:
        return [server]
    sets = table.outbound.dynamic_sets
    return [server, *(replace(server, members=(name,), said=f"{server} if it is in {name}") for name in sets)]


def _side(
    compilation: Compilation,
    sides: Sides,
    direction: Direction,
    near: Terminal,
    far: Terminal,
    service_point: int,
    process: ProcessClass | None,
) -> Side:
    side = "to" if direction is Direction.IN else "from"
    table = compilation.tables.get(near.asset.name) if near.asset else None
    if direction is Direction.IN and near.asset is None and far.asset is not None and near.point in LOOPBACK:
        return Side(side, "allow", f"built in: loopback of {far.asset.name} itself", None)
    if table is None or near.asset is None:
        why = "nothing is enforced here"
        if near.asset is not None and near.asset.name in compilation.why:
            why = f"{compilation.why[near.asset.name]}, so {why}"
        elif near.asset is not None and (unseen_why := unseen(near.asset)):
            why = unseen_why
        elif near.ours and direction is Direction.IN:
            why = f"no asset holds {address_text(near.point)}; a host of yours that does has no rule for it"
        unknown = near.asset is None and near.point in compilation.settings.private_addresses()
        return Side(side, "allow", f"no workload: {why}", None, notes=tuple(_shared(near)), unknown=unknown)
    client, server = (far, near) if direction is Direction.IN else (near, far)
    inbound = direction is Direction.IN
    itself = client.asset is not None and client.asset == server.asset
    name = built_in(client.point, server.point, service_point, control=table.control, inbound=inbound, itself=itself)
    directed = sides.lookup(table).directions[direction]
    if name is not None:
        return Side(side, "allow", f"built in: {name}", None, directed.table.mode, Effect.ALLOW)
    classes = [directed.table.class_of(process)] if process else list(directed.table.process_classes)
    maps = {one: directed.services_at(near.point, one, far.point, far.members) for one in classes}
    outcomes = {one: services.outcome(service_point) for one, services in maps.items()}
    chosen = next((one for one in classes if outcomes[one].effect is Effect.ALLOW), None) or next(
        (one for one in classes if outcomes[one].passes), OTHER if process is None else classes[0]
    )
    outcome = outcomes[chosen]
    depends = len({one.passes for one in outcomes.values()}) > 1
    rule, place = _decided_by(compilation, near.asset.name, outcome)
    return Side(
        side,
        "allow" if outcome.passes else "deny",
        rule,
        place,
        directed.table.mode,
        outcome.effect,
        chosen if depends or process else None,
        (
            *_notes(compilation, near, far, from_port(client.point, server.point, service_point, inbound=inbound)),
            *way_notes(compilation, near.asset, direction, outcome.effect),
        ),
    )


def _shared(near: Terminal) -> Iterator[str]:
    if near.others and near.asset:
        holders = ", ".join(f"'{name}'" for name in near.others)
        yield f"this is what '{near.asset.name}' decides; {address_text(near.point)} is held by {holders} too"


def _notes(compilation: Compilation, near: Terminal, far: Terminal, port: int | None) -> Iterator[str]:
    yield from _shared(near)
    if port is not None:
        yield f"built in: DHCP client, from source port {port} alone"
    if near.asset and far.asset and far.asset.realm not in compilation.settings.sees(near.asset.realm):
        yield (
            f"realm '{near.asset.realm}' does not see realm '{far.asset.realm}': "
            f"to {near.asset.name} {far} is an address of no asset"
        )


def _decided_by(compilation: Compilation, name: str, outcome: Outcome) -> tuple[str, Place | None]:
    if outcome.rule != DEFAULT_RULE:
        rule = next((rule for rule in compilation.policy.rules if rule.id == outcome.rule), None)
        if rule is None:  # a table that a host holds may have a rule that the files do not have any more
            return compilation.tables[name].rule_names.get(outcome.rule, outcome.rule), None
        return rule.name, rule.place
    enforcement = compilation.enforcement.get(name)  # one whose table is held may be no workload by now
    return DEFAULT_RULE, enforcement.place if enforcement else None
