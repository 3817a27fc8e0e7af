"""The history and verify screens by Textual's pilot, with an engine of the test's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringfence.presenting.rollout_fold import BoardFold
from ringfence_tui.app import RingfenceApp
from ringfence_tui.screens.history.model import Frame, Replay, RunList, RunRow
from ringfence_tui.screens.rollout.requests import Begin
from ringfence_tui.screens.verify.model import Difference, Finding, ReadHost, VerifyRow, VerifyView
from ringfence_tui.screens.verify.requests import Keep, Verify

from tests.tui.followed_run import RUN, Run, asked, engine
from tests.tui.stub_engine import journey
from tests.tui.waiting import until
from tests.unit.rollout_events import PLAN, WAVES, confirmed, failed, listed, started


@journey
async def test_history_lists_runs_and_steps_through_what_happened(tmp_path: Path) -> None:
    rows = (RunRow(RUN, PLAN[:12], "failed", "kim", "9c1e", "2026-11-24T07:00:00Z", 4, "9 min", False, False),)
    fold, frames = BoardFold(WAVES), []
    for told in ((), (started("canary"),), (confirmed("canary"),)):
        for event in told:
            fold.take(event)
        frames.append(Frame("2026-11-24T07:00:01Z", fold.change(listed(tmp_path))))
    stub = engine(
        Run(tmp_path),
        history__runs=lambda _request, _hear: RunList(rows),
        history__replay=lambda _request, _hear: Replay(RUN, tuple(frames)),
    )
    async with RingfenceApp(stub, first="history").run_test(size=(80, 24)) as pilot:
        text = await until(pilot, "event 2 of 2")
        assert "1/1 ✓" in text
        await pilot.press("left_square_bracket")
        await until(pilot, "▸ connects")
        await pilot.press("b")
        await until(pilot, "by kim from 9c1e")
        assert asked(stub, "rollout.follow") == [RUN]


@journey
async def test_history_tells_the_whole_reason_of_a_host_that_failed(tmp_path: Path) -> None:
    rows = (RunRow(RUN, PLAN[:12], "failed", "kim", "9c1e", "2026-11-24T07:00:00Z", 4, "9 min", False, False),)
    reason = "no answer over the new table, " * 6 + "and it went back by itself"
    fold = BoardFold(WAVES)
    for event in (started("canary"), failed("canary", reason=reason, state="undone")):
        fold.take(event)
    replay = Replay(RUN, (Frame("2026-11-24T07:00:01Z", fold.change(listed(tmp_path))),))
    stub = engine(
        Run(tmp_path),
        history__runs=lambda _request, _hear: RunList(rows),
        history__replay=lambda _request, _hear: replay,
    )
    async with RingfenceApp(stub, first="history").run_test(size=(80, 24)) as pilot:
        await until(pilot, "event 0 of 0")
        await pilot.press("enter", "down")
        text = await until(pilot, "and it went back by itself")
        assert text.count("over the new table") == 6
        assert "2 hosts" in text or "waves begun" in text


@journey
async def test_history_of_damaged_runs_alone_names_each_with_the_reason_and_the_way_out(tmp_path: Path) -> None:
    damage = "this run is damaged: run.json is no JSON"
    rows = tuple(
        RunRow(run, "5f3a", "damaged", "", "", "", 0, "", False, False, damage, f"'ringfence runs forget {run}'")
        for run in (RUN, f"{RUN}-2")
    )
    stub = engine(Run(tmp_path), history__runs=lambda _request, _hear: RunList(rows))
    async with RingfenceApp(stub, first="history").run_test(size=(80, 24)) as pilot:
        text = await until(pilot, damage)
        assert "no plan was rolled out" not in text
        await pilot.press("j", "b")
        await until(pilot, f"runs forget {RUN}-2")
        assert asked(stub, "history.replay") == []


@journey
async def test_verify_reads_back_shows_the_worst_first_and_renews_one_host(tmp_path: Path) -> None:
    difference = Difference(
        "open",
        "inbound from any, tcp/5432",
        "deny by default",
        "allow",
        118,
        direction="in",
        family=4,
        remote=("10.9.0.1",),
        services=("tcp/5432",),
        whole=True,
    )
    found = (
        VerifyRow("db-3", Finding.OPEN, "open", "tcp/5432", "", "", ("tcp/5432",), (difference,)),
        VerifyRow("web-1", Finding.EQUAL, "equal", "", "", "2026-11-24T14:20:00Z"),
    )
    stub = engine(
        Run(tmp_path),
        living=False,
        verify__kept=lambda _request, _hear: VerifyView(PLAN, why="nobody has read the hosts back yet"),
        verify__keep=lambda _request, _hear: "'kept: to db-3' in policy/db.yml",
        verify__run=lambda _request, _hear: VerifyView(PLAN, found, kept=False),
    )
    async with RingfenceApp(stub, first="verify").run_test(size=(80, 24)) as pilot:
        await until(pilot, "nobody has read the hosts back yet")
        await pilot.press("v")
        text = await until(pilot, "1 of 2 proven equal")
        assert "plan says    deny by default" in text
        assert "line 118 of the listing" in text
        assert asked(stub, "verify.run") == [Verify()]
        await pilot.press("e")
        await until(pilot, "Keep what is open at db-3")
        await pilot.press("enter")
        await until(pilot, "in the draft: 'kept: to db-3'")
        assert asked(stub, "verify.keep") == [Keep("db-3", "in", 4, ("10.9.0.1",), ("tcp/5432",))]
        await pilot.press("n")
        text = await until(pilot, "type 5f3a to roll it out")
        assert "loads the table also where it stands already" in text
        assert "1 host: db-3" in text
        await pilot.press(*"5f3a")
        await until(pilot, "by kim")
        assert asked(stub, "rollout.begin") == [Begin(PLAN, limit=("db-3",), renew=True)]


@journey
async def test_a_verify_that_is_stopped_says_so_at_once_with_what_was_read_until_then(tmp_path: Path) -> None:
    earlier = tuple(
        VerifyRow(name, Finding.OPEN, "open", "tcp/22", "", "2026-11-23T07:00:00Z") for name in ("api-1", "db-1")
    )
    over = asyncio.Event()

    async def read(_request: Verify, hear: Callable[[Any], None]) -> Any:
        hear(ReadHost(VerifyRow("db-1", Finding.EQUAL, "equal", "", "", "2026-11-24T07:00:00Z"), 2))
        await over.wait()

    stub = engine(
        Run(tmp_path),
        living=False,
        verify__kept=lambda _request, _hear: VerifyView(PLAN, earlier),
        verify__run=read,
    )
    async with RingfenceApp(stub, first="verify").run_test(size=(80, 24)) as pilot:
        await until(pilot, "0 of 2 proven equal")
        await pilot.press("v")
        await until(pilot, "reading: 1 of 2 hosts read back, 1 proven equal")
        await pilot.press("s")
        text = await until(pilot, "stopped: 1 of 2 hosts read back, 1 proven equal")
        assert "not read yet; earlier: tcp/22" in text
        assert "v reads all hosts again" in text
        await pilot.press("v")
        await until(pilot, "reading: 1 of 2")
        assert asked(stub, "verify.run") == [Verify(), Verify()]
