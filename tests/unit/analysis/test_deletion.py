"""What is said to change without a rule is what a compilation without it changes, found by the whole difference."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from ringfence.analysis.deletion import Deletions
from ringfence.analysis.difference import difference
from ringfence.compiler import Recompiler, compile_policy
from ringfence.model.intervals import union
from ringfence.model.rules import Action, Rule

from tests.conformance.strategies import Case, cases
from tests.examples import costly_examples
from tests.unit import estate_factory as factory

WEB, DB = factory.labelled(role="web"), factory.labelled(role="db")
ESTATE = factory.snapshot(
    factory.asset("web-1", "10.0.0.1", role="web", app="shop"),
    factory.asset("web-2", "10.0.0.2", role="web", app="mail"),
    factory.asset("db-1", "10.0.0.3", role="db", app="shop"),
)


def deletions(*rules: Rule) -> Deletions:
    compiler = Recompiler(ESTATE, factory.policy(*rules), factory.SETTINGS)
    return Deletions(compiler, compiler.compilation.tables.keys())


@settings(max_examples=costly_examples(40), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(cases())
def test_deleting_changes_nothing_exactly_where_the_difference_of_whole_compilations_is_none(case: Case) -> None:
    compiler = Recompiler(case.snapshot, case.policy, case.settings)
    asked = Deletions(compiler, compiler.compilation.tables.keys())
    before = compile_policy(case.snapshot, case.policy, case.settings).tables
    for rule in case.policy.rules:
        left = replace(case.policy, rules=tuple(one for one in case.policy.rules if one.id != rule.id))
        after = compile_policy(case.snapshot, left, case.settings).tables
        found = [
            (name, change)
            for one in difference(before, after)
            for name in one.workloads
            for change in one.changes
            if change.before.effect is not change.after.effect or change.before.log != change.after.log
        ]
        deletion = asked.of(rule)
        assert deletion.nothing == (not found)
        assert deletion.workloads == len({name for name, _ in found})
        assert union(deletion.changes.values()) == union(change.services for _, change in found)
        assert {name: t.digest for name, t in asked.tables(rule).items()} == {n: t.digest for n, t in after.items()}


def test_a_rule_that_another_one_covers_is_named_with_it() -> None:
    narrow, broad = factory.rule("narrow", WEB, DB, "tcp/5432"), factory.rule("broad", WEB, DB, "tcp/5000-6000")
    deletion = deletions(narrow, broad).of(narrow)
    assert deletion.nothing
    assert deletion.instead == {"broad000"}
    assert deletions(narrow, broad).of(broad).words() == "closes tcp/5000-5431, tcp/5433-6000 on 3 workloads"


def test_a_deny_whose_deletion_opens_says_so() -> None:
    deny = factory.rule("deny", WEB, DB, "tcp/22", action=Action.DENY)
    assert deletions(deny, factory.rule("all", WEB, DB, "tcp")).of(deny).words() == "opens tcp/22 on 3 workloads"


def test_workloads_whose_tables_reach_no_host_do_not_count() -> None:
    allow = factory.rule("allow", WEB, DB, "tcp/22")
    compiler = Recompiler(ESTATE, factory.policy(allow), factory.SETTINGS)
    assert Deletions(compiler, {"db-1"}).of(allow).workloads == 1
    assert Deletions(compiler, {"nobody"}).of(allow).nothing
