"""A rule added, changed or removed touches its own lines: comments, order, layout and line ends of all else stay."""

from __future__ import annotations

from difflib import SequenceMatcher

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.language.rule_edits import RuleAt, added, changed, removed, rules_in
from ringfence.model.errors import InputError

from tests.examples import examples
from tests.unit.language.drawn_policy_files import policy_texts

FILE = "policy/shop.yml"
NEW = {"name": "new one", "from": {"role": "web"}, "to": "any", "deny": ["tcp/1", "udp/2"]}
TEXT = """\
# The shop
scope: {app: shop}
rules:
  # who comes in
  - name: web to api   # the front
    from: {role: web}  # they
    to:
      role: api
    # why these
    allow: [ tcp/8443,
             tcp/8444 ]

  - {name: api to db, from: {role: api}, to: {role: db}, allow: postgresql}  # kept
  # the end
"""


def at(text: str, name: str) -> RuleAt:
    return next(one for one, _ in rules_in(text, FILE) if one.said.get("name") == name)


def other_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """Return the lines that are gone and those that are new."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    gone: list[str] = []
    come: list[str] = []
    for how, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if how != "equal":
            gone += old[a:b]
            come += new[c:d]
    return gone, come


def test_a_changed_key_leaves_the_other_lines_and_their_comments() -> None:
    rule = {**at(TEXT, "web to api").said, "from": {"role": "edge"}}
    assert changed(TEXT, FILE, at(TEXT, "web to api"), rule) == TEXT.replace(
        "from: {role: web}  # they", "from: {role: edge}  # they"
    )


def test_another_action_stands_where_the_old_one_stood() -> None:
    rule = {key: value for key, value in at(TEXT, "web to api").said.items() if key != "allow"}
    after = changed(TEXT, FILE, at(TEXT, "web to api"), {**rule, "deny": "tcp/23", "log": True})
    assert after == TEXT.replace(
        "    allow: [ tcp/8443,\n             tcp/8444 ]\n", "    deny: tcp/23\n    log: true\n"
    )


def test_a_rule_in_one_line_stays_in_one_line() -> None:
    rule = {**at(TEXT, "api to db").said, "allow": "mysql"}
    after = changed(TEXT, FILE, at(TEXT, "api to db"), rule)
    assert "  - {name: api to db, from: {role: api}, to: {role: db}, allow: mysql}" in after


def test_a_removed_rule_takes_its_lines_and_the_line_that_parted_it() -> None:
    assert removed(TEXT, FILE, at(TEXT, "api to db")) == TEXT.replace(
        "\n  - {name: api to db, from: {role: api}, to: {role: db}, allow: postgresql}  # kept\n", ""
    )


def test_the_last_rule_leaves_an_empty_list_that_takes_one_again() -> None:
    text = "rules:  # ours\n  - {name: a, from: any, to: any, deny: tcp/23}\n# end\n"
    empty = removed(text, FILE, at(text, "a"))
    assert empty == "rules: []  # ours\n# end\n"
    assert [one.name for one, _ in rules_in(added(empty, FILE, NEW), FILE)] == ["new one"]


def test_a_rule_goes_into_the_document_of_its_head_or_into_a_new_one() -> None:
    text = added(TEXT, FILE, NEW, {"tier": "guardrail"})
    assert text.startswith(TEXT + "---\ntier: guardrail\nrules:\n  - name: new one\n")
    again = added(text, FILE, {**NEW, "name": "two"}, {"tier": "guardrail"})
    assert [(one.document, one.index) for one, _ in rules_in(again, FILE)][-2:] == [(1, 0), (1, 1)]


def test_a_rule_that_says_something_else_now_is_named() -> None:
    before = at(TEXT, "web to api")
    with pytest.raises(InputError, match="the rule 'web to api' says something else now") as raised:
        removed(TEXT.replace("role: api\n", "role: apis\n"), FILE, before)
    assert (raised.value.place and raised.value.place.line) == 5


def test_a_rule_that_moved_is_found() -> None:
    moved = TEXT.replace("rules:\n", "rules:\n  - {name: first, from: any, to: any, deny: tcp/1}\n")
    assert at(removed(moved, FILE, at(TEXT, "api to db")), "first")


def test_a_rule_that_others_use_a_part_of_is_not_removed() -> None:
    text = "rules:\n  - {name: a, from: &x any, to: any, deny: tcp/1}\n  - {name: b, from: *x, to: any, deny: tcp/2}\n"
    with pytest.raises(InputError, match="too unusual"):
        removed(text, FILE, at(text, "a"))


drawn = settings(max_examples=examples(90), deadline=None)


@drawn
@given(policy_texts(), st.data())
def test_an_added_rule_is_all_that_differs_and_removed_again_nothing_does(text: str, data: st.DataObject) -> None:
    number = data.draw(st.sampled_from([{}, {"tier": "guardrail"}, {"tier": "baseline"}]))
    after = added(text, FILE, NEW, number)
    gone, come = other_lines(text, after)
    assert {line.rstrip("\r\n") for line in gone} <= {line.rstrip("\r\n") for line in come}  # the last line got its end
    told = ("name: new one", "from: {role: web}", "to: any", "deny: [tcp/1, udp/2]", "---", "rules:", "tier: ")
    assert all(
        not line.strip() or any(word in line for word in told) or line.rstrip("\r\n") in gone for line in come[-9:]
    )
    if text.endswith("\n") and number != {"tier": "baseline"} and after.count("---") == text.count("---"):
        assert removed(after, FILE, at(after, "new one")) == text


@drawn
@given(policy_texts(), st.data())
def test_a_changed_rule_is_all_that_differs(text: str, data: st.DataObject) -> None:
    one, _ = data.draw(st.sampled_from(rules_in(text, FILE)))
    rule = dict(one.said)
    action = next(key for key in ("allow", "deny", "pass") if key in rule)
    how = data.draw(st.sampled_from(["from", "action", "log", "name"]))
    if how == "from":
        rule["from"] = {"role": ["other", "more"]}
    elif how == "action":
        rule["deny" if action != "deny" else "allow"] = rule.pop(action)
    elif how == "log":
        rule.pop("log") if "log" in rule else rule.update(log=True)
    else:
        rule["name"] = "another name"
    after = tried(lambda: changed(text, FILE, one, rule), text)
    if after is None:
        return
    assert [kept.said for kept, _ in rules_in(after, FILE)] == [
        rule if kept == one else kept.said for kept, _ in rules_in(text, FILE)
    ]
    assert_within(text, after, one)


@drawn
@given(policy_texts(), st.data())
def test_a_removed_rule_is_all_that_differs(text: str, data: st.DataObject) -> None:
    one, _ = data.draw(st.sampled_from(rules_in(text, FILE)))
    after = tried(lambda: removed(text, FILE, one), text)
    if after is None:
        return
    assert [kept.said for kept, _ in rules_in(after, FILE)] == [
        kept.said for kept, _ in rules_in(text, FILE) if kept != one
    ]
    assert_within(text, after, one)


def tried(edit: object, text: str) -> str | None:
    """Return what an edit gives; it may refuse a rule with an anchor, and nothing else."""
    try:
        return edit()  # type: ignore[operator, no-any-return]  # a function without arguments
    except InputError:
        assert "&them" in text
        return None


def assert_within(before: str, after: str, one: RuleAt) -> None:
    """Assert that all lines outside of a rule's own stand as they stood, byte for byte."""
    places = [(place.line, other) for other, place in rules_in(before, FILE)]
    line = next(number for number, other in places if other == one)
    following = min((number for number, _ in places if number > line), default=10**6)
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    same_start = next((n for n, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), len(new))
    same_end = next(
        (n for n, pair in enumerate(zip(old[::-1], new[::-1], strict=False)) if pair[0] != pair[1]), len(new)
    )
    # a dash may stand lines above its mapping, with comments between; an emptied list is told where it begins
    head = line - 1
    while head and not old[head].lstrip().startswith("-"):
        head -= 1
    emptied = any("rules: []" in text for text in new)
    assert same_start >= head - 1 or emptied
    assert len(old) - same_end < following
