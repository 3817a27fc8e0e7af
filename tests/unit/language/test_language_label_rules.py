"""`labels.yml`: label rules with their places, their JMESPath checked where it stands."""

from pathlib import Path

import pytest
from ringfence.language import load_label_rules
from ringfence.model.errors import InputErrors, Place
from ringfence.model.label_rules import LabelRule

from tests.unit.language.policy_text import written

SAMPLE = """\
    labels:
      - env: tags.Environment
        map: {production: prod, development: dev}
      - app: tags.Application || vm.folder
      - role: db
        when: "contains(not_null(listeners, `[]`)[].port, `5432`)"
      - loc: "join('-', ['aws', region])"
        priority: 7
    """


def rules_of(directory: Path, text: str) -> tuple[LabelRule, ...]:
    return load_label_rules(written(directory, text, "labels.yml"), directory)


def test_the_sample_of_the_workspace_is_read(tmp_path: Path) -> None:
    env, app, role, loc = rules_of(tmp_path, SAMPLE)
    assert env == LabelRule(
        "env",
        "tags.Environment",
        Place("labels.yml", 2, 5),
        values={"production": "prod", "development": "dev"},
    )
    assert app.expression == "tags.Application || vm.folder"
    assert role.when == "contains(not_null(listeners, `[]`)[].port, `5432`)"
    assert (loc.priority, env.priority) == (7, 100)


@pytest.mark.parametrize("word", ["db", "web-server", "_1"])
def test_a_bare_word_beside_when_is_that_word(word: str, tmp_path: Path) -> None:
    (rule,) = rules_of(tmp_path, f"labels:\n  - role: {word}\n    when: x\n")
    assert rule.expression == f"'{word}'"


def test_a_bare_word_alone_is_an_attribute(tmp_path: Path) -> None:
    assert rules_of(tmp_path, "labels:\n  - role: role\n")[0].expression == "role"


def test_a_workspace_without_the_file_has_no_label_rules(tmp_path: Path) -> None:
    assert load_label_rules(tmp_path / "labels.yml") == ()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("label: []\n", "labels.yml:1:1: 'label' is not a key of a file of label rules (did you mean 'labels'?)"),
        ("labels:\n  - env\n", "labels.yml:2:5: a label rule is a mapping, not the word 'env'"),
        ("labels:\n  - env: tags.\n", "labels.yml:2:10: this is not valid JMESPath: "),
        ("labels:\n  - env: x\n    when: 'foo('\n", "labels.yml:3:11: this is not valid JMESPath: "),
        (
            "labels:\n  - env: a\n    app: b\n",
            "labels.yml:3:5: a label rule gives one label, this one has 'env', 'app'",
        ),
        (
            "labels:\n  - env: a\n    whne: b\n",
            "labels.yml:3:5: a label rule gives one label, this one has 'env', 'whne' (did you mean 'when'?)",
        ),
        ("labels:\n  - priority: 3\n", "labels.yml:2:5: a label rule gives one label, this one has none"),
        (
            "labels:\n  - env: a\n    map: {x: true}\n",
            "labels.yml:3:14: 'x' is a word, not the truth value true (write \"true\": in quotes)",
        ),
        (
            "labels:\n  - env: a\n    map: {1: x, y: z}\n",
            'labels.yml:3:11: the key 1 is not a word (write "1": in quotes)',
        ),
        ("labels:\n  - env: a\n    map: {}\n", "labels.yml:3:10: 'map' is empty"),
        ("labels:\n  - env: a\n    priority: x\n", "labels.yml:3:15: 'priority' is a whole number, not the word 'x'"),
        ("labels:\n  - any: a\n", "labels.yml:2:5: 'any' is a word of the grammar and no label key"),
        ("labels:\n  - env: 7\n", "labels.yml:2:10: the value of 'env' is the number 7, not an expression"),
    ],
)
def test_a_fault_in_a_label_rule_is_told_with_its_place(text: str, fault: str, tmp_path: Path) -> None:
    with pytest.raises(InputErrors) as caught:
        rules_of(tmp_path, text)
    (error,) = caught.value.errors
    assert str(error).startswith(fault)
    assert error.remedy


def test_a_rule_says_that_it_trusts_what_hosts_say(tmp_path: Path) -> None:
    path = tmp_path / "labels.yml"
    path.write_text("labels:\n  - os: facts.distribution\n    trust: facts\n  - env: tags.Env\n")
    assert [rule.trusts_facts for rule in load_label_rules(path)] == [True, False]
    path.write_text("labels:\n  - os: facts.distribution\n    trust: hosts\n")
    with pytest.raises(InputErrors, match="facts"):
        load_label_rules(path)
