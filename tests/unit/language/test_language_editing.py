"""Rules written back: everything else in the file stays, to the byte."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence.language import load_label_rules, load_policy
from ringfence.language.editing import add_label_rule, add_rule
from ringfence.model.errors import InputError
from ringfence.model.rules import Settings

from tests.unit.language.policy_text import written

FILE = """\
# The shop, kept by the shop's people.
scope: {app: shop}   # all of it

rules:
  # who comes in
  - name: web to api
    from: {role: web}          # the front
    to:
      role: api
    allow: [ tcp/8443,
             tcp/8444 ]

  - name: api to db   # kept for the audit
    from: {role: api}
    to: {role: db}
    allow: postgresql
  # the end of the rules

# nothing else is allowed
---
tier: guardrail
rules:
- {name: no, from: any, to: any, deny: tcp/23}
"""
NEW = {"name": "new one", "to": {"role": "cache", "pci": "true"}, "from": [{"role": ["web", "api"]}], "allow": "redis"}
LINES = '  - name: new one\n    from: [{role: [web, api]}]\n    to: {role: cache, pci: "true"}\n    allow: redis\n'


def test_a_new_rule_comes_after_the_last_one_in_its_layout(tmp_path: Path) -> None:
    path = written(tmp_path, FILE)
    assert add_rule(path, NEW) is False
    assert path.read_text() == FILE.replace("  # the end", f"\n{LINES}  # the end")


def test_a_rule_of_the_same_name_is_replaced(tmp_path: Path) -> None:
    path = written(tmp_path, FILE)
    assert add_rule(path, {**NEW, "name": "web to api"}) is True
    start, end = FILE.index("  - name: web to api"), FILE.index("\n  - name: api to db")
    assert path.read_text() == FILE[:start] + LINES.replace("new one", "web to api") + FILE[end:]


def test_the_document_can_be_chosen(tmp_path: Path) -> None:
    path = written(tmp_path, FILE)
    add_rule(path, {"name": "x", "from": "any", "to": "any", "deny": "any"}, document=1)
    assert path.read_text() == f"{FILE}- name: x\n  from: any\n  to: any\n  deny: any\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"rules:\n{LINES}"),
        ("# a comment", f"# a comment\nrules:\n{LINES}"),
        ("rules:\n", f"rules:\n{LINES}"),
        ("tier: guardrail\nrules: []  # none yet\n", f"tier: guardrail\nrules:  # none yet\n{LINES}"),
        ("rules: [\n]\n", None),
        ("enforce: []\n", f"enforce: []\n---\nrules:\n{LINES}"),
        ("rules:\n  - {from: any, to: any, deny: any}", f"rules:\n  - {{from: any, to: any, deny: any}}\n{LINES}"),
        ("rules:\r\n  - {from: any, to: any, deny: any}\r\n", None),
    ],
)
def test_a_file_without_rules_gets_them(before: str, after: str | None, tmp_path: Path) -> None:
    path = written(tmp_path, before)
    if before == "rules: [\n]\n":
        with pytest.raises(InputError, match="too unusual"):
            add_rule(path, NEW)
        assert path.read_text() == before
        return
    add_rule(path, NEW)
    expected = after if after is not None else before + LINES.replace("\n", "\r\n")
    assert path.read_bytes().decode() == expected


def test_a_file_that_is_not_there_is_made(tmp_path: Path) -> None:
    path = tmp_path / "policy" / "suggested.yml"
    add_rule(path, NEW)
    assert path.read_text() == f"rules:\n{LINES}"
    assert [entry.name for entry in path.parent.iterdir()] == ["suggested.yml"]


def test_permissions_stay(tmp_path: Path) -> None:
    path = written(tmp_path, FILE)
    path.chmod(0o640)
    add_rule(path, NEW)
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("text", "rule", "message"),
    [
        (FILE, {"name": "x", "form": "any"}, "'form' is not a key of a rule"),
        (FILE, {"name": "a\nb", "from": "any", "to": "any", "deny": "any"}, "a word with the character"),
        ("rules: [{name: a, from: any, to: any, deny: any}]\n", NEW, "written in one line"),
        ("rules: {\n", NEW, "this is not valid YAML"),
    ],
)
def test_what_cannot_be_written_leaves_the_file_alone(
    text: str, rule: dict[str, object], message: str, tmp_path: Path
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError, match=message):
        add_rule(path, rule)
    assert path.read_text() == text
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp"]), min_size=1, max_size=12)


@given(names=st.lists(words, min_size=1, max_size=5), values=st.lists(words, min_size=1, max_size=3))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rules_are_read_as_they_were_written(names: list[str], values: list[str], tmp_path: Path) -> None:
    path = written(tmp_path, FILE)
    for name in names:
        add_rule(path, {"name": name, "from": {"role": values}, "to": "any", "deny": "tcp/80"})
    head, _, tail = FILE.partition("  # the end")
    text = path.read_text()
    assert text.startswith(head)
    assert text.endswith(tail)
    found = {rule.name: rule for rule in load_policy([path], Settings(), tmp_path).rules}
    assert set(names) <= found.keys()


LABEL_RULE = {"priority": 300, "role": "db", "when": "contains(not_null(facts.ports, `[]`), 'tcp/5432')"}


LABEL_FILE = "# mine\nlabels:\n  # first\n  - env: tags.Env # why\n    priority: 7\n\n# end\n"


@pytest.mark.parametrize("text", ["", "labels: []\n", LABEL_FILE])
def test_a_label_rule_comes_last_and_all_else_stays(tmp_path, text):
    path = written(tmp_path, text, "labels.yml")
    before = load_label_rules(path)
    add_label_rule(path, LABEL_RULE)
    found = load_label_rules(path)
    assert [rule.expression for rule in found] == [*(rule.expression for rule in before), "'db'"]
    assert (found[-1].when, found[-1].priority) == (LABEL_RULE["when"], 300)
    written_lines = path.read_text().splitlines()
    assert [line for line in text.splitlines() if line != "labels: []" and line not in written_lines] == []
    assert next(line for line in written_lines if "role" in line).strip() == "- role: db"


@pytest.mark.parametrize("rule", [{}, {"when": "a"}, {"role": "a["}, {"role": "a", "app": "b"}, {"all": "a"}])
def test_what_is_no_label_rule_is_not_written(tmp_path, rule):
    path = tmp_path / "labels.yml"
    with pytest.raises(InputError):
        add_label_rule(path, rule)
    assert not path.exists()


def test_a_link_stays_one_and_the_file_that_it_leads_to_gets_the_rule(tmp_path: Path) -> None:
    (tmp_path / "shared.yml").write_text("labels:\n  - role: vm.role\n")
    (tmp_path / "labels.yml").symlink_to("shared.yml")
    add_label_rule(tmp_path / "labels.yml", LABEL_RULE)
    assert (tmp_path / "labels.yml").is_symlink()
    assert (tmp_path / "shared.yml").read_text().count("  - ") == 2
