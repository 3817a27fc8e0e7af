"""The draft: kept at every change, undone, written; what changed underneath is told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.model.errors import InputError, InputErrors
from ringfence.operations import draft
from ringfence.operations.draft import AddRule, ChangeRule, RemoveRule, WriteText

from tests.unit.cli_shop import FILES, shop

SHOP, NEW = "policy/shop.yml", "policy/guardrails.yml"
DENY = {"name": "no telnet", "from": "any", "to": {"role": "db"}, "deny": "tcp/23"}


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return Estate(shop(tmp_path))


def stored(estate: Estate) -> Path:
    return estate.directory / ".ringfence/draft.json"


def text(estate: Estate, file: str = SHOP) -> str:
    return (estate.directory / file).read_bytes().decode()


def test_a_change_is_on_disk_and_in_no_file(estate: Estate) -> None:
    found = draft.change(estate, AddRule(SHOP, DENY, {"scope": {"app": "shop"}}))
    assert "+  - name: no telnet\n" in found.difference()
    assert text(estate) == FILES[SHOP]
    assert draft.show(Estate(estate.directory)).changes == found.changes
    assert stored(estate).stat().st_mode & 0o777 == 0o600


def test_written_and_undone_and_written_gives_the_original_bytes(estate: Estate) -> None:
    original = "\ufeff" + FILES[SHOP].replace("\n", "\r\n").removesuffix("\r\n")
    (estate.directory / SHOP).write_bytes(original.encode())
    draft.change(estate, AddRule(SHOP, DENY, {"scope": {"app": "shop"}}), AddRule(NEW, DENY, {"tier": "guardrail"}))
    assert draft.write(estate).written == (SHOP, NEW)
    assert "no telnet" in text(estate)
    assert text(estate).startswith("\ufeff")
    assert not draft.show(estate)
    draft.undo(estate)
    draft.write(estate)
    assert text(estate) == original
    assert not (estate.directory / NEW).exists()


def test_undo_and_redo_go_through_the_changes(estate: Estate) -> None:
    draft.change(estate, AddRule(SHOP, DENY, {"scope": {"app": "shop"}}))
    draft.change(estate, RemoveRule(*draft.rule_at(estate, draft.show(estate).edited, "web to api")))
    both = draft.show(estate).difference()
    draft.undo(estate)
    assert "web to api" not in draft.undo(estate).difference()
    assert not draft.show(estate)
    draft.redo(estate)
    assert draft.redo(estate).difference() == both
    with pytest.raises(InputError, match="nothing was undone"):
        draft.redo(estate)


def test_a_changed_rule_is_read_as_the_policy(estate: Estate) -> None:
    file, at = draft.rule_at(estate, draft.show(estate).edited, "web to api")
    found = draft.change(estate, ChangeRule(file, at, {**at.said, "allow": ["tcp/8443", "tcp/9000"]}))
    (rule,) = [one for one in draft.policy_of(estate, found.edited).rules if one.name == "web to api"]
    assert rule.services != estate.workspace.policy.rules[0].services
    assert rule.id == estate.workspace.policy.rules[0].id


def test_a_rule_of_another_file_stays_when_a_file_changes_underneath(estate: Estate) -> None:
    draft.change(estate, AddRule(SHOP, DENY, {"scope": {"app": "shop"}}))
    (estate.directory / SHOP).write_text("# by Kim\n" + FILES[SHOP])
    found = draft.show(estate)
    assert (found.edited.reloaded, found.edited.conflicts) == ((SHOP,), ())
    draft.write(estate)
    assert text(estate).startswith("# by Kim\n")
    assert "no telnet" in text(estate)


def test_a_conflict_names_the_file_and_the_rule_and_nothing_is_written(estate: Estate) -> None:
    file, at = draft.rule_at(estate, draft.show(estate).edited, "web to api")
    draft.change(estate, RemoveRule(file, at))
    now = FILES[SHOP].replace("tcp/8443", "tcp/8444")
    (estate.directory / SHOP).write_text(now)
    with pytest.raises(InputErrors, match="remove 'web to api': the rule 'web to api' says something else") as raised:
        draft.write(estate)
    (conflict,) = raised.value.errors
    assert str(conflict.place) == "policy/shop.yml:3:5"
    assert text(estate) == now
    assert draft.undo(estate).edited.conflicts == ()


def test_an_edited_text_and_what_somebody_else_edited_elsewhere_in_the_file_are_both_written(estate: Estate) -> None:
    before = FILES[SHOP]
    draft.change(estate, WriteText(SHOP, before.replace("tcp/8443", "tcp/1"), before))
    (estate.directory / SHOP).write_text("# by Kim\n" + before.replace("postgresql", "mysql"))
    assert draft.show(estate).edited.reloaded == (SHOP,)
    draft.write(estate)
    assert text(estate) == "# by Kim\n" + before.replace("postgresql", "mysql").replace("tcp/8443", "tcp/1")
    draft.undo(estate)
    draft.write(estate)
    assert text(estate) == "# by Kim\n" + before.replace("postgresql", "mysql")


def test_a_line_that_somebody_else_edited_too_is_named_with_both_texts_and_nothing_is_lost(estate: Estate) -> None:
    before, mine, now = (FILES[SHOP].replace("postgresql", one) for one in ("postgresql", "mysql", "redis"))
    draft.change(estate, WriteText(SHOP, mine, before))
    (estate.directory / SHOP).write_text(now)
    (conflict,) = draft.show(estate).edited.conflicts
    assert "somebody changed the rule 'api to database' meanwhile" in conflict.message
    assert "the draft has 'allow: mysql', the file now 'allow: redis'" in conflict.message
    with pytest.raises(InputErrors, match="meanwhile"):
        draft.write(estate)
    assert text(estate) == now
    (estate.directory / SHOP).write_text(before)
    assert draft.show(estate).edited.texts[SHOP] == (before, mine)


def test_a_writing_is_taken_back_out_of_a_file_that_somebody_edited_since(estate: Estate) -> None:
    draft.change(estate, AddRule(SHOP, DENY, {"scope": {"app": "shop"}}))
    draft.write(estate)
    (estate.directory / SHOP).write_text("# by Kim\n" + text(estate))
    draft.undo(estate)
    draft.write(estate)
    assert text(estate) == "# by Kim\n" + FILES[SHOP]


def test_a_writing_whose_lines_somebody_edited_since_is_not_taken_back(estate: Estate) -> None:
    draft.change(estate, AddRule(SHOP, DENY, {"scope": {"app": "shop"}}))
    draft.write(estate)
    (estate.directory / SHOP).write_text(text(estate).replace("no telnet", "never telnet"))
    with pytest.raises(InputErrors, match="never telnet") as raised:
        draft.undo(estate)
    assert "by git" in str(raised.value)
    assert draft.show(estate).changes == ()


def test_a_text_that_is_no_policy_is_kept_and_not_written(estate: Estate) -> None:
    draft.change(estate, WriteText(SHOP, "rules:\n  - {from: any, to: any, alow: tcp/1}\n", FILES[SHOP]))
    with pytest.raises(InputErrors, match=r"policy/shop.yml:2:\d+: 'alow' is not a key of a rule"):
        draft.write(estate)
    assert text(estate) == FILES[SHOP]


def test_definitions_that_change_are_read_everywhere(estate: Estate) -> None:
    (estate.directory / "policy/names.yml").write_text("services: {front: tcp/8443}\n")
    (estate.directory / SHOP).write_text(FILES[SHOP].replace("tcp/8443", "front", 1))
    found = draft.change(
        estate, WriteText("policy/names.yml", "services: {front: tcp/1}\n", "services: {front: tcp/8443}\n")
    )
    rule = next(one for one in draft.policy_of(estate, found.edited).rules if one.name == "web to api")
    assert rule.services.v4.intervals[0][0] % 65536 == 1


def test_a_change_that_cannot_be_applied_leaves_the_draft(estate: Estate) -> None:
    draft.change(estate, AddRule(SHOP, DENY, {"scope": {"app": "shop"}}))
    before = stored(estate).read_text()
    with pytest.raises(InputErrors, match="there is a rule 'no telnet' already"):
        draft.change(estate, AddRule(SHOP, DENY))
    assert stored(estate).read_text() == before


@pytest.mark.parametrize("file", ["ringfence.yml", "policy/../labels.yml", "/etc/x.yml", "policy/.x.yml", "policy/a"])
def test_only_policy_files_are_drafted_also_by_a_draft_that_came_with_the_repository(estate: Estate, file: str) -> None:
    with pytest.raises(InputError, match="is no policy file"):
        draft.change(estate, WriteText(file, "rules: []\n"))
    change = {"do": "write", "file": file, "text": "x", "before": None}
    stored(estate).parent.mkdir(exist_ok=True)
    stored(estate).write_text(json.dumps({"format": 1, "changes": [change], "undone": [], "base": {}, "written": None}))
    (damaged,) = draft.show(estate).damaged
    assert "is no policy file" in damaged.why
    assert not draft.show(estate)


def test_what_is_no_text_is_refused(estate: Estate) -> None:
    with pytest.raises(InputError, match="cannot be written as UTF-8"):
        draft.change(estate, WriteText(SHOP, "# \ud800\n", FILES[SHOP]))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "it is empty"),
        ('{"format": 1,\n"changes": [}', "draft-damaged-.*json:2:13: no JSON: Expecting value"),
        ("[]", "it holds no draft"),
        ("[" * 100_000, "no JSON"),
        ('{"format": 2}', "its format is 2, and this release reads 1"),
        ('{"format": 1, "changes": 3}', "'changes' is not what a draft has there"),
        ('{"format": 1, "changes": [], "undone": [{"do": "dance"}]}', "'undone' is not"),
        ('{"format": 1, "base": "\\ud800"}', "what is no text"),
    ],
)
def test_a_damaged_draft_is_kept_aside_with_its_place_and_reason_and_the_work_goes_on(
    estate: Estate, content: str, why: str
) -> None:
    stored(estate).parent.mkdir(exist_ok=True)
    stored(estate).write_text(content)
    found = draft.show(estate)
    assert found.changes == ()
    assert found.edited.draft.damaged in found.damaged
    assert re.search(why, found.damaged[0].words())
    draft.change(estate, AddRule(SHOP, DENY, {"scope": {"app": "shop"}}))
    draft.drop(estate)
    (kept,) = draft.show(estate).damaged
    assert (estate.directory / kept.file).read_text() == content
    assert draft.show(estate).edited.draft.damaged is None


def test_a_damaged_draft_stays_where_nothing_may_be_written(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(estate).parent.mkdir(exist_ok=True)
    stored(estate).write_text("{")
    monkeypatch.setattr("ringfence.files._refused", [True])
    (damaged,) = draft.show(estate).damaged
    assert damaged.place == ".ringfence/draft.json:1:2"
    assert stored(estate).read_text() == "{"


def test_only_the_draft_that_was_seen_is_taken_back_done_again_and_written(estate: Estate) -> None:
    draft.change(estate, AddRule(SHOP, DENY, {"scope": {"app": "shop"}}))
    seen = draft.show(estate).edited.draft.version
    draft.change(estate, AddRule(NEW, DENY, {"tier": "guardrail"}))
    for act in (draft.undo, draft.redo, draft.write):
        with pytest.raises(InputError, match=r"\(process \d+ of .*\) changed the draft meanwhile"):
            act(estate, seen)
    assert len(draft.show(estate).changes) == 2
    assert len(draft.undo(estate, draft.show(estate).edited.draft.version).changes) == 1


def test_where_one_file_cannot_be_written_none_is(estate: Estate) -> None:
    (estate.directory / "policy/aa").mkdir()
    draft.change(estate, AddRule(SHOP, DENY, {"scope": {"app": "shop"}}), AddRule("policy/aa/x.yml", DENY))
    (estate.directory / "policy/aa").rmdir()
    (estate.directory / "policy/aa").write_text("in the way")
    with pytest.raises(OSError, match="aa"):
        draft.write(estate)
    assert text(estate) == FILES[SHOP]
    assert len(draft.show(estate).changes) == 2


def test_nothing_to_write_is_said(estate: Estate) -> None:
    with pytest.raises(InputError, match="the draft changes nothing"):
        draft.write(estate)
    with pytest.raises(InputError, match="no change to undo"):
        draft.undo(estate)
