"""Emergencies from the screens: what is at the cursor, what is let through, and where answers are doubtful."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence_tui.emergency_views import CutRequest, DoRequest, LetThroughRequest
from ringfence_tui.engine.emergency_questions import cut, doubt, quarantine
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.messages import PairSubject
from ringfence_tui.responding import _let_through_request
from ringfence_tui.spans import rows
from ringfence_tui.widgets.dialog import Confirmation, Dialog
from ringfence_tui.widgets.lines import Lines

from tests.tui.policy_pilot import application
from tests.tui.stub_engine import journey, shown
from tests.tui.waiting import until
from tests.unit.cli_shop import NOW, shop
from tests.unit.emergency_hosts import HostsInMemory

TELL = Tell(lambda _part: None)


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> HostsInMemory:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)
    found = HostsInMemory()
    monkeypatch.setattr("ringfence.rollout.run_playbook", found)
    return found


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("web-1 db-1 tcp/5432 --for 2h", LetThroughRequest("web-1", "db-1", "tcp/5432", "2h")),
        ("'role=web env=prod' db-1 ssh --for=30m", LetThroughRequest("role=web env=prod", "db-1", "ssh", "30m")),
        ("--for 2h web-1 db-1 ssh", LetThroughRequest("web-1", "db-1", "ssh", "2h")),
        ("web-1 db-1 ssh", None),
        ("web-1 db-1 --for 2h", None),
        ("web-1 db-1 ssh --for", None),
        ("'web-1 db-1 ssh --for 2h", None),
    ],
)
def test_what_is_let_through_is_said_in_one_line(line: str, wanted: LetThroughRequest | None) -> None:
    assert _let_through_request(line) == wanted


@journey
async def test_a_connection_that_is_explained_is_let_through_for_a_time(tmp_path: Path, hosts: HostsInMemory) -> None:
    app = application(shop(tmp_path), "explain")
    async with app.run_test(size=(120, 40)) as pilot:
        app.page.take(PairSubject("web-1", "db-1", "tcp/5432"))
        app.page.entered()
        await until(pilot, "DENIED")
        assert app.page.asset_at_cursor() == "web-1"
        await pilot.press("T")
        await until(pilot, "web-1 db-1 tcp/5432 --for 2h_")
        await pilot.press("enter")
        await until(pilot, "Let web-1 to db-1 through: why")
        await pilot.press(*"ticket", "enter")
        text = await until(pilot, "to let it through:")
        assert not hosts.kernels
        await pilot.press(*text.partition("type ")[2][:4])
        await until(pilot, "hold it")
    assert any(hosts.kernels.values())


@journey
async def test_an_empty_answer_is_refused_with_a_word(tmp_path: Path, hosts: HostsInMemory) -> None:
    app = application(shop(tmp_path), "assets")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "api-1")
        for keys, wanted in (
            (("Q", "ctrl+u", "enter"), "nobody was named"),
            (("Q", "ctrl+u", *"web-1", "enter", "enter"), "a reason is needed"),
            (("T", "ctrl+u", "enter"), "a client, a server, a service"),
            (
                (
                    "T",
                    "ctrl+u",
                    *("space" if one == " " else one for one in "web-1 db-1 ssh --for 2h"),
                    "enter",
                    "space",
                    "enter",
                ),
                "a reason is needed",
            ),
        ):
            app.page.say()
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
            await until(pilot, wanted)
    assert not hosts.kernels


@journey
async def test_screens_that_judge_say_where_hosts_may_not_hold_what_stands(
    tmp_path: Path, hosts: HostsInMemory
) -> None:
    directory = shop(tmp_path)
    session = EngineSession(directory)
    assert doubt(session, None, TELL) == ""
    hosts.silent = {"db-1"}
    view = cut(session, CutRequest("web-1", "scans"), TELL)
    quarantine(session, DoRequest(view.id), TELL)
    said = f"quarantine {view.id} is not known to be held by db-1"
    assert said in doubt(session, None, TELL)
    other = cut(session, CutRequest("api-1", "scans"), TELL)
    assert any(view.id in text and "db-1" in text for text, _ in other.lines)
    for name in ("map", "simulate", "explain", "policy"):
        app = application(directory, name)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, said)


@journey
async def test_what_a_dialog_asks_for_stays_in_sight_and_the_rest_scrolls(tmp_path: Path) -> None:
    app = application(shop(tmp_path), "check")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "Check")
        told = rows(f"line {number}" for number in range(1, 51))
        await app.page.mount(Dialog(Confirmation("much", told, "1234567", "do it")))
        text = await until(pilot, "type 1234 to do it")
        assert "line 18 " in text
        assert "line 19 " not in text
        assert "1-18 of 50" in text
        await pilot.press(*["pagedown"] * 5)
        text = await until(pilot, "33-50 of 50")
        assert "line 50 " in text
        assert "type 1234 to do it" in text


@journey
async def test_a_pane_counts_the_lines_that_have_no_room(tmp_path: Path) -> None:
    app = application(shop(tmp_path), "check")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "Check")
        pane = Lines()
        pane.styles.height = 4
        await app.page.mount(pane)
        for many, said in ((9, "… 5 more lines"), (5, "… 1 more line"), (4, "")):
            pane.show(rows(f"line {number}" for number in range(1, many + 1)))
            await pilot.pause()
            text = shown(app)
            assert (f"line 4 {said}" if said else "line 4") in text
            assert ("more line" in text) is bool(said)
        pane.show(rows(f"line {number}" for number in range(1, 10)))
        pane.action_edge(1)
        await pilot.pause()
        assert "line 9" in shown(app)
        assert "more line" not in shown(app)
