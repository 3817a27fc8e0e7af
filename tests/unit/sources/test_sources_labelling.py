"""Label rules: who wins, who contradicts, what fails and how that is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.model.errors import InputErrors
from ringfence.model.problems import Severity
from ringfence.sources.labelling import apply_label_rules

from tests.unit.sources.asset_factory import asset, rule, unhurried

TAGGED = asset(
    "web-1", attributes={"name": "web-1", "tags": {"Environment": "production", "Size": 3}, "groups": ["linux"]}
)


def labels(assets, rules):
    labelled, problems = apply_label_rules(assets, rules)
    return [one.label_values() for one in labelled], problems


def test_a_value_is_mapped_and_one_that_the_map_lacks_stays_as_it_is():
    other = asset("web-2", attributes={"tags": {"Environment": "staging"}})
    found, problems = labels([TAGGED, other], [rule(2, "env", "tags.Environment", values={"production": "prod"})])
    assert found == [{"env": "prod"}, {"env": "staging"}]
    assert problems == ()


def test_every_label_knows_the_line_of_its_rule():
    (labelled,), _ = apply_label_rules([TAGGED], [rule(3, "env", "tags.Environment")])
    assert labelled.labels["env"].rule == "labels.yml:3"


def test_the_smaller_priority_wins_whatever_the_order():
    rules = [rule(2, "role", "'late'", priority=200), rule(3, "role", "'first'", priority=10), rule(4, "role", "'mid'")]
    found, problems = labels([TAGGED], rules)
    assert found == [{"role": "first"}]
    assert [(str(p.place), p.severity) for p in problems] == [
        ("labels.yml:2:5", Severity.WARNING),
        ("labels.yml:4:5", Severity.WARNING),
    ]
    assert "never wins: where it matches, as on 'web-1', labels.yml:3 comes first" in problems[0].message


def test_labels_of_the_inventory_win_over_every_rule():
    labelled, problems = apply_label_rules(
        [asset("db-1", labels={"role": "db"})], [rule(2, "role", "'web'", priority=1)]
    )
    assert labelled[0].label_values() == {"role": "db"}
    assert labelled[0].labels["role"].rule == "inventory"
    assert "the inventory comes first" in problems[0].message


def test_two_values_of_equal_priority_are_an_error_that_names_both_places_and_counts_assets():
    estate = [TAGGED, asset("web-2", attributes={"name": "web-2", "tags": {"Environment": "dev"}})]
    found, problems = labels(estate, [rule(2, "env", "tags.Environment"), rule(7, "env", "'qa'")])
    assert found == [{"env": "production"}, {"env": "dev"}]
    (problem,) = problems
    assert problem.severity is Severity.ERROR
    assert str(problem).startswith(
        "labels.yml:2:5: asset 'web-1' and 1 more gets two values for 'env': "
        "'production' here and 'qa' from labels.yml:7"
    )
    assert problem.remedy is not None


def test_two_rules_of_equal_priority_may_agree():
    found, problems = labels([TAGGED], [rule(2, "env", "'prod'"), rule(3, "env", "'prod'")])
    assert found == [{"env": "prod"}]
    assert problems == ()


def test_equal_priorities_behind_a_smaller_one_contradict_nothing():
    rules = [rule(2, "env", "'prod'", priority=1), rule(3, "env", "'dev'"), rule(4, "env", "'qa'")]
    _, problems = labels([TAGGED], rules)
    assert {problem.severity for problem in problems} == {Severity.WARNING}


@pytest.mark.parametrize(
    "expression", ["tags.Missing", "starts_with(vm.name, 'x')", "join('-', ['aws', region])", "length(nothing)", "''"]
)
def test_a_null_or_an_empty_text_where_a_value_was_expected_is_no_match(expression):
    found, problems = labels([TAGGED], [rule(2, "x", expression)])
    assert found == [{}]
    assert [problem.severity for problem in problems] == [Severity.WARNING]
    assert "matches none of 1 assets" in problems[0].message


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("tags.Size", "gives a number, 3, and labels are text"),
        ("groups", "gives a list, ['linux'], and labels are text"),
        ("tags.Environment == 'production'", "gives a boolean, True, and labels are text"),
        ("tags", "gives a mapping"),
        ("&tags", "gives an expression"),
        ("starts_with(tags.Size, 'x')", "starts_with() wants string and met 3"),
        ("join('-', [tags.Environment, tags.Size])", "join() wants array-string and met 3"),
    ],
)
def test_any_other_type_is_an_error_with_its_place_and_the_asset(expression, said):
    found, problems = labels([TAGGED], [rule(9, "x", expression)])
    assert found == [{}]
    (problem,) = problems
    assert problem.severity is Severity.ERROR
    assert str(problem).startswith("labels.yml:9:5: the rule for 'x' fails on asset 'web-1': ")
    assert said in problem.message
    assert problem.remedy


def test_a_condition_gates_a_constant():
    rules = [rule(2, "role", "'db'", when="contains(not_null(listeners, `[]`)[].port, `5432`)")]
    estate = [TAGGED, asset("db-1", attributes={"listeners": [{"port": 22}, {"port": 5432}]})]
    assert labels(estate, rules)[0] == [{}, {"role": "db"}]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", "cannot be empty"),
        ("tags.", "it ends too early"),
        ("tags.[", "it ends too early"),
        ("eu-west", "Unknown token '-' at character 3"),
        ("upper(name)", "there is no function upper()"),
        ("starts_with(name)", "starts_with() takes 2 arguments, not 1"),
        ("join('-')", "join() takes 2 arguments, not 1"),
        ("'open", "'open"),
        ("a[" * 3000, "JMESPath expression"),
    ],
)
def test_an_expression_that_cannot_be_compiled_is_a_placed_error(expression, said):
    with pytest.raises(InputErrors) as caught:
        apply_label_rules([TAGGED], [rule(4, "x", expression), rule(5, "y", "'fine'")])
    (error,) = caught.value.errors
    assert str(error.place) == "labels.yml:4:5"
    assert said in error.message


def test_no_rule_is_called_unreachable_where_there_are_no_assets():
    assert apply_label_rules([], [rule(2, "x", "tags.X")]) == ((), ())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.floats(0, 2) | st.sampled_from(["", "a", "b", "1"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)
EXPRESSIONS = [
    "a",
    "a.b",
    "a || b",
    "to_string(a)",
    "a[0]",
    "a[?b].c | [0]",
    "@.a",
    "type(a)",
    "[a, b][1]",
    "a == b && c",
]


@unhurried
@given(st.lists(st.dictionaries(st.sampled_from("abc"), VALUES), max_size=6), st.sampled_from(EXPRESSIONS))
def test_remembering_outcomes_never_changes_them(attributes, expression):
    estate = [asset(f"h{number}", attributes=one) for number, one in enumerate(attributes)]
    together, _ = labels(estate, [rule(2, "x", expression)])
    alone = [labels([one], [rule(2, "x", expression)])[0][0] for one in estate]
    assert together == alone


def telling(name: str, **facts: object):
    return asset(name, attributes={"groups": ["web"], "facts": facts, "told_by_host": {"facts": name}})


def test_a_rule_that_fails_by_what_one_host_says_of_itself_stops_no_other():
    rules = [rule(2, "tags", "join('-', facts.tags)")]
    found, (problem,) = labels([telling("evil", tags=5), telling("web-2", tags=["a", "b"])], rules)
    assert found == [{}, {"tags": "a-b"}]
    assert problem.severity is Severity.WARNING
    assert problem.message.endswith("met 5, which the host says of itself: it gives no label there")


def test_a_rule_that_fails_without_a_hosts_word_too_is_an_error():
    _, (problem,) = labels([telling("web-1", tags=5)], [rule(2, "x", "groups")])
    assert problem.severity is Severity.ERROR
    assert "says of itself" not in problem.message


@pytest.mark.parametrize("order", [(2, 3), (3, 2)], ids=["the fact later", "the fact first"])
def test_a_host_that_contradicts_a_rule_by_its_own_word_keeps_the_label_that_it_has_without(order):
    rules = [
        rule(order[0], "role", "'web'", when="contains(groups, 'web')"),
        rule(order[1], "role", "facts.role"),
    ]
    found, (problem,) = labels([telling("evil", role="db"), telling("web-2", role="web")], rules)
    assert found == [{"role": "web"}, {"role": "web"}]
    assert problem.severity is Severity.WARNING
    assert "by what the host says of itself: that does not count there" in problem.message
