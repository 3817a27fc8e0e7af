"""Simulations of compiled policies: realms with equal addresses, modes, processes of both ends."""

from __future__ import annotations

from ringfence.analysis.simulate import simulate
from ringfence.analysis.simulate_judge import Category
from ringfence.compiler import compile_policy
from ringfence.model.errors import Place
from ringfence.model.rules import Action, Enforcement, Mode, Peer, Policy, Process, Rule, Settings
from ringfence.model.selectors import ANY, LabelIn, Selector
from ringfence.model.services import parse_service

from tests.unit.flows import flow_factory as factory

PLACE = Place("policy/shop.yml", 3)


def rule(source: Selector, destination: Selector, service: str, unit: str | None = None) -> Rule:
    process = Process(units=(unit,)) if unit else None
    return Rule(
        "0000000a",
        "allowed",
        PLACE,
        (Peer(source),),
        (Peer(destination, process),),
        Action.ALLOW,
        parse_service(service),
    )


def enforced(*rules: Rule, inbound: Mode = Mode.FULL, outbound: Mode = Mode.OBSERVE) -> Policy:
    return Policy(rules, (Enforcement(ANY, inbound, outbound, PLACE),))


WEB, DB = LabelIn("role", ("web",)), LabelIn("role", ("db",))


def test_equal_addresses_of_two_realms_are_told_apart_by_who_reported_them() -> None:
    estate = factory.snapshot(
        factory.asset("a-web", "10.0.0.1", realm="a", role="web"),
        factory.asset("a-db", "10.0.0.2", realm="a", role="db"),
        factory.asset("b-db", "10.0.0.1", realm="b", role="db"),
        factory.asset("b-app", "10.0.0.2", realm="b", role="app"),
    )
    tables = compile_policy(estate, enforced(rule(WEB, DB, "tcp/5432")), Settings()).tables
    flows = [
        factory.flow("10.0.0.1", "10.0.0.2", 5432, source="hosts:a-db", server_process="postgres"),
        factory.flow("10.0.0.2", "10.0.0.1", 5432, source="hosts:b-db", server_process="postgres"),
    ]
    judged = {one.server_asset: one for one in simulate(tables, estate, flows).flows()}
    assert judged["a-db"].verdict.category is Category.STILL_ALLOWED
    assert judged["b-db"].verdict.category is Category.NEWLY_DENIED
    assert judged["b-db"].client_asset == "b-app"


def test_a_draft_is_compared_with_the_policy_of_now() -> None:
    estate = factory.snapshot(
        factory.asset("web-1", "10.0.0.1", role="web"), factory.asset("db-1", "10.0.0.2", role="db")
    )
    now = compile_policy(estate, enforced(rule(WEB, DB, "tcp/5432"), inbound=Mode.OBSERVE), Settings()).tables
    draft = compile_policy(estate, enforced(rule(WEB, DB, "tcp/5432", "postgresql.service")), Settings()).tables
    flows = [
        factory.flow("10.0.0.1", "10.0.0.2", 5432, server_unit="postgresql.service"),
        factory.flow("10.0.0.1", "10.0.0.2", 5432, server_unit="nc.service"),
        factory.flow("10.0.0.1", "10.0.0.2", 22),
    ]
    simulation = simulate(draft, estate, flows, now)
    denied = {(one.flow.port, one.flow.server_unit) for one in simulation.flows([Category.NEWLY_DENIED])}
    assert denied == {(5432, "nc.service"), (22, None)}
    assert [one.flow.server_unit for one in simulation.flows(rule="0000000a")] == ["postgresql.service"]
    assert simulation.watched.flows == 0
    assert simulate(now, estate, flows).watched.flows == 1  # ssh passes while nothing bites
