"""Whatever stands in a file, reading it gives values or placed errors, and drops nothing silently."""

import string
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from ringfence import workspace
from ringfence.language import load_label_rules, load_policy, load_settings
from ringfence.language.documents import parse_documents
from ringfence.language.nodes import plain
from ringfence.language.reports import Reports
from ringfence.language.writing import flow_text, scalar_text
from ringfence.model.errors import InputErrors
from ringfence.model.rules import Settings

from tests.examples import examples

WORDS = [
    *("rules", "tests", "enforce", "invariants", "scope", "tier", "priority", "selectors", "services", "lists", "from"),
    *("to", "allow", "deny", "pass", "at", "log", "name", "process", "unit", "user", "program", "service", "expect"),
    *("where", "mode", "cut", "inbound", "outbound", "all", "any", "not", "exists", "asset", "cidr", "except", "list"),
    *("fqdn", "unknown", "internet", "selector", "none", "control", "port", "realms", "sees", "private", "tiers"),
    *("waves", "valid_days", "labels", "map", "when", "role", "web", "env", "observe", "full", "both", "true", "null"),
    *("7", "-1", "1.5", "10.0.0.0/8", "10.0.0.1/8", "tcp/80", "tcp/90-80", "icmp", "ip/47", "a.service", "default"),
    *("emergency", "<<", "~", "api.example.org"),
]
MARKS = [*":-[]{},&*!|>'\"%@`#?", "---", "...", "\n", "\n  ", "\n    ", "\t", " ", "&a", "*a"]
FEW = settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])

scraps = st.lists(st.sampled_from([*WORDS, *MARKS]) | st.text(max_size=3), max_size=60).map(" ".join)


def texts() -> SearchStrategy[str]:
    """Well-formed YAML of the grammar's words in any order, and scraps that mostly are none."""
    words = st.sampled_from(WORDS) | st.text(string.printable, max_size=5)
    leaves = words | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False)
    trees = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4))
    return scraps | trees.map(flow_text)


def rules() -> SearchStrategy[str]:
    """Documents whose lists hold entries that are almost right, so that the readers behind the forms are reached."""
    selectors = st.recursive(
        st.sampled_from(["any", "unknown", "internet", "nobody", {"role": "web"}, {"role": ["a", 7]}, {}, [], None])
        | st.sampled_from([{"cidr": "10.0.0.0/8"}, {"cidr": ["x"]}, {"list": "l"}, {"fqdn": "a.b"}, {"selector": "s"}]),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(["all", "any", "not", "role", "process", "scope", "asset"]), inner, max_size=3
            )
        ),
        max_leaves=5,
    )
    services = st.sampled_from(["any", "tcp/80", "ping", "nothing", 80, [], ["s"], {}, None, ["tcp", "icmp"]])
    rule = st.fixed_dictionaries(
        {},
        optional={
            "from": selectors,
            "to": selectors,
            "allow": services,
            "deny": services,
            "at": st.sampled_from(["from", "x"]),
            "priority": st.sampled_from([1, "x", None, 10**30]),
        },
    )
    entry = st.fixed_dictionaries(
        {},
        optional={
            "where": selectors,
            "mode": st.sampled_from(["full", {"inbound": "full"}, {}, None]),
            "from": selectors,
            "service": services,
            "expect": st.sampled_from(["deny", 1]),
        },
    )
    document = st.fixed_dictionaries(
        {},
        optional={
            "scope": selectors,
            "rules": st.lists(rule, max_size=3),
            **{key: st.lists(entry, max_size=2) for key in ("enforce", "tests", "invariants")},
            "selectors": st.dictionaries(st.just("s"), selectors, max_size=1),
            "services": st.dictionaries(st.just("s"), services, max_size=1),
            "lists": st.dictionaries(st.just("l"), services, max_size=1),
        },
    )
    return document.map(flow_text)


def written_count(text: str) -> int:
    """Return how many rules, modes, tests and invariants a text holds."""
    documents = [plain(node) for node in parse_documents(text, "x", Reports())]
    keys = ("rules", "enforce", "tests", "invariants")
    return sum(len(document.get(key) or []) for document in documents if isinstance(document, dict) for key in keys)


def check_policy(text: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "x.yml"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        try:
            policy = load_policy([path], Settings(), Path(directory))
        except InputErrors as caught:
            check_errors(caught)
        else:
            read = (*policy.rules, *policy.enforcement, *policy.tests, *policy.invariants)
            assert len(read) == written_count(text)


def check_errors(caught: InputErrors) -> None:
    assert caught.errors
    places = [error.place for error in caught.errors]
    assert places == sorted(places, key=lambda place: (place.file, place.line, place.column) if place else ("", 0, 0))
    for error in caught.errors:
        assert error.message
        assert error.place is not None


@given(scraps)
@example("? [a]\n: b\n")
@example("- - - \n -")
@example("%YAML 9.9\n---\n")
@example("%TAG ! tag:x\n--- !a b")
@example("rules: &a [*a]")
@example("!!binary x")
@example("'\\U0011ffff'")
@example('"\\U0011ffff"')
@example('"\\ud800"')
@example("rules:\n  - from: {role: \x85}\n")
@FEW
def test_scraps_give_placed_errors_or_a_policy(text: str) -> None:
    check_policy(text)


@given(texts())
@FEW
def test_words_in_any_order_give_placed_errors_or_a_policy(text: str) -> None:
    check_policy(text)


@given(rules())
@FEW
def test_nothing_is_dropped_silently_from_almost_good_files(text: str) -> None:
    check_policy(text)


@given(st.binary(max_size=200))
@FEW
def test_bytes_give_placed_errors_or_a_workspace(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "policy").mkdir()
        for name in ("ringfence.yml", "labels.yml", "policy/x.yml"):
            (root / name).write_bytes(content)
        try:
            workspace.load(root)
        except InputErrors as caught:
            check_errors(caught)


@pytest.mark.parametrize("load", [load_settings, load_label_rules])
@given(text=texts())
@FEW
def test_settings_and_label_rules_give_placed_errors_or_values(load: object, text: str) -> None:
    assert callable(load)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "x.yml"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        try:
            load(path)
        except InputErrors as caught:
            check_errors(caught)


@given(st.text())
def test_a_word_is_read_as_it_was_written(word: str) -> None:
    reports = Reports()
    (node,) = parse_documents(f"x: {scalar_text(word)}", "x", reports)
    assert len(reports) == 0
    assert plain(node) == {"x": word}


@pytest.mark.parametrize("key", ["invariants", "tests", "rules", "enforce"])
def test_an_unknown_key_without_a_value_is_an_error_and_drops_nothing_silently(key: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_text(
        f"{key}:\n  - {{from: any, to: any, deny: any, expect: deny, service: any, where: any, colour: }}\n"
    )

    with pytest.raises(InputErrors) as caught:
        load_policy([path], Settings(), tmp_path)

    assert any("'colour' is not a key" in str(error) for error in caught.value.errors)
