"""A narrower rule lets through all that was seen, and nothing that the wider one did not."""

from __future__ import annotations

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from ringfence.analysis.deletion import Deletions
from ringfence.analysis.difference import OutcomeChange, difference
from ringfence.analysis.hygiene import proven
from ringfence.analysis.narrowing import Width, narrowed, narrower
from ringfence.analysis.rule_use import RuleUses
from ringfence.analysis.simulate import simulate
from ringfence.analysis.simulate_judge import Category
from ringfence.compiler import Recompiler, compile_policy
from ringfence.flows.window import FlowWindow
from ringfence.model.assets import Snapshot
from ringfence.model.flows import Flow
from ringfence.model.rules import Action
from ringfence.model.selectors import ANY, AllOf, Not, Selector

from tests.examples import costly_examples
from tests.unit import estate_factory as factory
from tests.unit.flows.flow_factory import flow

ADDRESSES = [f"10.0.0.{last}" for last in range(1, 7)]
WEB, DB, PROD = factory.labelled(role="web"), factory.labelled(role="db"), factory.labelled(env="prod")
PEERS: tuple[Selector, ...] = (
    ANY,
    WEB,
    PROD,
    Not(DB),
    AllOf(()),
    factory.cidr("10.0.0.0/30"),
    factory.cidr("10.0.0.0/8"),
)
EVERYTHING = [Width(what, 0, 0) for what in ("from", "to", "services")]
labels = st.fixed_dictionaries({}, optional={"role": st.sampled_from(["web", "db"]), "env": st.sampled_from(["prod"])})
estates = st.lists(labels, min_size=6, max_size=6).map(
    lambda drawn: factory.snapshot(
        *(factory.asset(f"a{n}", address, **one) for n, (address, one) in enumerate(zip(ADDRESSES, drawn, strict=True)))
    )
)
ends = st.sampled_from([*ADDRESSES, *ADDRESSES, "192.0.2.1"])
seen = st.lists(st.builds(flow, ends, ends, st.sampled_from((22, 80, 443, 8080))), min_size=1, max_size=6)


def _opens(change: OutcomeChange) -> bool:
    return change.after.passes and not change.before.passes


@settings(max_examples=costly_examples(40), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(estates, st.sampled_from(PEERS), st.sampled_from(PEERS), st.sampled_from(["any", "tcp", "tcp/1-8080"]), seen)
def test_a_narrower_rule_denies_no_flow_that_was_seen_and_opens_nothing(
    estate: Snapshot, source: Selector, destination: Selector, service: str, flows: list[Flow]
) -> None:
    wide = factory.rule("wide", source, destination, service)
    deny = factory.rule("deny", WEB, PROD, "tcp/22", action=Action.DENY)
    compiler = Recompiler(estate, factory.policy(deny, wide), factory.SETTINGS)
    tables = compiler.compilation.tables
    with FlowWindow.of_flows(flows, [estate]) as window:
        found = narrower(wide, RuleUses(compiler.compilation, simulate(tables, estate, window)), EVERYTHING)
    by = proven(wide, found, Deletions(compiler, tables.keys()))
    if by is None:
        return
    event(f"narrower in {sorted(by.written())}")
    after = compile_policy(estate, factory.policy(deny, narrowed(wide, by)), factory.SETTINGS).tables
    opened = [change for one in difference(tables, after) for change in one.changes if _opens(change)]
    assert not opened
    judged = simulate(after, estate, flows, tables)
    assert judged.categories[Category.NEWLY_DENIED].flows == judged.categories[Category.NEWLY_ALLOWED].flows == 0
