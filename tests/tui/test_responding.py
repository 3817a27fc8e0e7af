"""Quarantine and release from a screen: whom, why, what it cuts, one confirmation, what kernels hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.model.errors import InputError
from ringfence_tui.emergency_views import CutRequest, DoRequest
from ringfence_tui.engine.emergency_questions import cut, quarantine, release, standing
from ringfence_tui.engine.session import EngineSession, Tell

from tests.tui.policy_pilot import application, until
from tests.tui.stub_engine import journey
from tests.unit.cli_shop import NOW, shop
from tests.unit.emergency_hosts import HostsInMemory

TELL = Tell(lambda _part: None)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


def test_the_engine_does_what_was_shown_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = HostsInMemory()
    monkeypatch.setattr("ringfence.rollout.run_playbook", hosts)
    session = EngineSession(shop(tmp_path))
    view = cut(session, CutRequest("web-1", "scans"), TELL)
    assert view.lines[0][0] == f"quarantine {view.id}: isolates web-1"
    assert not hosts.kernels

    hosts.silent = {"db-1"}
    done = quarantine(session, DoRequest(view.id), TELL)
    assert (done.ok, done.lines[0][0].startswith(f"{view.id}: 3/4 hosts hold it")) == (False, True)
    with pytest.raises(InputError, match="was not shown yet"):
        quarantine(session, DoRequest(view.id), TELL)
    assert standing(session, None, TELL).ids == (view.id,)
    hosts.silent = set()
    assert release(session, DoRequest(view.id), TELL).ok
    assert Estate(tmp_path).standing() == ()


def test_an_application_that_changes_nothing_isolates_nothing(tmp_path: Path) -> None:
    session = EngineSession(shop(tmp_path), read_only=True)
    for question, request in ((cut, CutRequest("web-1", "scans")), (release, DoRequest("q-12345678"))):
        with pytest.raises(InputError, match="read-only"):
            question(session, request, TELL)  # type: ignore[operator]  # both take their own request


@journey
async def test_from_a_screen_two_lines_and_four_digits_isolate_and_one_line_releases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = HostsInMemory()
    monkeypatch.setattr("ringfence.rollout.run_playbook", hosts)
    app = application(shop(tmp_path), "check")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "Check")
        await pilot.press("Q")
        await until(pilot, "Quarantine: whom")
        await pilot.press(*"web-1", "enter")
        await until(pilot, "Quarantine web-1: why")
        await pilot.press(*"scans", "enter")
        text = await until(pilot, "to isolate:")
        assert "isolates web-1" in text
        assert not hosts.kernels
        await pilot.press(*text.partition("type ")[2][:4])
        await until(pilot, "4/4 hosts hold it")
        await pilot.press("escape", "R")
        await until(pilot, "because scans")
        await pilot.press("enter")
        await until(pilot, "4/4 hosts are without it")
    assert not any(hosts.kernels.values())
