"""What a plan tells of its changes: far ends by their labels, each set of them once, the shorter way round."""

from __future__ import annotations

import json
from typing import Any

from ringfence.compiler import compile_policy
from ringfence.model.assets import Snapshot
from ringfence.model.rules import Action
from ringfence.model.selectors import ANY, FqdnIs, Selector
from ringfence.plan.plan_diff import plan_diff

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
    return json.loads(json.dumps(plan_diff(before.tables, after.tables, assets)))


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


def test_what_changes_in_a_dynamic_set_and_outside_it_is_told_once() -> None:
    out = rule("out", labelled(role="web"), FqdnIs("api.example.org"), "tcp/443")
    also = rule("also", labelled(role="web"), FqdnIs("db.example.org"), "tcp/5432")
    database = rule("database", labelled(role="web"), labelled(role="db"), "tcp/5432")
    assets = estate(1)
    before = compile_policy(assets, policy(database), SETTINGS)
    for rules in ((out,), (out, also)):
        after = compile_policy(assets, policy(database, *rules), SETTINGS)
        for one in (plan_diff(before.tables, after.tables, assets), plan_diff({}, after.tables, assets)):
            (web,) = (group for group in one["groups"] if group["workloads"] == ["web-0"])
            places = [
                (service, change["direction"], change["peers"], change["after"]["effect"], change.get("members"))
                for change in web["changes"]
                for service in change.get("services", ())
            ]
            assert len(places) == len(set(places))
            assert not {place[:-1] for place in places if place[-1] is None} & {
                place[:-1] for place in places if place[-1]
            }
    only_out = plan_diff(before.tables, compile_policy(assets, policy(database, out), SETTINGS).tables, assets)
    assert [change["members"] for group in only_out["groups"] for change in group["changes"]] == [
        "in fqdn:api.example.org"
    ]


def test_conditions_that_hold_for_every_address_together_are_none() -> None:
    (group,) = plan_diff(
        {},
        {
            "web-0": compile_policy(
                estate(1),
                policy(
                    rule("a", labelled(role="web"), FqdnIs("a.example"), "tcp/443"),
                    rule("b", labelled(role="web"), FqdnIs("b.example"), "tcp/80"),
                ),
                SETTINGS,
            ).tables["web-0"]
        },
        estate(1),
    )["groups"]
    denied = [one for one in group["changes"] if one["direction"] == "out" and one["does"] == "closes"]
    assert [one["services_except"] for one in denied if "members" not in one] == [["tcp/80", "tcp/443"]]
