"""The history of an asset: first seen, what changed in which snapshot, gone and there again, and its rollouts."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.model.errors import InputError
from ringfence.operations.asset_history import NOW, asset_history
from ringfence.rollout.runs import END_FILE, RunFacts, begin_run, run_directories, write_whole

from tests.unit.cli_shop import ringfence, shop

DAY = 86400
FIRST = 1795590000  # 2026-11-25, in seconds since 1970


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a workspace of four days: as it is, with another role and address, without web-1, as it is again."""
    shop(tmp_path)
    hosts = tmp_path / "inventory/hosts.yml"
    text = hosts.read_text()
    other = text.replace(
        "web-1: {ansible_host: 10.0.1.1, vm: {role: web}}", "web-1: {ansible_host: 10.0.1.9, vm: {role: db}}"
    )
    without = "".join(line for line in text.splitlines(keepends=True) if "web-1:" not in line)
    for day, said in enumerate((text, other, without)):
        hosts.write_text(said)
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(FIRST + day * DAY))
        Estate(tmp_path).keep_snapshot()
    hosts.write_text(text)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(FIRST + 3 * DAY))
    return tmp_path


def test_everything_that_happened_to_it_is_told_the_newest_first(workspace: Path) -> None:
    facts = RunFacts("kim", "", "5f3a" + "0" * 60, "2026-11-25T12:00:00Z", ("web-1", "db-1"), (("web-1", "db-1"),))
    for lock in begin_run(workspace / ".ringfence", facts)[1]:
        os.close(lock)
    (run,) = run_directories(workspace / ".ringfence")
    write_whole(
        run.path / END_FILE, {"status": "failed", "hosts": [{"host": "web-1", "state": "confirmed", "reason": ""}]}
    )

    found = asset_history(Estate(workspace), "web-1")
    told = [(f"{one.time:%m-%d}", one.text) for one in found.events]
    assert told[0] == ("11-28", "there again: app=shop env=prod role=web, from inventory")
    assert told[1] == ("11-27", "gone: no source names it")
    assert set(told[2:4]) == {("11-26", "addresses: 10.0.1.1 → 10.0.1.9"), ("11-26", "label role: web → db")}
    assert told[4] == ("11-25", "plan 5f3a rolled out by kim: confirmed")
    assert told[5] == ("11-25", "seen first: app=shop env=prod role=web, from inventory")
    assert found.events[0].of == NOW
    assert (found.kept, found.read) == (3, 3)
    assert not any("web-1" in one.text for one in asset_history(Estate(workspace), "db-1").events)


def test_only_the_newest_snapshots_are_read_where_so_many_are_asked_for(workspace: Path) -> None:
    found = asset_history(Estate(workspace), "api-1", most=2)
    assert [one.text.partition(":")[0] for one in found.events] == ["known already"]
    assert found.words() == "of 3 kept snapshots the newest 2 were read"


def test_what_nobody_ever_knew_and_what_is_damaged_are_said(workspace: Path) -> None:
    with pytest.raises(InputError, match="no kept snapshot and no source has an asset 'web-9'"):
        asset_history(Estate(workspace), "web-9")
    newest = sorted((workspace / ".ringfence/snapshots").glob("*.json"))[0]
    newest.write_text('{"assets": ["web-1"]')
    with pytest.raises(InputError, match="not a valid snapshot"):
        asset_history(Estate(workspace), "web-1")


def test_what_heeds_ends_it(workspace: Path) -> None:
    def leave() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        asset_history(Estate(workspace), "web-1", heed=leave)


def test_the_command_prints_it(workspace: Path) -> None:
    done = ringfence(workspace, "assets", "history", "web-1")
    assert "2026-11-26 07:00:00  label role: web → db" in done.stdout
    assert "3 snapshots kept" in done.stdout
    assert datetime.fromisoformat("2026-11-26T07:00:00+00:00").timestamp() == FIRST + DAY
