"""Labels in several spellings: a selector chooses one of them, so check says which hosts have the others."""

from __future__ import annotations

import pytest
from ringfence.model.rules import Settings
from ringfence.sources.checks import asset_problems

from tests.unit.sources.asset_factory import asset


def told(*labels: dict[str, str]) -> list[str]:
    hosts = [asset(f"h-{number}", f"10.0.0.{number}", labels=had) for number, had in enumerate(labels, 1)]
    return [problem.message for problem in asset_problems(hosts, Settings())]


def test_a_value_that_two_hosts_spell_in_other_cases_is_told_with_both_and_the_usual_one_first():
    (message,) = told({"env": "Prod"}, {"env": "prod"}, {"env": "prod"})
    assert message == (
        "the label 'env' has its value in several spellings, 'prod' ('h-2' and 1 more), 'Prod' ('h-1'): "
        "a selector that names one does not choose the others"
    )


def test_a_letter_of_another_script_is_told_by_its_code_point():
    (message,) = told({"env": "prod"}, {"env": "prоd"}, {"env": "prod"})
    assert "U+043E" in message


def test_a_key_that_two_hosts_spell_in_other_cases_is_told():
    (message,) = told({"env": "prod"}, {"Env": "prod"})
    assert message.startswith("the label in several spellings, 'Env' ('h-2'), 'env' ('h-1')")


@pytest.mark.parametrize("labels", [({"env": "prod"}, {"env": "production"}), ({"a": "WEB"}, {"b": "web"}), ({}, {})])
def test_other_values_and_values_of_other_keys_are_no_spellings_of_one(labels):
    assert told(*labels) == []
