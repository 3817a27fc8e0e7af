"""A recompilation after a changed label gives what a fresh one gives, and remakes no more than it must."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence.compiler import Recompiler, compile_policy
from ringfence.model.assets import Asset, Label

from tests.conformance.strategies import LABELS, Case, cases
from tests.unit.estate_factory import SETTINGS, asset, labelled, policy, rule, snapshot

relaxed = settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def relabelled(one: Asset, key: str, value: str) -> Asset:
    return replace(one, labels={**one.labels, key: Label(value, "labels.yml:1")})


@relaxed
@given(cases(), st.data())
def test_equals_a_fresh_compilation_to_the_digest(case: Case, data: st.DataObject) -> None:
    recompiler = Recompiler(case.snapshot, case.policy, case.settings)
    for _ in range(3):
        one = data.draw(st.sampled_from(recompiler.compilation.snapshot.assets))
        key = data.draw(st.sampled_from(sorted(LABELS)))
        changed = recompiler.relabel(relabelled(one, key, data.draw(st.sampled_from(LABELS[key]))))
        fresh = compile_policy(changed.snapshot, case.policy, case.settings)
        assert {n: t.digest for n, t in changed.tables.items()} == {n: t.digest for n, t in fresh.tables.items()}
        assert changed.enforcement == fresh.enforcement


def test_tables_that_cannot_tell_the_difference_stay() -> None:
    estate = snapshot(
        *(asset(f"web-{n}", f"10.0.0.{n}", role="web") for n in range(1, 4)),
        *(asset(f"db-{n}", f"10.0.1.{n}", role="db") for n in range(1, 4)),
        asset("mail", "10.0.2.1", role="mail"),
    )
    recompiler = Recompiler(estate, policy(rule("r", labelled(role="web"), labelled(role="db"), "tcp/1")), SETTINGS)
    before = recompiler.compilation
    digests = {name: table.digest for name, table in before.tables.items()}
    after = recompiler.relabel(relabelled(estate.named()["web-1"], "role", "db"))
    assert after.tables["mail"] is before.tables["mail"]
    assert after.tables["web-2"] is not before.tables["web-2"]
    assert after.tables["web-1"] is after.tables["db-1"]
    assert {name: table.digest for name, table in before.tables.items()} == digests
