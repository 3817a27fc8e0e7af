"""The ids of rules stay where a rule stays itself, and differ where rules differ."""

from pathlib import Path

from ringfence.language.rule_ids import _shortened

from tests.unit.language.policy_text import policy_of

A = "  - {name: a, from: any, to: any, allow: tcp/1}\n"
B = "  - {name: b, from: any, to: any, allow: tcp/2}\n"
NAMELESS = "  - {from: any, to: any, allow: tcp/3}\n"
OTHER = "  - {from: any, to: any, allow: tcp/4}\n"


def ids(directory: Path, *rules: str, head: str = "") -> list[str]:
    return [rule.id for rule in policy_of(directory, f"{head}rules:\n{''.join(rules)}").rules]


def test_an_id_is_eight_hex_digits(tmp_path: Path) -> None:
    (found,) = ids(tmp_path, A)
    assert len(found) == 8
    assert set(found) <= set("0123456789abcdef")


def test_ids_stay_when_rules_change_places(tmp_path: Path) -> None:
    a, b, nameless = ids(tmp_path, A, B, NAMELESS)
    assert ids(tmp_path, "# more\n\n", NAMELESS, OTHER, B, A)[0::2] == [nameless, b]
    assert ids(tmp_path, NAMELESS, B, A) == [nameless, b, a]


def test_a_named_rule_keeps_its_id_when_it_says_something_else(tmp_path: Path) -> None:
    assert ids(tmp_path, A) == ids(tmp_path, A.replace("tcp/1", "tcp/9"), head="tier: guardrail\n")


def test_rules_of_one_name_are_told_apart_by_what_they_say(tmp_path: Path) -> None:
    twin = A.replace("tcp/1", "tcp/9")
    first, second = ids(tmp_path, A, twin)
    assert first != second
    assert ids(tmp_path, twin, A) == [second, first]


def test_rules_that_say_the_same_are_numbered(tmp_path: Path) -> None:
    assert len(set(ids(tmp_path, NAMELESS, NAMELESS, NAMELESS, A, A))) == 5


def test_the_same_rule_in_another_file_has_another_id(tmp_path: Path) -> None:
    rules = policy_of(tmp_path, f"rules:\n{A}", f"rules:\n{A}").rules
    assert rules[0].id != rules[1].id


def test_equal_beginnings_of_digests_are_told_apart_whatever_the_order() -> None:
    twins = ["0" * 63 + "1", "0" * 63 + "2", "0" * 64]
    short = _shortened(twins)
    assert len(set(short.values())) == 3
    assert short == _shortened(reversed(twins))
