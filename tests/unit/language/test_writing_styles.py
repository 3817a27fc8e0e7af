"""Comments live: whichever way of writing YAML a file has, an edit of a rule touches that rule's lines alone."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ringfence.language.rule_edits import RuleAt, added, changed, removed, rules_in
from ringfence.model.errors import InputError

from tests.examples import examples
from tests.unit.language.drawn_writing_styles import written_files
from tests.unit.language.test_rule_edits import FILE, NEW, assert_within, other_lines

drawn = settings(max_examples=examples(90), deadline=None)


def read(text: str) -> list[RuleAt]:
    """Return the rules of a text; a comment that the drawing put into a block of words makes it none."""
    try:
        return [one for one, _ in rules_in(text, FILE)]
    except InputError as error:
        assume("a word with the character" not in str(error))
        raise


def comments(lines: list[str]) -> list[str]:
    return [line.strip() for line in lines if line.lstrip().startswith("#")]


@drawn
@given(written_files(), st.sampled_from([{}, {"tier": "guardrail"}, {"tier": "baseline"}]))
def test_a_rule_is_added_to_any_and_removed_again(text: str, head: dict[str, object]) -> None:
    rules = read(text)
    after = added(text, FILE, NEW, head)
    assert [one.said for one in read(after) if one.said != NEW] == [one.said for one in rules]
    assert comments(other_lines(text, after)[0]) == comments(other_lines(text, after)[1])
    one = next(one for one in read(after) if one.said == NEW)
    if text.endswith("\n") and after.count("---") == text.count("---"):
        assert removed(after, FILE, one) == text


@drawn
@given(written_files(), st.sampled_from(["name", "from", "log", "action", "first"]), st.data())
def test_a_rule_of_any_is_changed_and_its_comments_stay(text: str, how: str, data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(read(text)))
    rule = dict(one.said)
    if how == "name":
        rule["name"] = "another name"
    elif how == "from":
        rule["from"] = {"role": ["other", "more"]}
    elif how == "log":
        rule.pop("log") if "log" in rule else rule.update(log=True)
    elif how == "action":
        action = next(key for key in ("allow", "deny", "pass") if key in rule)
        rule["deny" if action != "deny" else "allow"] = rule.pop(action)
    elif (first := next(iter(rule))) in ("name", "log"):
        del rule[first]
    after = changed(text, FILE, one, rule)
    assert [kept.said for kept in read(after)] == [rule if kept == one else kept.said for kept in read(text)]
    gone, come = other_lines(text, after)
    assert comments(gone) == comments(come)
    if "rules: [" not in text:
        assert_within(text, after, one)


@drawn
@given(written_files(), st.data())
def test_a_rule_of_any_is_removed_and_no_other_line(text: str, data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(read(text)))
    after = removed(text, FILE, one)
    assert [kept.said for kept in read(after)] == [kept.said for kept in read(text) if kept != one]
    if "rules: [" not in text:
        assert_within(text, after, one)


def test_lists_in_brackets_keep_what_stands_around_a_rule() -> None:
    one, two = (f"{{name: {name}, from: any, to: any, deny: tcp/{port}}}" for name, port in (("a", 1), ("b", 2)))
    text = f"rules: [ {one}, # first\n         {two} ]  # ours\n"
    first, second = read(text)
    new = "{name: new one, from: {role: web}, to: any, deny: [tcp/1, udp/2]}"
    assert added(text, FILE, NEW) == text.replace("tcp/2} ]", f"tcp/2}},\n         {new} ]")
    assert changed(text, FILE, first, {**first.said, "log": True}) == text.replace("tcp/1}", "tcp/1, log: true}")
    assert removed(text, FILE, second) == text.replace(two, "")
    ended = text.replace(" ]", ", ]")
    assert removed(ended, FILE, second) == ended.replace(f"{two},", "")
    assert removed(f"rules: [{one}]\n", FILE, first) == "rules: []\n"
