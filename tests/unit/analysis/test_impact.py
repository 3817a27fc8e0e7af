"""Which rules begin and stop to speak of an asset with other labels, its peers, and its modes."""

from __future__ import annotations

from dataclasses import replace

from ringfence.analysis.impact import changed_labels, changed_modes, changed_rules
from ringfence.compiler import compile_policy
from ringfence.model.assets import Label, Snapshot
from ringfence.model.errors import Place
from ringfence.model.rules import Direction, Enforcement, Mode, Policy
from ringfence.model.selectors import ANY, Not

from tests.unit import estate_factory as factory

WEB, API, DB = (factory.labelled(role=role) for role in ("web", "api", "db"))
ESTATE = factory.snapshot(
    factory.asset("web-1", "10.0.0.1", role="web", tier="front"),
    factory.asset("web-2", "10.0.0.2", role="web"),
    factory.asset("api-1", "10.0.1.1", role="api"),
    factory.asset("db-1", "10.0.2.1", role="db"),
    factory.asset("db-2", "10.0.2.2", role="db"),
)
POLICY = Policy(
    (
        factory.rule("web", WEB, API, "tcp/8443"),
        factory.rule("api", API, DB, "tcp/5432"),
        factory.rule("rest", Not(WEB), ANY, "udp/53"),
        factory.rule("cidr", factory.cidr("10.0.0.0/8"), DB, "tcp/9100"),
    ),
    (
        Enforcement(WEB, Mode.OBSERVE, Mode.SELECTIVE, Place("policy/shop.yml", 9)),
        Enforcement(ANY, Mode.FULL, Mode.FULL, Place("policy/shop.yml", 11)),
    ),
)


def relabelled(name: str, **labels: str) -> Snapshot:
    made = {key: Label(value, "command line") for key, value in labels.items()}
    return replace(
        ESTATE, assets=tuple(replace(one, labels=made) if one.name == name else one for one in ESTATE.assets)
    )


def test_labels_are_told_with_what_gave_them() -> None:
    changes = changed_labels(ESTATE, relabelled("web-1", role="api", env="prod"))
    assert [(one.asset, one.key, one.before, one.after, one.origin) for one in changes] == [
        ("web-1", "env", None, "prod", ""),
        ("web-1", "role", "web", "api", "labels.yml:1"),
        ("web-1", "tier", "front", None, "labels.yml:1"),
    ]


def test_rules_begin_and_stop_on_each_side_with_the_number_of_their_peers() -> None:
    before, after = (compile_policy(one, POLICY, factory.SETTINGS) for one in (ESTATE, relabelled("web-1", role="api")))
    found = {(one.rule.name, one.side): one for one in changed_rules(before, after, ["web-1"])}
    assert {key: (one.begins, one.stops, one.peers) for key, one in found.items()} == {
        ("web", "from"): ((), ("web-1",), 2),
        ("web", "to"): (("web-1",), (), 1),
        ("api", "from"): (("web-1",), (), 2),
        ("rest", "from"): (("web-1",), (), 5),
    }


def test_modes_change_with_the_entry_that_chooses() -> None:
    before, after = (compile_policy(one, POLICY, factory.SETTINGS) for one in (ESTATE, relabelled("web-1", role="api")))
    assert [(one.asset, one.direction, one.before, one.after) for one in changed_modes(before, after)] == [
        ("web-1", Direction.IN, Mode.OBSERVE, Mode.FULL),
        ("web-1", Direction.OUT, Mode.SELECTIVE, Mode.FULL),
    ]
