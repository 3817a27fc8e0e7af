"""Quarantine and release from a screen: whom, why, what it cuts, one confirmation, what kernels hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.model.errors import InputError, RingfenceError
from ringfence_tui.emergency_views import CutRequest, DoRequest
from ringfence_tui.engine.emergency_questions import cut, quarantine, release, standing
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.responding import _request

from tests.tui.policy_pilot import application
from tests.tui.stub_engine import journey
from tests.tui.waiting import until
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
    assert standing(session, "", TELL).ids == (view.id,)
    hosts.silent = set()
    assert release(session, DoRequest(view.id), TELL).ok
    assert Estate(tmp_path).standing() == ()


def test_an_application_that_changes_nothing_isolates_nothing(tmp_path: Path) -> None:
    session = EngineSession(shop(tmp_path), read_only=True)
    for question, request in ((cut, CutRequest("web-1", "scans")), (release, DoRequest("q-12345678"))):
        with pytest.raises(InputError, match="read-only"):
            question(session, request, TELL)  # type: ignore[operator]  # both take their own request


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("web-1", CutRequest("web-1", "")),
        ("role=web env=prod --keep role=jump --for 4h", CutRequest("role=web env=prod", "", ("role=jump",), "4h")),
        (
            "{role: web} --for=30m --keep db-1 --keep {role: jump}",
            CutRequest("{role: web}", "", ("db-1", "{role: jump}"), "30m"),
        ),
        ("web--for-1", CutRequest("web--for-1", "")),
        ("web-1 --for", CutRequest("web-1", "", (), "?")),
        ("web-1 --keep", CutRequest("web-1", "", ("",))),
        ("--keep x", None),
        (" ", None),
    ],
)
def test_the_line_takes_keep_and_a_span_as_the_command_does(line: str, wanted: CutRequest | None) -> None:
    assert _request(line) == wanted


def test_what_is_kept_and_until_when_is_shown_before_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = HostsInMemory()
    monkeypatch.setattr("ringfence.rollout.run_playbook", hosts)
    session = EngineSession(shop(tmp_path))
    view = cut(session, CutRequest("web-1", "scans", ("api-1",), "4h"), TELL)
    assert view.lines[0][0] == f"quarantine {view.id}: isolates web-1; api-1 stays reachable"
    assert any("then it ends by itself" in text for text, _ in view.lines)
    for wrong in (("", "?"), ("nobody-1", "")):
        with pytest.raises(RingfenceError):
            cut(session, CutRequest("web-1", "scans", (wrong[0],) if wrong[0] else (), wrong[1]), TELL)
    with pytest.raises(RingfenceError):
        cut(session, CutRequest("web-1", "scans", ("",)), TELL)
    assert quarantine(session, DoRequest(view.id), TELL).ok
    other = cut(session, CutRequest("db-1", "scans"), TELL)
    quarantine(session, DoRequest(other.id), TELL)
    assert set(standing(session, "", TELL).ids) == {other.id, view.id}  # of one second
    assert standing(session, "web-1", TELL).ids == (view.id, other.id)


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
