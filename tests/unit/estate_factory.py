"""Small estates and rules for unit tests, in the words of the grammar."""

from __future__ import annotations

from datetime import UTC, datetime

from ringfence.model.addresses import addresses_of, point_of
from ringfence.model.assets import Asset, Control, Label, Snapshot
from ringfence.model.errors import Place
from ringfence.model.rules import Action, Direction, Enforcement, Mode, Peer, Policy, Process, Rule, Settings
from ringfence.model.selectors import ANY, AddressIn, AllOf, LabelIn, Selector
from ringfence.model.services import parse_service, union

SETTINGS = Settings(control=Control(("10.255.0.0/16",)))


def asset(name: str, *addresses: str, workload: bool = True, realm: str = "default", **labels: str) -> Asset:
    """Return an asset with text addresses and labels."""
    points = tuple(sorted(map(point_of, addresses)))
    return Asset(name, points, {k: Label(v, "labels.yml:1") for k, v in labels.items()}, realm, workload)


def snapshot(*assets: Asset) -> Snapshot:
    """Return a snapshot of some assets."""
    return Snapshot(tuple(sorted(assets, key=lambda one: one.name)), datetime(2026, 1, 1, tzinfo=UTC))


def labelled(**labels: str) -> Selector:
    """Return the selector of assets with all these labels."""
    return AllOf(tuple(LabelIn(key, (value,)) for key, value in labels.items()))


def cidr(*texts: str) -> Selector:
    """Return the selector of some networks."""
    return AddressIn(addresses_of(texts), ", ".join(texts))


def rule(
    name: str,
    source: Selector,
    destination: Selector,
    *services: str,
    action: Action = Action.ALLOW,
    tier: str = "application",
    priority: int = 100,
    sides: frozenset[Direction] = frozenset(Direction),
    from_unit: str | None = None,
    to_unit: str | None = None,
) -> Rule:
    """Return a rule named in 8 characters or fewer; the name is its id."""
    return Rule(
        name.ljust(8, "0"),
        name,
        Place("policy/shop.yml", 1),
        (Peer(source, Process((from_unit,)) if from_unit else None),),
        (Peer(destination, Process((to_unit,)) if to_unit else None),),
        action,
        union(map(parse_service, services)),
        tier,
        priority,
        sides,
    )


def policy(*rules: Rule, mode: Mode = Mode.FULL) -> Policy:
    """Return a policy of some rules with one mode for all workloads."""
    return Policy(rules, (Enforcement(ANY, mode, mode, Place("policy/enforcement.yml", 2)),))
