"""Rules are judged by what was seen of them: unused, needless, wide, or no evidence; each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from ringfence.analysis.deletion import Deletions
from ringfence.analysis.hygiene import Finding, RuleHygiene, hygiene
from ringfence.analysis.narrowing import narrowed
from ringfence.analysis.rule_use import RuleUses
from ringfence.analysis.simulate import simulate
from ringfence.compiler import Recompiler
from ringfence.flows.window import FlowWindow
from ringfence.model.flows import Flow
from ringfence.model.rules import Action, Rule
from ringfence.model.selectors import ANY
from ringfence.model.services import parse_service

from tests.unit import estate_factory as factory
from tests.unit.flows.flow_factory import NOON, flow

WEB, DB, APP = (factory.labelled(role=role) for role in ("web", "db", "app"))
ESTATE = factory.snapshot(
    *(factory.asset(f"web-{n:02}", f"10.0.0.{n}", role="web", app="shop") for n in range(1, 16)),
    *(factory.asset(f"app-{n}", f"10.0.1.{n}", role="app", app="mail") for n in range(1, 3)),
    factory.asset("db-1", "10.0.2.1", role="db", app="shop"),
)
SINCE = NOON - timedelta(days=30)
EVERYONE = [flow(f"10.0.0.{n}", "10.0.2.1", 5432, at=SINCE) for n in range(1, 16)]


def judged(flows: Sequence[Flow], *rules: Rule) -> dict[str, RuleHygiene]:
    compiler = Recompiler(ESTATE, factory.policy(*rules), factory.SETTINGS)
    compiled = compiler.compilation
    with FlowWindow.of_flows(flows, [ESTATE]) as window:
        uses = RuleUses(compiled, simulate(compiled.tables, ESTATE, window))
        found = hygiene(rules, uses, Deletions(compiler, compiled.tables.keys()), SINCE, NOON)
    return {one.rule.name: one for one in found}


def findings(flows: Sequence[Flow], *rules: Rule) -> dict[str, Finding]:
    return {name: one.finding for name, one in judged(flows, *rules).items()}


def test_a_rule_is_unused_only_where_its_workloads_were_seen_all_the_time() -> None:
    used, ssh = factory.rule("used", WEB, DB, "tcp/5432"), factory.rule("ssh", WEB, DB, "tcp/22")
    mail = factory.rule("mail", APP, APP, "tcp/25")
    assert findings(EVERYONE, used, ssh, mail) == {
        "used": Finding.USED,
        "ssh": Finding.UNUSED,
        "mail": Finding.NO_EVIDENCE,
    }
    late = [flow("10.0.0.1", "10.0.2.1", 5432, at=NOON - timedelta(days=3))]
    found = judged(late, used, ssh)["ssh"]
    assert (found.finding, found.why) == (
        Finding.NO_EVIDENCE,
        "its workloads were first seen 3 days ago, less than was asked for",
    )


def test_a_rule_for_a_process_that_no_sensor_names_is_not_called_unused() -> None:
    backup = factory.rule("backup", WEB, DB, "tcp/5432", from_unit="backup.service")
    found = judged(EVERYONE, backup)["backup"]
    assert (found.finding, found.seen.perhaps) == (Finding.NO_EVIDENCE, 15)
    told = [flow("10.0.0.1", "10.0.2.1", 5432, at=SINCE, client_unit="cron.service", server_process="postgres")]
    assert findings(told, backup) == {"backup": Finding.UNUSED}


def test_a_used_rule_that_another_covers_is_needless_and_a_deny_is_a_guard() -> None:
    used, again = factory.rule("used", WEB, DB, "tcp/5432"), factory.rule("again", WEB, DB, "tcp/5432-5433")
    deny = factory.rule("deny", WEB, DB, "tcp/23", action=Action.DENY)
    found = judged(EVERYONE, used, again, deny)
    assert (found["used"].finding, found["deny"].finding) == (Finding.NEEDLESS, Finding.GUARD)
    assert found["used"].why == "'again' decides the same without it"


def test_a_rule_far_wider_than_its_traffic_is_narrowed_to_what_was_seen() -> None:
    every = factory.rule("every", ANY, ANY, "any")
    found = judged(EVERYONE, every)["every"]
    assert found.finding is Finding.WIDE
    assert {one.what: one.used for one in found.widths} == {"from": 15, "to": 1, "services": 1}
    assert found.narrower is not None
    assert found.narrower.words() == "from: {role: web}, to: {role: db}, allow: tcp/5432"
    tables = Recompiler(ESTATE, factory.policy(narrowed(every, found.narrower)), factory.SETTINGS).compilation.tables
    assert not list(simulate(tables, ESTATE, EVERYONE).flows(watched=True))
    assert all(one.verdict.allowed for one in simulate(tables, ESTATE, EVERYONE).flows())


def test_unseen_assets_do_not_make_a_rule_wide_and_few_ports_are_not_far_fewer() -> None:
    flows = [flow("10.0.0.1", "10.0.2.1", 5432, at=SINCE)]
    assert findings(flows, factory.rule("some", WEB, DB, "tcp/5432-5440")) == {"some": Finding.USED}
    busy = [*flows, *(flow(f"10.0.0.{n}", "192.0.2.1", 443, at=SINCE) for n in range(1, 16))]
    found = judged(busy, factory.rule("some", WEB, DB, "tcp/5432"))["some"]
    assert [str(one) for one in found.widths] == ["1 of 15 assets in 'from' used"]


def test_no_narrower_rule_is_proposed_that_would_let_more_through() -> None:
    """The used assets share only labels that others have too, which the rule does not allow."""
    addresses = factory.cidr("10.0.0.1-10.0.0.12", "10.0.1.1")
    both = [flow(address, "10.0.2.1", 5432, at=SINCE) for address in ("10.0.0.1", "10.0.1.1")]
    seen = [flow(f"10.0.0.{n}", "192.0.2.1", 443, at=SINCE) for n in range(1, 16)]
    found = judged([*both, *seen], factory.rule("wide", addresses, DB, "tcp"))["wide"]
    assert found.finding is Finding.WIDE
    assert found.narrower is not None
    assert found.narrower.written() == {"allow": "tcp/5432"}
    assert narrowed(found.rule, found.narrower).services == parse_service("tcp/5432")
