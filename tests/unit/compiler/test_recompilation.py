"""A recompilation gives what a compilation from nothing gives, and remakes no more than it must."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence.compiler import Compilation, Recompiler, compile_policy
from ringfence.model.assets import Asset, Label, Snapshot
from ringfence.model.errors import InputErrors, Place
from ringfence.model.rules import Policy, Rule
from ringfence.model.selectors import AssetNamed
from ringfence.model.services import parse_service

from tests.conformance.strategies import LABELS, Case, cases
from tests.examples import costly_examples
from tests.unit.estate_factory import SETTINGS, asset, cidr, labelled, policy, rule, snapshot

relaxed = settings(
    max_examples=costly_examples(60), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
ESTATE = snapshot(
    *(asset(f"web-{n}", f"10.0.0.{n}", role="web") for n in range(1, 4)),
    *(asset(f"db-{n}", f"10.0.1.{n}", role="db") for n in range(1, 4)),
    asset("mail", "10.0.2.1", role="mail"),
)
WEB_TO_DB = rule("r", labelled(role="web"), labelled(role="db"), "tcp/1")
TO_MAIL = rule("m", labelled(role="db"), labelled(role="mail"), "tcp/25")


def relabelled(one: Asset, key: str, value: str) -> Asset:
    return replace(one, labels={**one.labels, key: Label(value, "labels.yml:1")})


def with_asset(before: Snapshot, changed: Asset) -> Snapshot:
    return replace(before, assets=tuple(changed if one.name == changed.name else one for one in before.assets))


def assert_equal(after: Compilation, fresh: Compilation) -> None:
    assert {n: t.digest for n, t in after.tables.items()} == {n: t.digest for n, t in fresh.tables.items()}
    assert after.enforcement == fresh.enforcement
    assert (after.unaddressed, after.abilities) == (fresh.unaddressed, fresh.abilities)
    assert after.snapshot is fresh.snapshot


@st.composite
def edited(draw: st.DrawFn, rules: tuple[Rule, ...], others: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Return rules of which one is edited, added, removed or moved; each stands on another line then."""
    kept = list(rules)
    how = draw(st.sampled_from(["edit", "add", "remove", "move", "swap"]))
    if how == "add" and others:
        one = draw(st.sampled_from(others))
        kept.insert(draw(st.integers(0, len(kept))), replace(one, id=f"new{draw(st.integers(0, 99)):05}"))
    elif kept:
        at = draw(st.integers(0, len(kept) - 1))
        one = kept.pop(at)
        if how == "edit":
            kept.insert(at, replace(one, services=parse_service(draw(st.sampled_from(["tcp/80", "udp", "any"])))))
        elif how == "swap" and others:
            other = draw(st.sampled_from(others))
            kept.insert(at, replace(other, id=one.id, name=one.name))
        elif how == "move":
            kept.insert(draw(st.integers(0, len(kept))), one)
    return tuple(replace(one, place=Place("policy/a.yml", 10 + line, 5)) for line, one in enumerate(kept))


@relaxed
@given(cases(), cases(), st.data())
def test_equals_a_compilation_from_nothing_to_the_digest(case: Case, other: Case, data: st.DataObject) -> None:
    recompiler = Recompiler(case.snapshot, case.policy, case.settings)
    now, said = case.snapshot, case.policy
    tiers = set(case.settings.tiers)
    others = tuple(one for one in (*case.policy.rules, *other.policy.rules) if one.tier in tiers)
    for _ in range(4):
        if data.draw(st.booleans(), "a rule"):
            said = replace(said, rules=data.draw(edited(said.rules, others)))
        if data.draw(st.booleans(), "a label"):
            one = data.draw(st.sampled_from(now.assets))
            key = data.draw(st.sampled_from(sorted(LABELS)))
            now = with_asset(now, relabelled(one, key, data.draw(st.sampled_from(LABELS[key]))))
        assert_equal(recompiler.update(now, said, case.settings), compile_policy(now, said, case.settings))


@settings(relaxed, max_examples=costly_examples(20))
@given(cases(), cases())
def test_another_estate_and_policy_are_compiled_from_nothing(case: Case, other: Case) -> None:
    recompiler = Recompiler(case.snapshot, case.policy, case.settings, full=True)

    after = recompiler.update(other.snapshot, other.policy, other.settings)

    assert_equal(after, compile_policy(other.snapshot, other.policy, other.settings, full=True))


def test_tables_that_cannot_tell_a_label_stay() -> None:
    recompiler = Recompiler(ESTATE, policy(WEB_TO_DB), SETTINGS)
    before = recompiler.compilation
    digests = {name: table.digest for name, table in before.tables.items()}
    after = recompiler.update(
        with_asset(ESTATE, relabelled(ESTATE.named()["web-1"], "role", "db")), policy(WEB_TO_DB), SETTINGS
    )
    assert after.tables["mail"] is before.tables["mail"]
    assert after.tables["web-2"] is not before.tables["web-2"]
    assert after.tables["web-1"] is after.tables["db-1"]
    assert {name: table.digest for name, table in before.tables.items()} == digests


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (policy(WEB_TO_DB), policy(WEB_TO_DB, TO_MAIL)),
        (policy(WEB_TO_DB, TO_MAIL), policy(WEB_TO_DB)),
        (policy(WEB_TO_DB, TO_MAIL), policy(WEB_TO_DB, replace(TO_MAIL, services=parse_service("tcp/465")))),
    ],
)
def test_tables_that_a_rule_says_nothing_of_stay(before: Policy, after: Policy) -> None:
    recompiler = Recompiler(ESTATE, before, SETTINGS)
    tables = recompiler.compilation.tables

    changed = recompiler.update(ESTATE, after, SETTINGS).tables

    assert {name for name, table in changed.items() if table is not tables[name]} == {"db-1", "db-2", "db-3", "mail"}


def test_rules_that_only_moved_in_their_file_leave_every_table() -> None:
    recompiler = Recompiler(ESTATE, policy(WEB_TO_DB), SETTINGS)
    tables = dict(recompiler.compilation.tables)

    moved = recompiler.update(ESTATE, policy(replace(WEB_TO_DB, place=Place("policy/a.yml", 99, 5))), SETTINGS)

    assert all(table is tables[name] for name, table in moved.tables.items())
    assert moved.policy.rules[0].place.line == 99


def test_after_an_error_the_next_update_is_right() -> None:
    recompiler = Recompiler(ESTATE, policy(WEB_TO_DB), SETTINGS)
    twins = snapshot(replace(ESTATE.assets[0], also=("twin",)), replace(ESTATE.assets[1], also=("twin",)))
    with pytest.raises(InputErrors):
        recompiler.update(twins, policy(rule("t", AssetNamed("twin"), cidr("10.9.0.0/16"), "tcp/1")), SETTINGS)

    assert_equal(
        recompiler.update(ESTATE, policy(TO_MAIL), SETTINGS), compile_policy(ESTATE, policy(TO_MAIL), SETTINGS)
    )
