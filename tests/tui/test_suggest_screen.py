"""The Suggest screen: what it asks, and by Textual's pilot."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.model.errors import InputError
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.screens.suggest.model import Offers, RejectRequest, SuggestRequest, TakeRequest, detail_rows
from ringfence_tui.screens.suggest.questions import offers, refuse, take
from ringfence_tui.spans import plain
from ringfence_tui.widgets.editor import Editor

from tests.tui.map_estate import drawn
from tests.tui.policy_pilot import application
from tests.tui.stub_engine import journey
from tests.tui.waiting import until
from tests.unit.cli_shop import NOW, data

TELL = Tell(lambda _part: None)
ASKED = SuggestRequest()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


def test_suggestions_are_those_of_the_command_with_what_they_allow_beyond(tmp_path: Path) -> None:
    directory = drawn(tmp_path)
    told = data(directory, "suggest")
    view = offers(EngineSession(directory), ASKED, TELL)
    assert [one.id for one in view.offers] == [one["id"] for one in told["suggestions"]]
    assert [(one.pairs_beyond, one.pairs) for one in view.offers] == [
        (one["beyond"], one["reach"]) for one in told["suggestions"]
    ]
    shown = "\n".join(map(plain, detail_rows(view, 0)))
    assert view.offers[0].name in shown
    assert "seen: 1 flow" in shown
    assert "beyond: " in shown
    assert "nothing to suggest" in plain(detail_rows(Offers(ASKED), 0)[0])


def test_a_suggestion_is_taken_as_it_is_edited_or_not_at_all(tmp_path: Path) -> None:
    directory = drawn(tmp_path)
    session = EngineSession(directory)
    first, second, third, *_ = offers(session, ASKED, TELL).offers
    assert take(session, TakeRequest(ASKED, first.id), TELL) == 1
    assert take(session, TakeRequest(ASKED, second.id, second.text.replace(second.name, "mine")), TELL) == 2
    assert [one.taken for one in offers(session, ASKED, TELL).offers][:3] == [True, True, False]
    assert "name: mine" in data(directory, "draft", "show")["difference"]
    for text in ("name: no list", "- a: 1\n- b: 2", "- {"):
        with pytest.raises(InputError):
            take(session, TakeRequest(ASKED, third.id, text), TELL)
    with pytest.raises(InputError, match="any more"):
        take(session, TakeRequest(ASKED, "00000000"), TELL)


def test_what_is_rejected_needs_a_reason_and_is_not_suggested_again(tmp_path: Path) -> None:
    directory = drawn(tmp_path)
    session = EngineSession(directory)
    first = offers(session, ASKED, TELL).offers[0]
    with pytest.raises(InputError, match="reason"):
        refuse(session, RejectRequest(ASKED, first.id, " "), TELL)
    assert refuse(session, RejectRequest(ASKED, first.id, "a test"), TELL) == first.name
    view = offers(session, ASKED, TELL)
    assert first.id not in [one.id for one in view.offers]
    assert view.rejected == ((first.id, "a test"),)
    with pytest.raises(InputError, match="read-only"):
        refuse(EngineSession(directory, read_only=True), RejectRequest(ASKED, view.offers[0].id, "no"), TELL)


@journey
async def test_by_keys_one_is_edited_and_taken_and_one_rejected(tmp_path: Path) -> None:
    app = application(drawn(tmp_path), "suggest")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "4 suggestions")
        await pilot.press("e")
        await until(pilot, "ctrl+s into the draft")
        editor = app.page.query_one(Editor)
        await pilot.press("end", *" by hand", "ctrl+s")
        assert editor.document.get_line(0).endswith(" by hand")
        await until(pilot, "in the draft: ")
        await pilot.press("j", "x", *"no need", "enter")
        await until(pilot, "in suggestions.yml")
        text = await until(pilot, "3 suggestions")
        assert "rejected 1" in text
    assert "no need" in (tmp_path / "suggestions.yml").read_text()
