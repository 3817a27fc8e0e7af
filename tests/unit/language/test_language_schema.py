"""The published schemas are current, and say of good and broken files what the reader says."""

import json
from pathlib import Path
from textwrap import dedent

import pytest
from ringfence.language.schema import json_schema, schema_text
from ruamel.yaml import YAML

from tests.unit.language.test_language_broken_files import BROKEN
from tests.unit.language.test_language_policies import SHOP

jsonschema = pytest.importorskip("jsonschema", reason="needs jsonschema to hold files against the schemas")
PUBLISHED = Path(__file__).parents[3] / "docs" / "schema"
# What only the reader knows: names, places, numbers inside words, and what YAML itself forbids.
BEYOND = {
    "a key that stands twice",
    "a tab for indentation",
    "a bracket that nobody closes",
    "an unknown service",
    "a misspelt protocol",
    "a range of ports that runs backwards",
    "a port too large",
    "an unknown tier",
    "an unknown list",
    "an unknown selector",
    "host bits in a network",
    "no network at all",
    "a DNS name under not",
    "a user who listens",
    "a unit without its type",
    "a shell command for a unit",
    "a process of two systems",
    "a listener for what nobody listens to",
    "a scope of addresses",
    "a scope for nothing",
    "a DNS name that connects",
    "a DNS name with a wildcard",
    "a workload mode for addresses outside",
    "a definition by itself",
    "a service defined by itself",
    "a service named like a protocol",
    "a tag",
    "an alias without its anchor",
    "a line break in a name",
    "a terminal's escape in a label",
    "a number for a key",
}


def faults(name: str, text: str) -> list[str]:
    """Return what the schema says against a text's documents."""
    validator = jsonschema.Draft202012Validator(json_schema()[name])
    documents = YAML(typ="safe", pure=True).load_all(text)
    return [error.message for document in documents for error in validator.iter_errors(document)]


@pytest.mark.parametrize("name", ["policy.json", "ringfence.json", "labels.json"])
def test_the_published_schema_is_current(name: str) -> None:
    published = json.loads((PUBLISHED / name).read_text())
    assert published == json_schema()[name], "write it anew: ringfence schema --output docs/schema"
    assert (PUBLISHED / name).read_text() == schema_text(published)
    jsonschema.Draft202012Validator.check_schema(published)


def test_the_schema_takes_the_sample_of_the_workspace() -> None:
    assert faults("policy.json", dedent(SHOP)) == []


@pytest.mark.parametrize("kind", sorted(BROKEN.keys() - BEYOND))
def test_the_schema_refuses_what_the_reader_refuses(kind: str) -> None:
    assert faults("policy.json", BROKEN[kind][0])


@pytest.mark.parametrize(
    ("name", "good", "broken"),
    [
        ("ringfence.json", "control: {from: 10.0.0.0/8}\nrealms: {a: , b: {sees: [a]}}\n", "control: {port: 22}\n"),
        ("labels.json", "labels: [{role: db, when: x, map: {a: b}}]\n", "labels: [{role: 7}]\n"),
    ],
)
def test_the_other_schemas_tell_good_from_broken(name: str, good: str, broken: str) -> None:
    assert faults(name, good) == []
    assert faults(name, broken)
