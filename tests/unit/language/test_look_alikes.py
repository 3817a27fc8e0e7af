"""What looks the same is the same where it only differs in its form, and is told apart where it differs in letters."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ringfence.compiler import compile_policy
from ringfence.language import check_references
from ringfence.language.look_alikes import looks_like, skeleton
from ringfence.language.mentions import AssetMention, LabelMention
from ringfence.model.assets import Asset, Label, Snapshot
from ringfence.model.errors import Place
from ringfence.model.label_texts import label_text
from ringfence.model.rules import Settings
from ringfence.model.selectors import LabelIn

from tests.unit.language.policy_text import errors_of, policy_of

HERE = Place("policy/shop.yml", 1, 1)
DECOMPOSED = unicodedata.normalize("NFD", "Zürich")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def estate(name: str, **labels: str) -> Snapshot:
    return Snapshot((Asset(name, (1,), {key: Label(value, "inventory") for key, value in labels.items()}),), NOW)


@pytest.mark.parametrize("written", ["Zürich", DECOMPOSED, "  Zürich", "Zürich\u00a0", DECOMPOSED + " "])
def test_a_label_value_is_the_same_however_it_is_composed(written: str, tmp_path: Path) -> None:
    (rule,) = policy_of(tmp_path, f'rules: [{{from: any, to: {{loc: "{written}"}}, allow: ssh}}]\n').rules
    assert rule.destinations[0].selector == LabelIn("loc", ("Zürich",))


def test_no_break_spaces_within_a_value_are_blanks() -> None:
    assert label_text("New\u00a0York") == label_text("New\u202fYork") == "New York"


@given(st.text())
def test_the_text_of_a_label_has_one_form(text: str) -> None:
    assert label_text(label_text(text)) == label_text(text)


def test_an_asset_is_found_by_its_name_however_it_is_composed(tmp_path: Path) -> None:
    snapshot = estate(f"{DECOMPOSED}-1")
    policy = policy_of(
        tmp_path,
        "rules: [{name: r, from: any, to: {asset: Zürich-1}, allow: ssh}]\nenforce: [{where: any, mode: full}]\n",
    )
    table = compile_policy(snapshot, policy, Settings()).tables[f"{DECOMPOSED}-1"]
    assert "r" in table.rule_names.values()
    assert check_references([AssetMention("Zürich-1", HERE)], snapshot) == ()


@pytest.mark.parametrize(
    ("word", "known", "points"),
    [
        ("w\u0435b", "web", "U+0435"),
        ("web\u200b", "web", "U+200B"),
        ("web", "web\u200b", "not U+200B"),
        ("\uff57eb", "web", "U+FF57"),
        ("fra\u20111", "fra-1", "U+2011"),
        ("\u0430\u0440\u0440", "app", "U+0430 U+0440"),
    ],
)
def test_words_that_look_the_same_are_told_with_their_code_points(word: str, known: str, points: str) -> None:
    (found,) = check_references([LabelMention("role", word, HERE)], estate("web-1", role=known))
    assert (
        found.remedy
        == f"did you mean '{known}'? It looks the same, but is written in other code points (here {points})"
    )


def test_a_name_that_looks_like_that_of_an_asset_is_told(tmp_path: Path) -> None:
    (found,) = check_references([AssetMention("w\u0435b-1", HERE)], estate("web-1"))
    assert "written in other code points (here U+0435)" in str(found.remedy)


def test_keys_that_look_like_others_are_told(tmp_path: Path) -> None:
    ((_, message, remedy),) = errors_of(tmp_path, "rules: [{from: any, to: {r\u043ele: web}, allow: ssh}]\n")
    assert "is not a valid label key" in message
    assert remedy == "did you mean 'role'? It looks the same, but is written in other code points (here U+043E)"
    errors = errors_of(tmp_path, "rules: [{fr\u043em: any, to: any, allow: ssh}]\n")
    assert [remedy for _, _, remedy in errors] == [
        "did you mean 'from'? It looks the same, but is written in other code points (here U+043E)"
    ]


@pytest.mark.parametrize(("one", "other"), [("web", "web"), ("web", "WEB"), ("web", "wab"), ("db", "bd")])
def test_other_words_do_not_look_the_same(one: str, other: str) -> None:
    assert not looks_like(one, other)


@given(st.text())
@example("\u0345")
def test_a_word_looks_like_its_skeleton_or_is_it(word: str) -> None:
    assert skeleton(skeleton(word)) == skeleton(word) or not word.isprintable()


MERGED = """
rules:
  - &common
    name: one
    from: {role: web}
    to: {role: db}
    allow: ssh
  - <<: *common
    name: two
"""


def test_a_merge_key_is_one_error_that_says_what_to_do(tmp_path: Path) -> None:
    ((place, message, remedy),) = errors_of(tmp_path, MERGED)
    assert (place, message) == ("policy/shop.yml:8:5", "YAML 1.2 has no merge keys")
    assert remedy == "write the keys out, or name what is shared under 'selectors', 'services' or 'lists'"


def test_merge_keys_of_several_mappings_and_in_selectors_are_told_once_each(tmp_path: Path) -> None:
    text = """
        selectors:
          base: &base {role: web}
          more: &more {env: prod}
        rules:
          - {from: {<<: [*base, *more], app: shop}, to: {<<: *base}, allow: ssh}
        """
    assert [message for _, message, _ in errors_of(tmp_path, text)] == ["YAML 1.2 has no merge keys"] * 2


@pytest.mark.parametrize(
    "text", ["rules:\n  -\u00a0name: x\n", "tier:\u00a0guardrail\n", "rules: [{from:\u202fany}]\n"]
)
def test_a_no_break_space_in_the_place_of_a_blank_is_named(text: str, tmp_path: Path) -> None:
    messages = [message for _, message, _ in errors_of(tmp_path, text)]
    assert any(message.startswith("a no-break space (U+") for message in messages)
