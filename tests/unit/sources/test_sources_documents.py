"""What the documents show is what the program takes; what Ansible says is understood in the forms of both versions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from asset_factory import asset, write
from ringfence.language import load_label_rules
from ringfence.model.errors import Place
from ringfence.sources.ansible_messages import first_error, warnings_of
from ringfence.sources.labelling import apply_label_rules

DOCS = Path(__file__).parents[3] / "docs"


def test_the_label_rules_of_the_document_give_the_labels_it_tells_of(tmp_path):
    (example,) = re.findall(r"```yaml\n(.*?)```", (DOCS / "labels.md").read_text(encoding="utf-8"), re.DOTALL)
    rules = load_label_rules(write(tmp_path / "labels.yml", example), tmp_path)
    estate = [
        asset("a", attributes={"tags": {"Environment": "production", "Application": "shop"}, "region": "eu-west-1"}),
        asset("b", attributes={"vm": {"folder": "crm"}, "listeners": [{"port": 5432}], "groups": ["webservers"]}),
        asset("c", attributes={"groups": ["webservers"], "tags": {"Environment": "qa"}}),
    ]
    labelled, problems = apply_label_rules(estate, rules)
    assert [one.label_values() for one in labelled] == [
        {"app": "shop", "env": "prod", "loc": "aws-eu-west-1"},
        {"app": "crm", "role": "db"},
        {"env": "qa", "role": "web"},
    ]
    assert labelled[1].labels["role"].rule == "labels.yml:6"
    assert problems == ()


NEW = """[WARNING]: Failed to parse inventory with 'auto' plugin: YAML parsing failed: no bracket.

Failed to parse inventory with 'auto' plugin.
Origin: /net/inventory/20-bad.yml:3:1

[ERROR]: Completely failed to parse inventory source /net/inventory
"""
OLD = """[WARNING]:  * Failed to parse /net/inventory/20-
bad.yml with auto plugin: We were unable to read either as JSON nor YAML: JSON:
Expecting value  Syntax Error while loading YAML.   no bracket. while parsing a
flow node  The error appears to be in '/net/inventory/20-bad.yml': line 3,
column 1, but may be elsewhere
ERROR! Completely failed to parse inventory source /net/inventory
"""


@pytest.mark.parametrize("stderr", [NEW, OLD])
def test_a_parse_failure_is_placed_in_the_words_of_both_versions(stderr):
    message, place = first_error(stderr, Path("/net"))
    assert place == Place("inventory/20-bad.yml", 3, 1)
    assert "no bracket" in message
    assert "Failed to parse" not in message


def test_equal_warnings_are_counted():
    slow, noise = "[WARNING]: slow\nand wrapped\n", "[WARNING]: Found variable using reserved name 'tags'.\n"
    stderr = slow + noise + slow
    (problem,) = warnings_of(stderr, Path("/net"))
    assert problem.message == "Ansible: slow and wrapped (2 times)"


def test_a_failure_without_words_is_still_told():
    assert first_error("", Path("/")) == ("", None)
    assert first_error("Traceback\nKeyError: 'x'\n", Path("/")) == ("KeyError: 'x'", None)
