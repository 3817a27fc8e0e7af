"""A case, and how it reads: what is printed when two of the three (reference, tables, kernel) disagree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hypothesis.vendor.pretty import RepresentationPrinter
from ringfence.model.addresses import address_text
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.rules import Direction, Peer, Policy, Rule, Settings
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
from ringfence.model.services import service_texts

from .reference import Packet, Side


@dataclass(frozen=True)
class Case:
    """One estate with its policy and the settings of its workspace; shown the way a person would write it.

    `answers` are the addresses that names of the policy resolve to while the case is played.
    """

    snapshot: Snapshot
    policy: Policy
    settings: Settings
    answers: Mapping[str, frozenset[int]] = field(default_factory=dict)

    def names_of(self, address: int) -> frozenset[str]:
        """Return the names that an address is an answer to."""
        return frozenset(name for name, found in self.answers.items() if address in found)

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:
        printer.text(f"\n{case_text(self)}")


def case_text(case: Case) -> str:
    """Return a case the way a person would write it in a workspace."""
    return "\n".join(_case_lines(case)) + "\n"


def _case_lines(case: Case) -> Iterator[str]:
    settings = case.settings
    if settings.control:
        yield f"control: {{from: [{', '.join(settings.control.networks)}], port: {settings.control.port}}}"
    if settings.realms:
        yield "realms: {" + ", ".join(f"{name}: {{sees: {list(sees)}}}" for name, sees in settings.realms.items()) + "}"
    yield f"tiers: [{', '.join(settings.tiers)}]"
    yield "assets:"
    yield from (f"  - {_asset_text(asset)}" for asset in case.snapshot.assets)
    yield "enforce:"
    for one in case.policy.enforcement:
        yield f"  - {{where: {_selector(one.where)}, mode: {{inbound: {one.inbound}, outbound: {one.outbound}}}}}"
    for name, found in case.answers.items():
        yield f"# {name} is {', '.join(map(address_text, sorted(found)))}"
    yield "rules:"
    yield from (f"  - {_rule_text(rule)}" for rule in case.policy.rules)


def _asset_text(asset: Asset) -> str:
    labels = ", ".join(f"{key}: {label.value}" for key, label in sorted(asset.labels.items()))
    addresses = ", ".join(map(address_text, asset.addresses))
    rest = "" if asset.workload else ", workload: false"
    if asset.control:
        rest += f", control: {{from: [{', '.join(asset.control.networks)}], port: {asset.control.port}}}"
    return f"{{name: {asset.name}, realm: {asset.realm}, addresses: [{addresses}], labels: {{{labels}}}{rest}}}"


def _rule_text(rule: Rule) -> str:
    ends = f"from: {_peers(rule.sources)}, to: {_peers(rule.destinations)}"
    v4, v6 = service_texts(rule.services.v4), service_texts(rule.services.v6)
    services = ", ".join(dict.fromkeys((*v4, *v6)))
    side = {frozenset({Direction.OUT}): ", at: from", frozenset({Direction.IN}): ", at: to"}.get(rule.sides, "")
    log = ", log: true" if rule.log else ""
    order = f"tier: {rule.tier}, priority: {rule.priority}{side}{log}"
    return f"{{id: {rule.id}, {ends}, {rule.action}: [{services}], {order}}}"


def _peers(peers: tuple[Peer, ...]) -> str:
    return f"[{', '.join(map(_peer, peers))}]" if len(peers) > 1 else _peer(peers[0])


def _peer(peer: Peer) -> str:
    if peer.process is None:
        return _selector(peer.selector)
    kinds = {"unit": "units", "user": "users", "program": "programs", "service": "services"}
    named = {word: getattr(peer.process, field) for word, field in kinds.items()}
    process = "{" + ", ".join(f"{word}: {list(names)}" for word, names in named.items() if names) + "}"
    return f"{{all: [{_selector(peer.selector)}], process: {process}}}"


def _selector(selector: Selector) -> str:
    match selector:
        case LabelIn(key, values):
            return f"{{{key}: [{', '.join(values)}]}}"
        case LabelExists(key, exists):
            return f"{{{key}: {{exists: {str(exists).lower()}}}}}"
        case AssetNamed(name):
            return f"{{asset: {name}}}"
        case AddressIn(_, text):
            return f"{{cidr: [{text}]}}"
        case Not(part):
            return f"{{not: {_selector(part)}}}"
        case AllOf(parts):
            return f"{{all: [{', '.join(map(_selector, parts))}]}}"
        case AnyOf(parts):
            return f"{{any: [{', '.join(map(_selector, parts))}]}}"
        case AnyAddress():
            return "any"
        case Unknown():
            return "unknown"
        case Internet():
            return "internet"
        case FqdnIs(name):
            return f"{{fqdn: {name}}}"


def side_text(side: Side) -> str:
    """Return a packet as one workload sees it."""
    arrow = "<-" if side.direction is Direction.IN else "->"
    who = f" as {side.unit or 'no unit'}, {side.user or 'no user'}" if side.unit or side.user else ""
    local, remote = address_text(side.local), address_text(side.remote)
    service = f"protocol {side.protocol}, port or type {side.port}"
    return f"{side.workload.name} ({local}{who}) {arrow} {remote}{_answer_to(side.names)}, {service}"


def packet_text(packet: Packet) -> str:
    """Return a packet with both its ends."""
    who = f"{packet.client_unit or 'no unit'}, {packet.client_user or 'no user'}"
    client = f"{packet.client or 'no asset'} ({address_text(packet.client_address)}, {who})"
    server = f"{packet.server or 'no asset'} ({address_text(packet.server_address)}, {packet.server_unit or 'no unit'})"
    service = f"protocol {packet.protocol}, port or type {packet.port}"
    return f"{client} -> {server}{_answer_to(packet.server_names)}, {service}"


def _answer_to(names: frozenset[str]) -> str:
    return f", an answer to {' and '.join(sorted(names))}" if names else ""
