"""What label rules do beyond JMESPath: patterns with groups, position in networks, and what runs on a host."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.language import check_references
from ringfence.model.assets import Snapshot
from ringfence.model.errors import InputError, InputErrors
from ringfence.sources.expressions import EvaluationError, compile_expression
from ringfence.sources.facts import fact_attributes
from ringfence.sources.labelling import apply_label_rules
from ringfence.workspace import load

from tests.unit.sources.asset_factory import NOW, asset, rule, unhurried, write

HOST = {"name": "shop-web-03.fra.example", "groups": ["linux"], "addresses": ["10.1.0.7", "2001:db8::7"]}


def label(expression: str, attributes: dict[str, object] | None = None, when: str | None = None) -> str | None:
    one = asset("h", attributes=attributes or HOST)
    (found,), _ = apply_label_rules([one], [rule(2, "x", expression, when=when)])
    return found.label_values().get("x")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (r"match(name, '^(\w+)-(\w+)-\d+', `2`)", "web"),
        (r"match(name, '^(\w+)-(\w+)-\d+')", "shop"),
        (r"match(name, '-(?P<role>[a-z]+)-', 'role')", "web"),
        (r"match(name, '^[a-z]+', `0`)", "shop"),
        (r"match(name, 'fra|ber')", "fra"),
        (r"match(name, '^db-(.*)')", None),
        (r"match(name, '^(\w+)-(x)?')", "shop"),
        (r"match(name, '^(\w+)-(x)?', `2`)", None),
        (r"match(missing, '(.*)')", None),
        (r"match(name, '^db-(.*)') || match(name, '\.(\w+)\.')", "fra"),
        (r"groups[?match(@, '^lin(ux)')] | [0]", "linux"),
    ],
)
def test_names_give_labels_by_the_groups_of_a_pattern(expression, value):
    assert label(expression) == value


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("in_network(addresses, '10.1.0.0/16')", True),
        ('in_network(addresses, `["192.168.0.0/16", "2001:db8::/32"]`)', True),
        ("in_network(addresses, '10.1.0.8-10.1.0.9')", False),
        ("in_network(name, '10.1.0.0/16')", False),
        ("in_network(nothing, '10.1.0.0/16')", False),
    ],
)
def test_the_position_in_a_network_gives_labels(condition, holds):
    assert (label("'fra'", when=condition) == "fra") is holds


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("match(name, '(')", "'(' is not a valid pattern"),
        ("match(name, '(a)', `2`)", "the pattern '(a)' has no group 2"),
        ("match(name, '(a)', 'b')", "the pattern '(a)' has no group b"),
        ("match(name)", "match() takes 2 arguments, not 1"),
        ("match(name, 'a', `0`, `1`)", "match() takes a text, a pattern and a group"),
        ("in_network(addresses, '10.0.0.1/8')", "host bits"),
        ("in_network(addresses)", "in_network() takes 2 arguments, not 1"),
        ("matches(name, 'a')", "there is no function matches()"),
    ],
)
def test_a_wrong_pattern_or_network_is_a_placed_error_before_any_asset_is_looked_at(expression, said):
    with pytest.raises(InputErrors) as caught:
        apply_label_rules([asset("h")], [rule(4, "x", expression)])
    assert str(caught.value.errors[0].place) == "labels.yml:4:5"
    assert said in str(caught.value)


def test_a_pattern_that_is_made_of_attributes_fails_on_the_asset_that_has_it():
    _, (problem,) = apply_label_rules(
        [asset("h", attributes={"name": "h", "pattern": "("})], [rule(4, "x", "match(name, pattern)")]
    )
    assert "asset 'h'" in problem.message
    assert "'(' is not a valid pattern" in problem.message


@unhurried
@given(st.text(max_size=8), st.text(max_size=8))
def test_no_text_and_no_pattern_raises_anything_but_our_errors(text, pattern):
    apply_label_rules(
        [asset("h", attributes={"name": text, "pattern": pattern})], [rule(4, "x", "match(name, pattern)")]
    )


FACTS = {
    "ansible_hostname": "db-1",
    "ansible_domain": "corp.example",
    "ansible_product_uuid": "420a",
    "ansible_eth0": {"type": "ether", "macaddress": "00:50:56:aa:bb:cc"},
    "ansible_lo": {"type": "loopback", "macaddress": "00:00:00:00:00:00"},
    "packages": {"postgresql-15": [{"version": "15.1"}], "bash": []},
    "services": {"postgresql.service": {"state": "running"}, "cups.service": {"state": "stopped"}},
    "tcp_listen": [{"port": 5432, "address": "0.0.0.0"}, {"port": 25, "address": "127.0.0.1"}],
    "udp_listen": [{"port": 123, "address": "::"}],
    "listeners": [
        {"protocol": "tcp", "port": 22, "address": "::"},
        {"protocol": "udp", "port": 40000, "address": "0.0.0.0", "ephemeral": True},
    ],
    "running_units": ["ssh.service"],
}


def test_what_runs_on_a_host_is_told_in_words():
    found = fact_attributes(FACTS)["facts"]
    assert found["ports"] == ["tcp/22", "tcp/5432", "udp/123"]
    assert found["units"] == ["postgresql.service", "ssh.service"]
    assert found["packages"] == ["bash", "postgresql-15"]
    assert (found["macs"], found["domain"]) == (["00:50:56:aa:bb:cc"], "corp.example")
    assert label("'db'", {"facts": found}, when="contains(facts.ports, 'tcp/5432')") == "db"
    assert label("'db'", {"facts": found}, when="facts.packages[?starts_with(@, 'postgresql')]") == "db"


def test_bulky_facts_are_no_attributes_of_their_own():
    assert {"packages", "services", "tcp_listen"}.isdisjoint(fact_attributes(FACTS))
    assert "listeners" in fact_attributes(FACTS)


@unhurried
@given(
    st.dictionaries(
        st.sampled_from(["packages", "services", "tcp_listen", "listeners", "running_units", "ansible_eth0"]),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=3),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["port", "type"]), inner),
            max_leaves=4,
        ),
    )
)
def test_facts_of_any_shape_break_nothing(facts):
    fact_attributes(facts)


PARTS = ["a", "a.b", "'a'", "`1`", "missing", "[a, b]", "a.b.c", "`[]`"]
FORMS = [
    *("{0}", "{0} || {1}", "{0} && {1}", "{0} == {1}", "{0} != {1}", "not_null({0}, {1})", "contains({0}, {1})"),
    *("starts_with({0}, {1})", "ends_with({0}, {1})", "join({0}, [{1}, a])", "join('-', {0})", "match({0}, {1})"),
    *("match({0}, '(a)?', {1})", "in_network({0}, {1})", "in_network({0}, '10.0.0.0/8') && {1}", "({0} || {1}).b"),
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 1) | st.sampled_from(["", "a", "ab", "(", "10.0.0.1", "10.0.0.0/8"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)


@unhurried
@given(
    st.sampled_from(FORMS),
    st.sampled_from(PARTS),
    st.sampled_from(PARTS),
    st.dictionaries(st.sampled_from("ab"), VALUES),
)
def test_what_runs_without_the_interpreter_gives_what_the_interpreter_gives(form, left, right, attributes):
    try:
        expression = compile_expression(form.format(left, right))
    except InputError:
        return
    alone = replace(expression, direct=None)

    def outcome(one):
        try:
            found = one.value(attributes)
            return type(found), found
        except EvaluationError as error:
            return str(error)

    assert outcome(expression) == outcome(alone)


def test_a_path_of_three_names_is_followed_to_its_end():
    assert label("a.b.c", {"a": {"b": {"c": "x"}}}) == "x"
    assert label("a.b.c", {"a": {"b": "y"}}) is None


def test_common_rules_run_without_the_interpreter():
    for text in (
        "tags.Environment",
        "join('-', ['aws', region])",
        "contains(groups, 'web')",
        "match(name, '(a)', `1`)",
    ):
        assert compile_expression(text).direct is not None


def test_units_that_a_policy_names_are_looked_for_among_the_services_that_facts_list(tmp_path):
    write(tmp_path / "ringfence.yml", "")
    rule_text = "{from: any, to: {asset: db-1, process: {unit: postgres.service}}, allow: tcp/5432}"
    write(tmp_path / "policy/a.yml", f"rules:\n  - {rule_text}\n")
    estate = Snapshot((asset("db-1", "10.0.0.1", attributes=fact_attributes(FACTS)),), NOW)
    (problem,) = check_references(load(tmp_path).mentions, estate)
    assert problem.message == "no asset chosen here has a unit 'postgres.service'"
    assert problem.remedy == "did you mean 'postgresql.service'?"


def test_an_unknown_function_is_told_with_those_that_there_are():
    with pytest.raises(InputError) as caught:
        compile_expression("split(name, `-`)")
    assert caught.value.remedy is not None
    assert "match(name, '^([a-z]+)-', `1`)" in caught.value.remedy
    assert "starts_with" in caught.value.remedy
