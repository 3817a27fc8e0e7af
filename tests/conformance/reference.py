"""The reference: what the normative semantics say about one packet, as plainly as it can be written.

It shares no code with the compiler: a packet is walked through tiers, priorities and rules, one at a time, and every
selector is asked about one pair of an asset (or none) and an address. Slow, and meant to be read beside the semantics
(the numbers in brackets).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

from ringfence.model.addresses import address_text, addresses_of
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import EMERGENCY, Action, Direction, Mode, Peer, Policy, Process, Rule, Settings
from ringfence.model.selectors import (
    AddressIn,
    AllOf,
    AnyAddress,
    AnyOf,
    AssetNamed,
    FqdnIs,
    Internet,
    LabelExists,
    LabelIn,
    Not,
    Selector,
    Unknown,
)
from ringfence.model.tables import DEFAULT_RULE, Effect


@dataclass(frozen=True)
class Packet:
    """The first packet of a connection; `client` and `server` name the assets that send and take it, if any do.

    `server_names` are the names of the policy that the server's address is an answer to just now [12]. `client_port`
    and `hops` are the port it was sent from and its hop limit, None for none that a built-in asks for [7].
    """

    client_address: int
    server_address: int
    protocol: int
    port: int
    client: str | None = None
    server: str | None = None
    client_unit: str | None = None
    client_user: str | None = None
    server_unit: str | None = None
    server_user: str | None = None
    server_names: frozenset[str] = frozenset()
    client_port: int | None = None
    hops: int | None = None


@dataclass(frozen=True)
class Judgement:
    """What one side does with a packet, and the ids of all rules of which any may be named as the deciding one."""

    effect: Effect
    rules: frozenset[str]


@dataclass(frozen=True)
class Verdict:
    """Whether a packet passes, and what each side that is a workload does with it."""

    passes: bool
    sides: dict[Direction, Judgement]


@dataclass(frozen=True)
class Side:
    """A packet as one workload sees it: its own end, the far end, and a far process, which it cannot see.

    `names` are those that the far address is an answer to; what a workload's own address answers it does not ask.
    """

    workload: Asset
    direction: Direction
    local: int
    remote: int
    protocol: int
    port: int
    unit: str | None = None
    user: str | None = None
    names: frozenset[str] = frozenset()
    client_port: int | None = None
    hops: int | None = None


@dataclass(frozen=True)
class Runner:
    """Who sends or takes a packet: a unit and a user of a Linux host, or a program and a service of a Windows host."""

    unit: str | None = None
    user: str | None = None
    program: str | None = None
    service: str | None = None


def judge(snapshot: Snapshot, policy: Policy, settings: Settings, packet: Packet) -> Verdict:
    """Return what becomes of a packet: it passes if both sides let it; a side that is not a workload does [1]."""
    judged = {
        direction: judge_side(snapshot, policy, settings, side)
        for direction, side in sides_of(snapshot, packet).items()
    }
    return Verdict(all(one.effect is not Effect.DENY for one in judged.values()), judged)


def sides_of(snapshot: Snapshot, packet: Packet) -> dict[Direction, Side]:
    """Return a packet as its client sees it (out) and its server (in), of those that are workloads."""
    workloads = {asset.name: asset for asset in snapshot.assets if asset.workload}
    service = (packet.protocol, packet.port)
    sent = (packet.client_port, packet.hops)
    sides = {}
    if packet.client in workloads:
        ends = (packet.client_address, packet.server_address)
        who = (packet.client_unit, packet.client_user)
        names = packet.server_names
        sides[Direction.OUT] = Side(workloads[packet.client], Direction.OUT, *ends, *service, *who, names, *sent)
    if packet.server in workloads:
        ends = (packet.server_address, packet.client_address)
        who = (packet.server_unit, packet.server_user)
        sides[Direction.IN] = Side(workloads[packet.server], Direction.IN, *ends, *service, *who, frozenset(), *sent)
    return sides


def judge_side(snapshot: Snapshot, policy: Policy, settings: Settings, side: Side) -> Judgement:
    """Return the best that any far process would get, because this side cannot see which one it is [6]."""
    if side.direction is Direction.IN and side.protocol not in (6, 17, 132):
        side = replace(side, unit=None, user=None)  # no listener takes such a packet: a process in `to` is never it
    mode = mode_of(policy, side.workload, side.direction)
    far = [peer.process for rule in policy.rules for peer in rule.remote(side.direction) if peer.process]
    units = {None, *(unit for process in far for unit in process.units)}
    users = {None, *(user for process in far for user in process.users)}
    programs = {None, *(program for process in far for program in process.programs)}
    services = {None, *(service for process in far for service in process.services)}
    runners = [Runner(*linux) for linux in product(units, users)]
    runners += [Runner(None, None, *windows) for windows in product(programs, services)]
    outcomes = [decide(snapshot, policy, settings, side, mode, runner) for runner in runners]
    for effect in (Effect.ALLOW, Effect.WATCH, Effect.DENY):
        rules = [names for found, names in outcomes if found is effect]
        if rules:
            return Judgement(effect, frozenset().union(*rules))
    raise AssertionError("there is always the far class that no rule names")


def mode_of(policy: Policy, workload: Asset, direction: Direction) -> Mode:
    """Return the mode of the first enforcement that chooses a workload; none: observe."""
    for enforcement in policy.enforcement:
        if any(chooses(enforcement.where, workload, address, Settings()) for address in workload.addresses or (-1,)):
            return enforcement.mode(direction)
    return Mode.OBSERVE


def decide(
    snapshot: Snapshot,
    policy: Policy,
    settings: Settings,
    side: Side,
    mode: Mode,
    far: Runner,
) -> tuple[Effect, set[str]]:
    """Return the effect of the first tier that allows or denies [3], turned into what the mode makes of it [4]."""
    for tier in (EMERGENCY, *(name for name in settings.tiers if name != EMERGENCY)):
        in_tier = [rule for rule in policy.rules if rule.tier == tier]
        action, names = decide_tier([rule for rule in in_tier if speaks(rule, snapshot, settings, side, far)])
        if action is Action.ALLOW:
            return Effect.ALLOW, names
        if action is Action.DENY:
            bites = mode is not Mode.OBSERVE or tier == EMERGENCY
            return (Effect.DENY if bites else Effect.WATCH), names
    undecided = {Mode.FULL: Effect.DENY, Mode.SELECTIVE: Effect.ALLOW, Mode.OBSERVE: Effect.WATCH}
    return undecided[mode], {DEFAULT_RULE}


def decide_tier(matching: list[Rule]) -> tuple[Action, set[str]]:
    """Return what the rules of the smallest priority say: deny before pass before allow; nothing said is a pass [3]."""
    for priority in sorted({rule.priority for rule in matching}):
        for action in (Action.DENY, Action.PASS, Action.ALLOW):
            names = {rule.id for rule in matching if rule.priority == priority and rule.action is action}
            if names:
                return action, names
    return Action.PASS, set()


def speaks(rule: Rule, snapshot: Snapshot, settings: Settings, side: Side, far: Runner) -> bool:
    """Return whether a rule is about this packet on this side, were the far process `far`."""
    family = 6 if side.remote >= 1 << 33 else 4
    if side.direction not in rule.sides or not within(side.protocol * 65536 + side.port, rule.services.of(family)):
        return False
    seen = [asset for asset in snapshot.assets if asset.realm in settings.sees(side.workload.realm)]  # [11]
    holders = [asset for asset in seen if side.remote in asset.addresses] or [None]

    def local(peer: Peer) -> bool:
        mine = chooses(peer.selector, side.workload, side.local, settings)
        return mine and runs(peer.process, Runner(side.unit, side.user))

    def remote(peer: Peer) -> bool:
        theirs = any(chooses(peer.selector, holder, side.remote, settings, side.names) for holder in holders)
        return theirs and runs(peer.process, far)

    return any(map(local, rule.local(side.direction))) and any(map(remote, rule.remote(side.direction)))


def chooses(
    selector: Selector,
    asset: Asset | None,
    address: int,
    settings: Settings,
    names: frozenset[str] = frozenset(),
) -> bool:
    """Return whether a selector chooses an asset at an address, or, with no asset, an address that none holds [5].

    `names` are those that the address is an answer to [12].
    What a workload sends or takes is its own at whatever local address, so it is never `unknown` to itself.
    """
    match selector:
        case AnyAddress():
            return True
        case AddressIn(addresses):
            return within(address, addresses)
        case Unknown():
            return asset is None
        case Internet():
            return asset is None and not within(address, settings.private_addresses())
        case AnyOf(parts):
            return any(chooses(part, asset, address, settings, names) for part in parts)
        case AllOf(parts) if parts:
            return all(chooses(part, asset, address, settings, names) for part in parts)
        case FqdnIs(name):
            return name in names
    if asset is None:
        return False
    match selector:
        case LabelIn(key, values):
            return key in asset.labels and asset.labels[key].value in values
        case LabelExists(key, exists):
            return (key in asset.labels) is exists
        case AssetNamed(name):
            return asset.name == name
        case Not(part):
            return not chooses(part, asset, address, settings)
        case _:
            return True  # AllOf without parts: every asset


def runs(process: Process | None, runner: Runner) -> bool:
    """Return whether a peer's process is the one that runs: one of the names of each kind, where it has any.

    A process is Linux's or Windows's, so one that is known by a unit or user is no program or service of a peer's.
    """
    if process is None:
        return True
    kinds = (process.units, process.users, process.programs, process.services)
    who = (runner.unit, runner.user, runner.program, runner.service)
    return all(not names or one in names for names, one in zip(kinds, who, strict=True))


def within(number: int, intervals: IntervalSet) -> bool:
    """Return whether a number lies in one of the closed intervals."""
    return any(low <= number <= high for low, high in intervals)


def stands_above(side: Side, settings: Settings) -> bool:
    """Return whether a built-in lets a first packet through whatever the policy says [7]."""
    control = side.workload.control or settings.control
    family = 6 if side.remote >= 1 << 33 else 4
    if side.direction is Direction.OUT and within(side.remote, addresses_of(["127.0.0.0/8", "::1"])):
        return True  # it leaves by no other interface than `lo`
    if control and side.direction is Direction.IN and (side.protocol, side.port) == (6, control.port):
        return within(side.remote, addresses_of(control.networks))
    if family == 6 and side.protocol == 58:
        return discovers(side)
    client, server = (side.remote, side.local) if side.direction is Direction.IN else (side.local, side.remote)
    if family == 4 and side.protocol == 2:
        return side.hops == 1 and address_text(server).split(".")[0] in map(str, range(224, 240))
    if side.protocol != 17:
        return False
    if family == 4 and side.direction is Direction.OUT:
        return (side.client_port, side.port, address_text(server)) == (68, 67, "255.255.255.255")
    if family == 4:
        return (side.client_port, side.port) == (67, 68)
    if not link_local(client):
        return False
    if side.direction is Direction.OUT:
        return (side.client_port, side.port, address_text(server)) == (546, 547, "ff02::1:2")
    return (side.client_port, side.port) == (547, 546) and link_local(server)


def discovers(side: Side) -> bool:
    """Return whether an ICMPv6 message is of neighbour or router discovery, or of MLD, as their RFCs want it sent."""
    client, server = (side.remote, side.local) if side.direction is Direction.IN else (side.local, side.remote)
    if side.port in (133, 135, 136):
        return side.hops == 255
    if side.port in (134, 137):
        return side.hops == 255 and link_local(client)
    if side.port in (130, 131, 132, 143):
        speaks = link_local(client) or (address_text(client) == "::" and side.port != 130)
        return side.hops == 1 and speaks and address_text(server).startswith("ff")
    return False


def link_local(address: int) -> bool:
    """Return whether an address is of fe80::/10."""
    return within(address, addresses_of(["fe80::/10"]))
