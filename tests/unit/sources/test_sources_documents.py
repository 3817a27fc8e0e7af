"""What the documents show is what the program takes; what Ansible says is understood in the forms of both versions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ringfence.language import load_label_rules, load_settings
from ringfence.model.errors import Place
from ringfence.sources.ansible_messages import first_error, unparsed_sources, warnings_of
from ringfence.sources.labelling import apply_label_rules

from tests.unit.sources.asset_factory import asset, write

DOCS = Path(__file__).parents[3] / "docs"


def examples(document: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", (DOCS / document).read_text(encoding="utf-8"), re.DOTALL)


def test_the_label_rules_of_the_document_give_the_labels_it_tells_of(tmp_path):
    rules = load_label_rules(write(tmp_path / "labels.yml", examples("labels.md")[0]), tmp_path)
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


def test_names_networks_and_facts_give_the_labels_that_the_document_tells_of(tmp_path):
    _, example = examples("labels.md")
    rules = load_label_rules(write(tmp_path / "labels.yml", example), tmp_path)
    facts = {"distribution": "Debian", "distribution_major_version": "12", "domain": "fra.example"}
    attributes = {"name": "shop-web-03.fra.example", "addresses": ["10.9.1.1"], "facts": facts}
    estate = [
        asset("a", attributes=attributes),
        asset("b", attributes={"name": "crm-pg-1"}),
        asset("c", attributes={"name": "c", "facts": {"ports": ["tcp/5432"]}}),
    ]
    labelled, problems = apply_label_rules(estate, rules)
    assert [one.label_values() for one in labelled] == [
        {"app": "shop", "role": "web", "loc": "fra", "zone": "dmz", "os": "Debian-12", "domain": "fra.example"},
        {"app": "crm", "role": "db"},
        {"role": "db"},
    ]
    assert problems == ()


def test_the_settings_of_identity_in_the_document_are_read(tmp_path):
    (example,) = examples("identity.md")
    identity = load_settings(write(tmp_path / "ringfence.yml", example)).identity
    assert [key.name for key in identity.keys] == ["uuid", "serial", "mac", "fqdn"]
    assert identity.prefer == ("vsphere", "inventory/30-onprem.yml")


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


SILENT = """[WARNING]: Failed to parse inventory with 'auto' plugin: no route to host

Failed to parse inventory with 'auto' plugin.
Origin: <inventory plugin 'auto' with source '/net/inventory/20-my cloud.yml'>

[WARNING]: Failed to parse inventory with 'ini' plugin: something else
[WARNING]: Unable to parse /net/inventory/20-my cloud.yml as an inventory source
[WARNING]: Unable to parse /net/inventory/30-more.yml as an inventory source
"""
SILENT_OLD = """[WARNING]:  * Failed to parse /net/inventory/20-my cloud.yml with auto
plugin: no route to host
[WARNING]: Unable to parse /net/inventory/20-my cloud.yml as an inventory
source
[WARNING]: Unable to parse /net/inventory/30-
more.yml as an inventory source
"""


@pytest.mark.parametrize("stderr", [SILENT, SILENT_OLD])
def test_sources_that_gave_nothing_are_told_with_the_first_reason_in_the_words_of_both_versions(stderr):
    found = unparsed_sources(stderr, Path("/net"))
    assert list(found) == ["/net/inventory/20-mycloud.yml", "/net/inventory/30-more.yml"]
    assert found["/net/inventory/20-mycloud.yml"].endswith("no route to host")
    assert found["/net/inventory/30-more.yml"] == "it gave no reason"
