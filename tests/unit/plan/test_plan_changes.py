"""What a plan tells of its changes: far ends by their labels, each set of them once, the shorter way round."""

from __future__ import annotations

import json
from typing import Any

from ringfence.compiler import compile_policy
from ringfence.model.assets import Snapshot
from ringfence.model.rules import Action
from ringfence.model.selectors import ANY, Selector
from ringfence.plan.changes import told

from tests.unit.estate_factory import SETTINGS, asset, labelled, policy, rule, snapshot

ROLES = ("web", "api", "db", "cache", "queue")


def estate(hosts: int) -> Snapshot:
    """Return as many hosts of every role."""
    names = [(role, number) for role in ROLES for number in range(hosts)]
    return snapshot(*(asset(f"{role}-{n}", f"10.0.{ROLES.index(role)}.{n + 1}", role=role) for role, n in names))


def changes(source: Selector, hosts: int = 3) -> dict[str, Any]:
    """Return what is told where some assets may not reach the databases any more."""
    one, other = (
        policy(rule("r", ANY, ANY, "any")),
        rule("no", source, labelled(role="db"), "tcp/1", action=Action.DENY),
    )
    assets = estate(hosts)
    before = compile_policy(assets, one, SETTINGS)
    after = compile_policy(assets, policy(*one.rules, other), SETTINGS)
    return json.loads(json.dumps(told(before.tables, after.tables, assets)))


def test_assets_are_named_by_their_labels_or_by_those_of_all_others() -> None:
    few = list(changes(labelled(role="web"))["peers"].values())
    assert {"every_unknown": False, "assets": [{"labels": "role=web", "count": 3}], "unknown": []} in few
    most = list(changes(ANY)["peers"].values())
    assert {"every_unknown": True, "assets_except": [], "unknown": []} in most


def test_a_set_of_far_ends_stands_once_however_many_changes_have_it() -> None:
    data = changes(ANY)
    named = [change["peers"] for group in data["groups"] for change in group["changes"]]
    assert len(named) > len(set(named))
    assert set(named) == set(data["peers"])


def test_what_is_told_does_not_grow_with_the_hosts_of_a_role() -> None:
    small, large = (changes(labelled(role="web"), hosts) for hosts in (2, 40))
    for data in (small, large):
        for group in data["groups"]:
            del group["workloads"]
        for peers in data["peers"].values():
            for one in peers.get("assets", peers.get("assets_except")):
                del one["count"]
    assert small == large
