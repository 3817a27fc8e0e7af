"""Proposed labels: what names, ports and flows say, with evidence, and that a taken proposal gives what it promised."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.language import load_label_rules
from ringfence.language.editing import add_label_rule
from ringfence.model.assets import Asset, Label, Snapshot
from ringfence.model.errors import Place
from ringfence.model.label_rules import LabelRule
from ringfence.model.problems import Severity
from ringfence.sources.labelling import apply_label_rules
from ringfence.suggest.labels import Talk, next_priority, suggestions

from tests.examples import examples

NOW = datetime(2026, 11, 24, 7, tzinfo=UTC)


def host(name: str, *ports: str, **labels: str) -> Asset:
    attributes: dict[str, object] = {"name": name, "groups": []}
    if ports:
        attributes["facts"] = {"ports": list(ports)}
    return Asset(name, (), {key: Label(value, "inventory") for key, value in labels.items()}, attributes=attributes)


def proposed(*hosts: Asset, talks: tuple[Talk, ...] = ()):
    return {one.name: one for one in suggestions(Snapshot(hosts, NOW), talks)}


def test_words_of_names_tell_roles_and_what_stands_beside_several_roles_is_an_application():
    found = proposed(host("shop-web-01"), host("shop-web-02.fra.example"), host("shop-pg1"), host("crm"))
    assert found["role=web:names"].assets == ("shop-web-01", "shop-web-02.fra.example")
    assert found["role=web:names"].evidence == ("'web' in 'shop-web-01', 'shop-web-02.fra.example'",)
    assert found["role=db:names"].assets == ("shop-pg1",)
    assert found["app=shop:names"].assets == ("shop-pg1", "shop-web-01", "shop-web-02.fra.example")
    assert "beside the roles db, web" in found["app=shop:names"].evidence[0]
    assert set(found) == {"role=web:names", "role=db:names", "app=shop:names"}


def test_the_domain_of_a_host_and_parts_of_words_tell_nothing():
    assert proposed(host("a1.db.example"), host("webinar-7"), host("mydb2x")) == {}


def test_the_words_of_the_estate_come_before_what_is_common():
    found = proposed(host("x-pg-1", role="store"), host("x-pg-2"))
    assert found["role=store:names"].assets == ("x-pg-2",)


def test_ports_tell_roles_by_what_others_on_them_are_and_what_all_have_tells_none():
    found = proposed(
        host("a", "tcp/22", "tcp/5432"), host("b", "tcp/22"), host("c", "tcp/8443", role="api"), host("d", "tcp/8443")
    )
    assert set(found) == {"role=db:ports", "role=api:ports"}
    assert found["role=db:ports"].evidence == ("listens on tcp/5432: 'a'",)
    assert found["role=db:ports"].when == "contains(not_null(facts.ports, `[]`), 'tcp/5432')"
    assert found["role=api:ports"].evidence == ("listens on tcp/8443: 'd', as others of role api do",)


def test_what_was_seen_to_serve_is_told_by_name_where_no_facts_were_gathered():
    found = proposed(host("a"), host("b"), talks=(Talk("a", "b", "tcp/3306"),))
    assert found["role=db:ports"].when == "contains(['b'], name)"
    assert found["role=db:ports"].evidence == ("serves tcp/3306: 'b'",)


def test_who_talks_alike_gets_the_same_role_and_who_talks_within_an_application_is_of_it():
    talks = tuple(
        Talk(client, server, service)
        for number in ("1", "2")
        for client, server, service in (
            (f"front-{number}", f"mid-{number}", "tcp/8443"),
            (f"mid-{number}", "store", "tcp/5432"),
        )
    )
    hosts = [
        host("front-1", role="web", app="shop"),
        host("mid-1", role="api", app="shop"),
        host("store", role="db", app="shop"),
        host("front-2", role="web", app="shop"),
        host("mid-2"),
    ]
    found = proposed(*hosts, talks=talks)
    assert found["role=api:flows"].assets == ("mid-2",)
    assert "'mid-2' talks as 'mid-1' does: from tcp/8443, to tcp/5432 (100% alike)" in found["role=api:flows"].evidence
    assert found["app=shop:flows"].evidence == ("'mid-2' talks with 'front-2', 'store'",)


def test_what_serves_the_whole_estate_belongs_to_no_application():
    hosts = [host(f"h{number}", app="shop" if number < 30 else "crm") for number in range(31)]
    talks = tuple(Talk(one.name, "dns", "udp/53") for one in hosts)
    assert not any(name.startswith("app=") for name in proposed(*hosts, host("dns"), talks=talks))


def test_proposals_by_name_stay_readable_however_many_hosts_there_are():
    hosts = tuple(host(f"h{number:03}") for number in range(250))
    talks = tuple(Talk("h000", one.name, "tcp/5432") for one in hosts[1:])
    found = [one for one in suggestions(Snapshot(hosts, NOW), talks) if one.name == "role=db:ports"]
    assert [len(one.assets) for one in found] == [100, 100, 49]
    assert max(len(one.when) for one in found) < 10_000


def test_what_has_the_label_is_left_alone():
    assert proposed(host("web-1", "tcp/5432", role="x", app="y")) == {}


def test_a_proposal_that_is_taken_gives_exactly_what_it_promised(tmp_path):
    hosts = (host("shop-web-1", "tcp/443"), host("shop-db-1", "tcp/5432"), host("o'hara-db-2"), host("crm", app="crm"))
    snapshot = Snapshot(tuple(sorted(hosts, key=lambda one: one.name)), NOW)
    path = tmp_path / "labels.yml"
    path.write_text("labels:\n  - env: match(name, '(nothing)')\n", encoding="utf-8")
    found = suggestions(snapshot, (Talk("shop-web-1", "o'hara-db-2", "tcp/3306"),))
    for one in found:
        add_label_rule(path, one.rule(next_priority(load_label_rules(path))))
    labelled, problems = apply_label_rules(snapshot.assets, load_label_rules(path))
    assert not [problem for problem in problems if problem.severity is Severity.ERROR]
    values = {asset.name: asset.label_values() for asset in labelled}
    assert values["shop-web-1"] == {"role": "web", "app": "shop"}
    assert values["o'hara-db-2"]["role"] == "db"
    for one in found:
        assert {name for name in one.assets if one.key not in values[name]} == set()


def test_priorities_come_behind_every_rule_there_is():
    def rule(priority):
        return LabelRule("role", "x", Place("labels.yml", 2), priority=priority)

    assert (next_priority([]), next_priority([rule(100)]), next_priority([rule(512)])) == (300, 300, 513)


NAMES = st.text(st.sampled_from("abwedb-.1'\\ é"), min_size=1, max_size=10)


@settings(deadline=None, max_examples=examples(50))
@given(
    st.lists(
        st.tuples(NAMES, st.sampled_from([(), ("tcp/5432",), ("tcp/80", "tcp/22")])), unique_by=lambda one: one[0]
    ),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from(["tcp/80", "tcp/5432"])), max_size=6),
)
def test_any_names_give_proposals_whose_rules_hold_for_their_assets(given_hosts, pairs):
    hosts = [host(name, *ports) for name, ports in given_hosts]
    talks = [
        Talk(hosts[one % len(hosts)].name, hosts[other % len(hosts)].name, service)
        for one, other, service in pairs
        if hosts
    ]
    for one in suggestions(Snapshot(tuple(hosts), NOW), talks):
        place = Place("labels.yml", 2)
        labelled, problems = apply_label_rules(hosts, [LabelRule(one.key, f"'{one.value}'", place, one.when)])
        assert {asset.name for asset in labelled if one.key in asset.labels} == set(one.assets)
        assert not [problem for problem in problems if problem.severity is Severity.ERROR]
