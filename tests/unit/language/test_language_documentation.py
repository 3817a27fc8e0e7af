"""The examples of docs/language.md are read without a fault, and its tables name every key there is."""

import re
from pathlib import Path

import pytest
from ringfence import workspace
from ringfence.language import shapes
from ringfence.language.checking import words_of
from ringfence.model.label_rules import RESERVED_WORDS
from ringfence.model.services import WELL_KNOWN

from tests.unit.language.policy_text import written

TEXT = (Path(__file__).parents[3] / "docs" / "language.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(# [^\n]*\n.*?)```", TEXT, re.DOTALL)
SHAPES = (
    shapes.PolicyDocument,
    shapes.RuleEntry,
    shapes.EnforceEntry,
    shapes.ModeEntry,
    shapes.TestEntry,
    shapes.InvariantEntry,
    shapes.SettingsDocument,
    shapes.ControlEntry,
    shapes.RealmEntry,
    shapes.IdentityEntry,
    shapes.TrustEntry,
    shapes.InventoryEntry,
    shapes.LabelRuleEntry,
)


def test_the_examples_make_one_workspace(tmp_path: Path) -> None:
    names = [example.splitlines()[0].removeprefix("# ") for example in EXAMPLES[1:]]
    assert {"ringfence.yml", "labels.yml", "policy/shop.yml"} < set(names)
    for name, example in zip(names, EXAMPLES[1:], strict=True):
        written(tmp_path, example, name)
    found = workspace.load(tmp_path)
    assert len(found.policy.rules) == 4
    assert len(found.policy.enforcement) == 3
    assert len(found.label_rules) == 3


@pytest.mark.parametrize("shape", SHAPES)
def test_every_key_is_told(shape: type[shapes.Written]) -> None:
    assert [key for key in words_of(shape) if f"`{key}`" not in TEXT and f"{key}:" not in TEXT] == []


def test_every_known_service_and_word_of_a_selector_is_told() -> None:
    assert [name for name in WELL_KNOWN if f"`{name}`" not in TEXT] == []
    assert [word for word in RESERVED_WORDS if not re.search(rf"\b{word}\b", TEXT)] == []
