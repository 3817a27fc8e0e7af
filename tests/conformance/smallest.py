"""The smallest case that still shows a mismatch: parts of the policy and the estate are left out while it does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from ringfence.model.assets import Asset, Snapshot
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import DEFAULT_PRIORITY, DEFAULT_TIER, Direction, Peer, Rule
from ringfence.model.selectors import ANY, AllOf, AnyOf, Not, Selector
from ringfence.model.services import Services

from .case import Case

Part = TypeVar("Part")


def smallest(case: Case, fails: Callable[[Case], bool], seconds: float = 120.0) -> Case:
    """Return a case that fails and of which no single part can be left out, or the smallest found in the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for candidate in smaller_cases(case):
            if time.monotonic() >= end or fails(candidate):
                break
        else:
            return case
        case = candidate if time.monotonic() < end else case
    return case


def smaller_cases(case: Case) -> Iterator[Case]:
    """Yield every case that has one part less, the biggest parts first."""
    policy, settings, assets = case.policy, case.settings, case.snapshot.assets
    for number in range(len(policy.rules)):
        yield replace(case, policy=replace(policy, rules=_without(policy.rules, number)))
    for number in range(len(assets)):
        if any(asset.workload for asset in _without(assets, number)):
            yield replace(case, snapshot=Snapshot(_without(assets, number), case.snapshot.taken))
    for number in range(len(policy.enforcement)):
        yield replace(case, policy=replace(policy, enforcement=_without(policy.enforcement, number)))
    for name, found in case.answers.items():
        for address in found:
            yield replace(case, answers={**case.answers, name: found - {address}})
    if settings.control:
        yield replace(case, settings=replace(settings, control=None))
    if settings.realms:
        yield replace(case, settings=replace(settings, realms={}))
    for number, rule in enumerate(policy.rules):
        for one in _smaller_rules(rule):
            rules = (*policy.rules[:number], one, *policy.rules[number + 1 :])
            yield replace(case, policy=replace(policy, rules=rules))
    for number, asset in enumerate(assets):
        for other in _smaller_assets(asset):
            yield replace(
                case, snapshot=Snapshot((*assets[:number], other, *assets[number + 1 :]), case.snapshot.taken)
            )


def _smaller_assets(asset: Asset) -> Iterator[Asset]:
    for number in range(len(asset.addresses)):
        if len(asset.addresses) > 1:
            yield replace(asset, addresses=_without(asset.addresses, number))
    if asset.control:
        yield replace(asset, control=None)
    for key in asset.labels:
        yield replace(asset, labels={name: label for name, label in asset.labels.items() if name != key})


def _smaller_rules(rule: Rule) -> Iterator[Rule]:
    for peers in _smaller_peers(rule.sources):
        yield replace(rule, sources=peers)
    for peers in _smaller_peers(rule.destinations):
        yield replace(rule, destinations=peers)
    for number in range(len(rule.services.v4)):
        yield replace(rule, services=Services(_one_less(rule.services.v4, number), rule.services.v6))
    for number in range(len(rule.services.v6)):
        yield replace(rule, services=Services(rule.services.v4, _one_less(rule.services.v6, number)))
    plain = {"tier": DEFAULT_TIER, "priority": DEFAULT_PRIORITY, "sides": frozenset(Direction), "log": False}
    for name, value in plain.items():
        if getattr(rule, name) != value:
            yield replace(rule, **{name: value})


def _smaller_peers(peers: tuple[Peer, ...]) -> Iterator[tuple[Peer, ...]]:
    for number, peer in enumerate(peers):
        if len(peers) > 1:
            yield _without(peers, number)
        if peer.process:
            yield (*peers[:number], Peer(peer.selector), *peers[number + 1 :])
        for selector in _smaller_selectors(peer.selector):
            yield (*peers[:number], Peer(selector, peer.process), *peers[number + 1 :])


def _smaller_selectors(selector: Selector) -> Iterator[Selector]:
    if selector != ANY:
        yield ANY
    match selector:
        case Not(part):
            yield part
            yield from (Not(smaller) for smaller in _smaller_selectors(part))
        case AllOf(parts) | AnyOf(parts):
            yield from parts
            for number, part in enumerate(parts):
                for smaller in _smaller_selectors(part):
                    yield type(selector)((*parts[:number], smaller, *parts[number + 1 :]))


def _one_less(points: IntervalSet, number: int) -> IntervalSet:
    return IntervalSet(_without(points.intervals, number))


def _without(parts: tuple[Part, ...], number: int) -> tuple[Part, ...]:
    return (*parts[:number], *parts[number + 1 :])
