"""Patterns of label rules end in time, whatever a source says, and find what Python's own search finds."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.model.problems import Severity
from ringfence.sources.labelling import apply_label_rules
from ringfence.sources.patterns import GivenUpError, _steps, search

from tests.unit.sources.asset_factory import asset, rule, unhurried

ENDLESS = ["^(a+)+$", "^(a|a)*$", "^(?:a*)*b", "(.*)*x$", "^(a?){40}a{40}$", r"(a+)\1+$", "a*a*a*a*a*a*a*b"]


@pytest.mark.parametrize("pattern", ENDLESS)
def test_a_pattern_that_backtracks_without_end_is_given_up(pattern):
    begun = time.monotonic()
    with pytest.raises(GivenUpError, match=re.escape(pattern)):
        search(re.compile(pattern), "a" * 5000 + "!")
    assert time.monotonic() - begun < 20


def test_one_hostile_tag_costs_one_label_and_not_the_answer_for_the_others():
    estate = [
        asset("good-1", attributes={"tags": {"App": "aaa"}}),
        asset("evil-1", attributes={"tags": {"App": "a" * 60 + "!"}}),
        asset("good-2", attributes={"tags": {"App": "aaaa"}}),
    ]
    labelled, (problem,) = apply_label_rules(estate, [rule(2, "app", "match(tags.App, '^((a+)+)$')")])
    assert [one.label_values() for one in labelled] == [{"app": "aaa"}, {}, {"app": "aaaa"}]
    assert problem.severity is Severity.WARNING
    assert str(problem).startswith(
        "labels.yml:2:5: the rule for 'app' gives asset 'evil-1' no value, for match() did not end in time with the "
        "pattern '^((a+)+)$'"
    )


def test_many_hostile_tags_do_not_add_up():
    estate = [asset(f"evil-{n}", attributes={"tags": {"App": "b" * (60 + n) + "!"}}) for n in range(40)]
    begun = time.monotonic()
    estate.append(asset("good-1", attributes={"tags": {"App": "bb"}}))
    labelled, (problem,) = apply_label_rules(estate, [rule(2, "app", "'x'", when="match(tags.App, '^(b+)+$')")])
    assert "asset 'evil-0' and 39 more" in problem.message
    assert labelled[-1].label_values() == {"app": "x"}
    assert time.monotonic() - begun < 30


@unhurried
@given(st.sampled_from(["(x)?(a+)+(?P<n>b)?", "^(?:(a)|b)*$", "(a|b){2,}", "((é|a)+)"]), st.text("abxé\n", max_size=90))
def test_a_process_of_its_own_finds_what_is_found_here(pattern, text):
    compiled = re.compile(pattern)
    found = compiled.search(text)
    wanted = None if found is None else ([found[0], *found.groups()], found.groupdict())
    assert search(compiled, text) == wanted


def test_usual_patterns_are_searched_here():
    for pattern in ("^([a-z]+)-", "^[a-z]+-(?P<role>[a-z]+)-", r"\.(fra|ber)\.", r"(\d+)$", r"\(x\)*"):
        assert _steps(pattern, 40) < 2_000_000
