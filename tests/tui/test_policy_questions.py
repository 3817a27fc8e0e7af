"""What the Policy screen asks: files with the draft in them, what rules do, live errors, completion."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ringfence.model.errors import InputError
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.screens.map.drafting import undo, write
from ringfence_tui.screens.policy.completing import completions
from ringfence_tui.screens.policy.model import Change, PolicyView, RuleRow, Words, check_rows, file_rows, items, marks
from ringfence_tui.screens.policy.questions import drop, effect, faults, files, keep, use, words
from ringfence_tui.screens.policy.requests import DropRequest, TextRequest
from ringfence_tui.spans import plain

from tests.tui.map_estate import POLICY, drawn
from tests.unit.cli.test_cli_broken_files import sparse
from tests.unit.cli_shop import NOW, data

TELL = Tell(lambda _part: None)
SHOP = "policy/shop.yml"
BROKEN = POLICY.replace("    to: {role: api}", "    too: {role: api}")


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EngineSession:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)
    return EngineSession(drawn(tmp_path))


def rules(view: PolicyView) -> dict[str, RuleRow]:
    return {one.name: one for one in items(view) if isinstance(one, RuleRow)}


def test_every_rule_has_its_line_ends_services_and_id(session: EngineSession) -> None:
    view = files(session, None, TELL)
    assert [one.file for one in view.files] == ["policy/guardrails.yml", SHOP, "policy/tests/shop.yml"]
    found = rules(view)["web to api"]
    assert (found.line, found.ends, found.services, found.action) == (3, "web → api", "tcp/8443", "allow")
    assert len(found.rule_id) == 8
    assert not view.faults


def test_uses_are_the_flows_that_simulate_counts(session: EngineSession) -> None:
    told = {one["rule"]: one for one in data(session.directory, "simulate", "--by", "rule")["by_rule"]}
    found = use(session, None, TELL).by
    for rule, one in rules(files(session, None, TELL)).items():
        if one.rule_id in found:
            assert found[one.rule_id].flows == sum(
                told[one.rule_id][kind]["flows"]
                for kind in ("still_allowed", "newly_allowed", "newly_denied", "still_denied")
            ), rule
    database = rules(files(session, None, TELL))["any host to databases"]
    assert found[database.rule_id].last == "2026-11-24T06:30:00+00:00"
    assert len(found) == 3  # two rules, and default


def test_a_dropped_and_a_changed_rule_are_marked_and_undone(session: EngineSession) -> None:
    before = (session.directory / SHOP).read_text()
    drop(session, DropRequest(SHOP, 3), TELL)
    text = next(one.text for one in files(session, None, TELL).files if one.file == SHOP)
    keep(session, TextRequest(SHOP, text.replace("allow: postgresql", "allow: [postgresql, tcp/6379]"), text), TELL)
    view = files(session, None, TELL)
    found = rules(view)
    assert found["web to api"].change is Change.DROPPED
    assert found["any host to databases"].change is Change.CHANGED
    assert len(view.changes) == 2
    shown = effect(session, None, TELL).effect
    assert shown is not None
    assert shown.newly_denied.flows == 2
    assert shown.checks is not None
    assert shown.checks.failing
    assert any("the shop works" in plain(one) for one in check_rows(effect(session, None, TELL), ()))
    undo(session, None, TELL)
    undo(session, None, TELL)
    assert (session.directory / SHOP).read_text() == before
    assert not files(session, None, TELL).changes


def test_a_broken_file_shows_its_error_with_place_and_the_rest_works(session: EngineSession) -> None:
    (session.directory / SHOP).write_text(BROKEN)
    view = files(session, None, TELL)
    assert {one.file for one in view.faults} == {SHOP}
    assert any(one.line in {3, 5} and "too" in one.message for one in view.faults)
    assert "nobody logs into databases from outside" in rules(view)
    broken = next(one for one in view.files if one.file == SHOP)
    assert any("✗" in plain(one) for one in file_rows(view, broken, 9))
    assert effect(session, None, TELL).error
    assert words(session, None, TELL).services


@pytest.mark.parametrize("kind", ["Latin-1", "a pipe", "a device", "a link to itself", "larger than memory"])
def test_a_file_that_is_no_text_is_named_and_the_others_are_shown(session: EngineSession, kind: str) -> None:
    path = session.directory / "policy/new.yml"
    if kind == "Latin-1":
        path.write_bytes("rules: [] # Büro\n".encode("latin-1"))
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "larger than memory":
        sparse(path)
    else:
        path.symlink_to("/dev/zero" if kind == "a device" else path.name)
    view = files(session, None, TELL)
    assert [one.file for one in view.files] == ["policy/guardrails.yml", SHOP, "policy/tests/shop.yml"]
    assert [(one.file, one.message.partition(":")[0]) for one in view.faults] == [
        ("policy/new.yml", "this file cannot be read")
    ]


def test_a_draft_can_mend_broken_files_and_is_written(session: EngineSession) -> None:
    (session.directory / SHOP).write_text(BROKEN)
    keep(session, TextRequest(SHOP, POLICY, BROKEN), TELL)
    assert not files(session, None, TELL).faults
    write(session, None, TELL)
    assert (session.directory / SHOP).read_text() == POLICY


def test_a_text_that_somebody_else_changed_is_not_taken(session: EngineSession) -> None:
    text = (session.directory / SHOP).read_text()
    (session.directory / SHOP).write_text(text + "# another\n")
    with pytest.raises(InputError, match="meanwhile"):
        keep(session, TextRequest(SHOP, text + "# mine\n", text), TELL)


def test_live_errors_have_lines_and_count_other_files_too(session: EngineSession) -> None:
    assert faults(session, TextRequest(SHOP, POLICY), TELL) == ()
    (first, *_) = faults(session, TextRequest(SHOP, POLICY.replace("{role: web}", "{role: web", 1)), TELL)
    assert first.file == SHOP
    assert first.line in {4, 5}


def test_what_is_typed_completes_by_where_it_stands() -> None:
    known = Words({"env": ("prod", "dev"), "role": ("web", "db")}, ("tcp/22", "tcp/443"))
    assert completions("    from: {ro", known) == ("ro", ("role:",))
    assert completions("    from: {role: w", known) == ("w", ("web",))
    assert completions("    allow: [tcp/22, tcp/4", known) == ("tcp/4", ("tcp/443",))
    assert completions("    to: in", known) == ("in", ("internet",))
    assert completions("  - na", known) == ("na", ("name:",))
    assert completions("    mode: f", known) == ("f", ("full",))
    assert completions("  - name: fr", known)[1] == ()


def test_lines_of_the_draft_are_marked() -> None:
    assert marks("a\nb\nc\n", "a\nx\nc\nd\n") == (" ", "+", " ", "+")
    assert marks("a\nb\nc\n", "a\nc\n") == (" ", "-")
    assert marks("", "a\n") == ("+",)
