"""Whatever an inventory, a table or a rule holds: a value, or an error of ours, never another exception."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from ringfence.model.assets import Snapshot
from ringfence.model.errors import InputError
from ringfence.model.rules import Settings
from ringfence.sources.ansible_inventory import InventoryHost
from ringfence.sources.ansible_messages import first_error, warnings_of
from ringfence.sources.asset_search import find
from ringfence.sources.facts import fact_addresses, fact_attributes
from ringfence.sources.host_row import Columns
from ringfence.sources.host_table import read_host_table
from ringfence.sources.inventory import read_assets
from ringfence.sources.labelling import apply_label_rules
from ringfence.sources.snapshots import digest, read_snapshot

from tests.unit.sources.asset_factory import NOW, asset, rule, unhurried

TEXTS = st.text(max_size=6) | st.sampled_from(
    ["10.0.0.1", "::1", "10.0.0.0/8", "true", "{{ x }}", "from", "port", "role"]
)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
NAMES = ["addresses", "labels", "workload", "enforcer", "realm", "control", "sources", "label_groups", "label_values"]
VARIABLES = st.sampled_from([*(f"ringfence_{name}" for name in NAMES), "ansible_host", "ansible_port", "tags"])
FACTS = st.sampled_from(["all_ipv4_addresses", "all_ipv6_addresses", "interfaces", "docker0", "ansible_interfaces"])


def nowhere(names):
    return dict.fromkeys(names, ())


@unhurried
@given(st.dictionaries(VARIABLES, DATA, max_size=4), st.dictionaries(FACTS, DATA, max_size=3))
def test_any_variables_give_an_asset_or_errors_of_ours(variables, facts):
    fact_addresses(facts)
    fact_attributes(facts)
    with contextlib.suppress(InputError):
        assets = read_assets([InventoryHost("h", variables, ("g",))], Settings(), {"h": facts}, nowhere)
        assert digest(Snapshot(assets, NOW))


FRAGMENTS = [
    "a",
    "tags",
    ".",
    "[",
    "]",
    "[]",
    "[0]",
    "[?",
    "(",
    ")",
    "`",
    "`1`",
    "'x'",
    "||",
    "&&",
    "!",
    "==",
    "@",
    "*",
    ",",
]
FUNCTIONS = [
    "length",
    "join",
    "sort_by",
    "map",
    "&",
    "max",
    "to_number",
    "keys",
    "sum",
    "{",
    "}",
    ":",
    "[::0]",
    "contains",
]


@unhurried
@given(st.lists(st.sampled_from(FRAGMENTS + FUNCTIONS), max_size=8).map("".join), DATA)
def test_any_expression_gives_labels_or_errors_of_ours(expression, data):
    with contextlib.suppress(InputError):
        apply_label_rules([asset("h", attributes={"a": data, "tags": {"a": data}})], [rule(1, "x", expression)])


@unhurried
@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda text: f"name,addresses\n{text}".encode()))
def test_any_bytes_are_a_table_or_an_error_of_ours(tmp_path_factory, content):
    directory = tmp_path_factory.mktemp("table")
    for name in ("hosts.csv", "hosts.yml"):
        (directory / name).write_bytes(content)
        with contextlib.suppress(InputError):
            read_host_table(directory / name, name, Columns())
        with contextlib.suppress(InputError):
            read_snapshot(directory / name)


@unhurried
@given(st.text())
def test_any_words_of_ansible_and_of_people_are_taken(text):
    first_error(text, Path("/net"))
    warnings_of(f"[WARNING]: {text}", Path("/net"))
    find(Snapshot((asset("a", "10.0.0.1", labels={"role": "web"}),), NOW), text)
