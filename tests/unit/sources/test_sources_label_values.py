"""Values of labels: trimmed and composed alike on every way, and what can be none costs one label of one host."""

from __future__ import annotations

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import (
    Candidate,
    good_candidates,
    good_labels,
)
from hypothesis import given
from hypothesis import strategies as st
from ringfence.model.label_texts import label_fault, label_text
from ringfence.model.problems import Severity
from ringfence.sources.labelling import apply_label_rules

from tests.unit.sources.asset_factory import asset, rule

TEXTS = st.text(
    st.sampled_from("a \t\n\xa0\u2007\u3000\u200b\u200e\ufeff\u202ee\u0301\xe9\x07\ud800\u2028") | st.characters()
)


def given_labels(attributes, *rules):
    (labelled,), problems = apply_label_rules([asset("h", attributes=attributes)], rules)
    return labelled.label_values(), problems


@given(TEXTS)
def test_to_read_a_text_twice_changes_nothing(text):
    once = label_text(text)
    assert label_text(once) == once


@given(TEXTS)
def test_a_text_without_a_fault_is_printable_and_not_empty(text):
    once = label_text(text)
    assert (label_fault(once) is None) == (once != "" and once.isprintable())


@pytest.mark.parametrize("written", ["prod ", "prod\xa0", "\u200bprod", "\ufeffprod\r\n", "\u200eprod"])
def test_a_rule_gives_the_label_that_people_see_and_asks_its_map_with_it(written):
    assert given_labels({"tags": {"Env": written}}, rule(2, "env", "tags.Env")) == ({"env": "prod"}, ())
    mapped = rule(2, "env", "tags.Env", values={"prod\xa0": "production "})
    assert given_labels({"tags": {"Env": written}}, mapped) == ({"env": "production"}, ())


def test_letters_with_their_accents_apart_give_the_same_label_as_composed_ones():
    assert given_labels({"site": "Ko\u0308ln"}, rule(2, "site", "site", values={"K\xf6ln": "cgn"}))[0] == {
        "site": "cgn"
    }


def test_a_tag_that_can_be_no_label_is_a_warning_with_rule_asset_and_reason():
    labels, (problem,) = given_labels({"tags": {"Env": "pr\u200bod"}}, rule(2, "env", "tags.Env"))
    assert (labels, problem.severity) == ({}, Severity.WARNING)
    assert str(problem).startswith(
        "labels.yml:2:5: the rule for 'env' gives asset 'h' a value with invisible characters (U+200B), 'pr\\u200bod'"
    )
    assert "not_null" not in str(problem)


def test_a_plug_in_tells_of_what_can_be_no_label_with_the_host_and_leaves_it_out():
    told: list[str] = []
    labels = {"team": "Team\xa0Nord ", "bad": "a\x07b", "pci": True, "no": None, "empty": "\xa0"}
    (host,) = good_candidates(
        ["web-1"], lambda name: Candidate(name, "1", {"ringfence_labels": good_labels(labels)}), str, told
    )
    assert host.variables["ringfence_labels"] == {"team": "Team Nord", "pci": "true"}
    assert told == ["labels left out, because they contain characters that cannot be printed: web-1: bad='a\\x07b'"]


@pytest.mark.parametrize(
    "expression",
    [
        "to_string(Tier)",
        "to_string(onprem.Tier)",
        "join('-', ['tier', to_string(Tier)])",
        "join('-', ['tier', Tier])",
        "join(',', map(&to_string(@), [Tier]))",
        "join(',', to_array(Tier))",
        "not_null(Tier, onprem.Tier)",
        "to_string(not_null(Tier))",
        "reverse(Tier)",
        "max([Tier])",
        "keys(Tier)[0]",
        "match(Tier, '.*')",
    ],
)
def test_nothing_never_becomes_the_label_null(expression):
    assert given_labels({"name": "h"}, rule(2, "tier", expression))[0] == {}


def test_a_number_becomes_a_label_where_it_is_there():
    assert given_labels({"Tier": 1}, rule(2, "tier", "to_string(Tier)")) == ({"tier": "1"}, ())


@pytest.mark.parametrize(
    ("attributes", "when", "said"),
    [
        ({"port": 5432}, "port == '5432'", "compares the text '5432' with the number 5432, as on asset 'h'"),
        ({"port": 5432}, "'5432' == port", "write it between backticks: `5432`"),
        ({"port": "5432"}, "port == `5432`", "compares the number 5432 with the text '5432'"),
        ({"port": "5432"}, "port == `5432`", "write it in single quotes: '5432'"),
        ({"up": True}, "up == 'true'", "compares the text 'true' with the truth value true"),
        ({"up": "true"}, "up == `true`", "compares the truth value true with the text 'true'"),
        ({"l": [{"port": 5432}]}, "l[?port == '5432']", "with the number 5432"),
        ({"ports": [22, 5432]}, "contains(ports, '5432')", "with the number 22"),
        ({"port": 22}, "port != '5432'", "the two are never equal"),
        ({"port": 22}, "port == '5432'", "write it between backticks: `5432`"),
        ({"rack": 7}, "rack == '007'", "write it between backticks: `7`"),
        ({"port": "22"}, "port == `5432`", "write it in single quotes: '5432'"),
        ({"up": False}, "up == 'true'", "write it between backticks: `true`"),
        ({"up": True}, "up == 'yes'", "compares the text 'yes' with the truth value true"),
        ({"up": True}, "up == 'off'", "write it between backticks: `false`"),
        ({"up": "no"}, "up == `true`", "write it in single quotes: 'yes'"),
    ],
)
def test_a_text_compared_with_a_number_is_warned_of_with_place_and_host(attributes, when, said):
    estate = [
        asset("g", attributes={"port": None}),
        asset("h", attributes=attributes),
        asset("i", attributes=attributes),
    ]
    _, problems = apply_label_rules(estate, [rule(2, "role", "'db'", when=when)])
    told = [str(problem) for problem in problems if "never equal" in problem.message]
    assert len(told) == 1
    assert told[0].startswith("labels.yml:2:5: the rule for 'role' compares ")
    assert said in told[0]


@pytest.mark.parametrize(
    ("attributes", "when"),
    [
        ({"port": "5432"}, "port == '5432'"),
        ({"port": 5432}, "port == `5432`"),
        ({"port": None}, "port == '5432'"),
        ({"port": 5432}, "port != 'n/a'"),
        ({"ports": [22, "5432"]}, "contains(ports, '5432')"),
        ({"ports": "22,5432"}, "contains(ports, '5432')"),
    ],
)
def test_comparisons_that_can_hold_are_not_warned_of(attributes, when):
    _, problems = given_labels(attributes, rule(2, "role", "'db'", when=when))
    assert not any("never equal" in problem.message for problem in problems)
