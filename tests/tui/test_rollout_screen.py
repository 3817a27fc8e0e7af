"""The rollout screen by Textual's pilot, with an engine of the test's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ringfence.model.host_denials import HostDenials
from ringfence.presenting.rollout_board import BoardChange
from ringfence.presenting.rollout_fold import BoardFold
from ringfence_tui.app import RingfenceApp
from ringfence_tui.engine.client import EngineError, EngineGone
from ringfence_tui.engine.progress import Progress
from ringfence_tui.screens.history.model import Frame, Replay, RunList, RunRow
from ringfence_tui.screens.rollout import board_page
from ringfence_tui.screens.rollout.model import Opening
from ringfence_tui.screens.rollout.numbers import Numbers
from ringfence_tui.screens.rollout.requests import AskDenials, Begin, MakePlan, Steer, WayBack
from ringfence_tui.screens.verify.model import Difference, Finding, VerifyRow, VerifyView
from ringfence_tui.spans import Span

from tests.tui.followed_run import RUN, Run, asked, engine
from tests.tui.stub_engine import journey
from tests.tui.test_rollout_model import VIEW
from tests.tui.waiting import until
from tests.unit.rollout_events import PLAN, confirmed, failed, listed, started


@journey
async def test_the_screen_takes_up_the_run_that_works_and_follows_it_to_its_end(tmp_path: Path) -> None:
    run = Run(tmp_path)
    async with RingfenceApp(engine(run), first="rollout").run_test(size=(80, 24)) as pilot:
        await until(pilot, "by kim from 9c1e")
        run.tell(started("canary"))
        await until(pilot, "▸ connects")
        run.tell(confirmed("canary"), started("web-1", 6), failed("web-1", 7))
        text = await until(pilot, "wave 2 waits: web-1 is neither confirmed nor excused")
        assert "1/1 ✓" in text
        await until(pilot, "rollout 2/4")
        run.end("failed")
        text = await until(pilot, "r try web-1 again")
        assert f"run {RUN}: failed" in text


@journey
async def test_opened_anew_it_shows_the_run_that_rolled_the_newest_plan_out_and_not_the_plan_as_if_it_waited(
    tmp_path: Path,
) -> None:
    run = Run(tmp_path)
    run.tell(*map(confirmed, ("canary", "web-1", "web-2", "db-1")))
    run.end("successful")
    stub = engine(run, rollout__opening=lambda _request, _hear: Opening("", RUN, VIEW, of_plan=RUN))
    async with RingfenceApp(stub, first="rollout").run_test(size=(80, 24)) as pilot:
        assert "successful" in await until(pilot, "confirmed 4")
        await pilot.press("d")
        await until(pilot, "canary db-2, then 10, then 190")


@journey
async def test_a_rollout_begins_only_after_the_first_digits_of_its_plan(tmp_path: Path) -> None:
    run = Run(tmp_path)
    stub = engine(run, living=False)
    async with RingfenceApp(stub, first="rollout").run_test(size=(80, 24)) as pilot:
        await until(pilot, "canary db-2, then 10, then 190")
        await pilot.press("o")
        await until(pilot, "type 5f3a to roll it out")
        await pilot.press("enter", "9", "escape")
        await until(pilot, "nothing was begun")
        assert asked(stub, "rollout.begin") == []
        await pilot.press("o")
        await until(pilot, "type 5f3a to roll it out")
        await pilot.press(*"5f3a")
        await until(pilot, "by kim from 9c1e")
        assert asked(stub, "rollout.begin") == [Begin(PLAN)]
        run.end("successful")
        await until(pilot, "successful  v verify")


@journey
async def test_a_run_is_paused_resumed_aborted_and_a_host_excused(tmp_path: Path) -> None:
    run = Run(tmp_path)
    stub = engine(run)
    async with RingfenceApp(stub, first="rollout").run_test(size=(80, 24)) as pilot:
        await until(pilot, "by kim from 9c1e")
        run.tell(confirmed("canary"), started("web-1"), failed("web-1"))
        await until(pilot, "✗ unreachable")
        await pilot.press("P")
        await until(pilot, "done")
        listed(run.directory).directory.steer(pause=True)
        run.tell()
        await until(pilot, "P go on")
        await pilot.press("P")
        await pilot.press("j", "j")
        await until(pilot, "x excuse web-1")
        await pilot.press("x")
        await until(pilot, "Excuse web-1")
        await pilot.press("enter")
        await until(pilot, lambda text: "Excuse web-1" not in text)
        await pilot.press("A")
        await until(pilot, "confirmed   1 host: the new table stays there")
        await pilot.press("enter")
        await until(pilot, lambda text: "the new table stays there" not in text)
        assert asked(stub, "rollout.steer") == [
            Steer(RUN, pause=True),
            Steer(RUN, pause=False),
            Steer(RUN, excuse=("web-1",)),
            Steer(RUN, abort=True),
        ]


@journey
async def test_a_run_that_failed_is_tried_again_or_goes_on_without_the_host_or_is_rolled_back(tmp_path: Path) -> None:
    run = Run(tmp_path)
    back = replace(VIEW, digest="a6f0" + "0" * 60, restores="18e4" + "0" * 60)
    stub = engine(run, rollout__make=lambda _request, _hear: back)
    async with RingfenceApp(stub, first="rollout").run_test(size=(80, 24)) as pilot:
        await until(pilot, "by kim")
        run.tell(confirmed("canary"), started("web-1"), failed("web-1"))
        run.end("failed")
        await until(pilot, "r try web-1 again")
        await pilot.press("j", "j", "x")
        text = await until(pilot, "type 5f3a to roll it out")
        assert "web-1: the waves go on without" in text
        await pilot.press(*"5f3a")
        await until(pilot, f"run {RUN}: failed")
        await pilot.press("r")
        await until(pilot, "type 5f3a to roll it out")
        await pilot.press("escape", "R")
        text = await until(pilot, "plan a6f0 is made")
        assert "brings back 18e4" in text
        assert asked(stub, "rollout.begin") == [Begin(PLAN, excuse=("web-1",))]
        assert asked(stub, "rollout.make") == [MakePlan(back_from=PLAN)]


@journey
async def test_a_run_that_goes_on_is_rolled_back_after_one_confirmation_and_the_run_that_does_it_is_shown(
    tmp_path: Path,
) -> None:
    run = Run(tmp_path)
    other = f"{RUN}-2"

    async def follow(request: str, hear: Callable[[Any], None]) -> Any:
        if request == other:
            change = run.fold.change(listed(run.directory))
            hear(BoardChange(replace(change.head, run=other)))
            await asyncio.Event().wait()
        return replace(await run.follow(request, hear), back_by="kim", back_run=other)

    way = WayBack(RUN, "18e4")
    stub = engine(
        run,
        rollout__follow=follow,
        rollout__way_back=lambda _request, _hear: way,
        rollout__roll_back=lambda _request, _hear: way,
    )
    async with RingfenceApp(stub, first="rollout").run_test(size=(80, 24)) as pilot:
        await until(pilot, "by kim from 9c1e")
        run.tell(confirmed("canary"), started("web-1"))
        await until(pilot, "R end it and roll 1 confirmed host back")
        await pilot.press("R")
        text = await until(pilot, "type 5f3a to end it and roll it back")
        assert "1 host: plan 18e4 comes back" in text
        await pilot.press("escape")
        await until(pilot, "nothing was changed; the run goes on")
        assert asked(stub, "rollout.roll_back") == []
        await pilot.press("R")
        await until(pilot, "type 5f3a")
        await pilot.press(*"5f3a")
        await until(pilot, "then plan 18e4 comes back")
        run.end("interrupted")
        await until(pilot, "this one brings back what hosts held before it")
        await until(pilot, "running")
        assert asked(stub, "rollout.roll_back") == [RUN]
        assert asked(stub, "rollout.follow") == [RUN, other]


@journey
async def test_read_only_nothing_is_changed_and_that_is_said(tmp_path: Path) -> None:
    run = Run(tmp_path)
    stub = engine(run, read_only=True)
    async with RingfenceApp(stub, first="rollout").run_test(size=(80, 24)) as pilot:
        await until(pilot, "by kim")
        for key, what in (("P", "steer a run"), ("A", "steer a run"), ("p", "make a plan"), ("r", "roll a plan out")):
            await pilot.press(key)
            await until(pilot, f"cannot {what}")
        assert not {"rollout.steer", "rollout.make", "rollout.begin"} & {name for name, _ in stub.asked}


@journey
async def test_passwords_are_asked_for_never_shown_and_handed_to_the_run(tmp_path: Path) -> None:
    run = Run(tmp_path)
    stub = engine(run, living=False)
    async with RingfenceApp(stub, first="rollout").run_test(size=(80, 24)) as pilot:
        await until(pilot, "canary db-2")
        await pilot.press("K")
        await until(pilot, "Become password")
        await pilot.press(*"s3cret")
        text = await until(pilot, "something was typed")
        assert "s3cret" not in text
        await pilot.press("enter")
        await until(pilot, "Vault password")
        await pilot.press("enter")
        await until(pilot, "become password given")
        await pilot.press("o")
        await until(pilot, "type 5f3a")
        await pilot.press(*"5f3a")
        await until(pilot, "by kim")
        (request,) = asked(stub, "rollout.begin")
        assert (request.become, request.vault) == ("s3cret", None)
        assert "s3cret" not in repr(request) + repr(pilot.app.passwords)  # type: ignore[attr-defined]


@journey
async def test_an_engine_that_refuses_says_why_and_what_to_do(tmp_path: Path) -> None:
    def refuse(_request: Any, _hear: Any) -> Any:
        raise EngineError("a run works on this workspace already", remedy="follow it with 'ringfence attach'")

    stub = engine(Run(tmp_path), living=False, rollout__begin=refuse)
    async with RingfenceApp(stub, first="rollout").run_test(size=(80, 24)) as pilot:
        await until(pilot, "canary db-2")
        await pilot.press("o")
        await until(pilot, "type 5f3a")
        await pilot.press(*"5f3a")
        await until(pilot, "a run works on this workspace already  → follow it")


@journey
async def test_an_engine_that_dies_is_begun_again_and_the_run_is_followed_on(tmp_path: Path) -> None:
    run = Run(tmp_path)
    followed: list[str] = []

    async def follow(request: str, hear: Callable[[Any], None]) -> Any:
        followed.append(request)
        if len(followed) == 1:
            raise EngineGone("the engine ended (signal 9)")
        return await run.follow(request, hear)

    async with RingfenceApp(engine(run, rollout__follow=follow), first="rollout").run_test(size=(80, 24)) as pilot:
        await until(pilot, "by kim from 9c1e")
        assert followed == [RUN, RUN]


@journey
async def test_hostile_names_and_reasons_are_text_on_every_screen(tmp_path: Path) -> None:
    evil = "\x1b]52;c;x\x07[@click=app.bell]a[/]\u202e\n"
    run = Run(tmp_path)
    run.fold = BoardFold(((evil,),))
    rows = (
        RunRow(RUN, evil, evil, evil, evil, evil, 1, evil, False, False),
        RunRow(evil, evil, evil, "", "", "", 0, "", False, False, evil, evil),
    )
    found = (VerifyRow(evil, Finding.OPEN, evil, evil, evil, evil, (evil,), (Difference("open", evil, evil, evil),)),)
    stub = engine(
        run,
        history__runs=lambda _request, _hear: RunList(rows),
        history__replay=lambda _request, _hear: Replay(RUN, (Frame(evil, run.fold.change(listed(tmp_path))),)),
        verify__kept=lambda _request, _hear: VerifyView(evil, found, warnings=(evil,)),
        rollout__log=lambda _request, _hear: ((Span(evil),),),
    )
    async with RingfenceApp(stub, first="rollout").run_test(size=(80, 24)) as pilot:
        await until(pilot, "by kim")
        run.tell(started(evil), failed(evil, reason=evil, state=evil))
        texts = [await until(pilot, "✗ \\x1b]52")]
        await pilot.press("j", "l")
        texts.append(await until(pilot, lambda text: "✗" not in text))
        await pilot.press("l", "H")
        texts.append(await until(pilot, lambda text: "HOSTS" in text and "@click" in text))
        await pilot.press("j")
        texts.append(await until(pilot, "✗ \\x1b]52"))
        await pilot.press("escape", "v")
        texts.append(await until(pilot, "WHAT DIFFERS"))
        for text in texts:
            assert "@click" in text
            assert not [letter for letter in text if ord(letter) in {*range(10), *range(11, 32), 127, 0x202E}]


@journey
async def test_a_plan_that_is_made_goes_on_while_another_screen_is_shown_and_is_there_when_one_comes_back(
    tmp_path: Path,
) -> None:
    over = asyncio.Event()

    async def make(_request: MakePlan, hear: Callable[[Any], None]) -> Any:
        hear(Progress("asking the inventory"))
        await over.wait()
        return replace(VIEW, digest="77aa" + "0" * 60)

    stub = engine(Run(tmp_path), living=False, rollout__make=make)
    async with RingfenceApp(stub, first="rollout").run_test(size=(80, 24)) as pilot:
        await until(pilot, "canary db-2")
        await pilot.press("p")
        await until(pilot, "making a plan: asking the inventory")
        await pilot.press("H")
        text = await until(pilot, "HOSTS")
        assert text.splitlines()[0].rstrip().endswith("plan")
        await pilot.press("6")
        await until(pilot, "making a plan: asking the inventory")
        await pilot.press("H")
        await until(pilot, "HOSTS")
        stub.answers["rollout.opening"] = lambda _request, _hear: Opening(plan=replace(VIEW, digest="77aa" + "0" * 60))
        over.set()
        await until(pilot, lambda text: not text.splitlines()[0].rstrip().endswith("plan"))
        await pilot.press("6")
        await until(pilot, "Plan 77aa")
        assert len(asked(stub, "rollout.make")) == 1


@journey
async def test_what_went_wrong_with_a_plan_while_another_screen_was_shown_is_told_on_the_way_back(
    tmp_path: Path,
) -> None:
    over = asyncio.Event()

    async def make(_request: MakePlan, _hear: Callable[[Any], None]) -> Any:
        await over.wait()
        raise EngineError("no host answers", remedy="look at the inventory")

    stub = engine(Run(tmp_path), living=False, rollout__make=make)
    async with RingfenceApp(stub, first="rollout").run_test(size=(80, 24)) as pilot:
        await until(pilot, "canary db-2")
        await pilot.press("p")
        await until(pilot, "making a plan")
        await pilot.press("H")
        await until(pilot, "HOSTS")
        over.set()
        await until(pilot, lambda text: not text.splitlines()[0].rstrip().endswith("plan"))
        await pilot.press("6")
        await until(pilot, "no host answers  → look at the inventory")


@journey
async def test_a_board_shows_how_long_a_run_holds_and_asks_its_hosts_what_they_denied_since(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.tell(*map(confirmed, ("canary", "web-1", "web-2", "db-1")))
    run.end("successful")
    kept = Numbers(RUN, (3, 7, 40, 36), until="2026-11-24T07:01:05Z")
    told = replace(
        kept, asked="2026-11-24T07:02:00Z", denied=(HostDenials("web-1", 12, 3, (("no rule allows it", 12),)),)
    )
    stub = engine(run, rollout__numbers=lambda _request, _hear: kept, rollout__denials=lambda _request, _hear: told)
    async with RingfenceApp(stub, first="rollout").run_test(size=(80, 40)) as pilot:
        text = await until(pilot, "all 4 hosts have held the plan for 60.0 s")
        assert "flows denied, by its simulation           3        7" in text
        assert "i asks the hosts that confirmed" in text
        await pilot.press("i")
        text = await until(pilot, "12 packets on 1 host, none on 0")
        assert "12  (3 more in mode full)  since 07:00:05  12 by" in text
        assert asked(stub, "rollout.denials") == [AskDenials(RUN)]


class Stopped(datetime):
    """A clock that stands until somebody sets it."""

    at = datetime(2026, 11, 24, 8, tzinfo=UTC)

    @classmethod
    def now(cls, tz: object = None) -> datetime:
        """Return the time it was set to."""
        return cls.at


@journey
async def test_the_board_of_a_run_that_has_ended_says_anew_how_long_it_holds_though_nothing_is_told_of_it(
    tmp_path: Path,
) -> None:
    run = Run(tmp_path)
    run.tell(*map(confirmed, ("canary", "web-1", "web-2", "db-1")))
    run.end("successful")
    stub = engine(run, rollout__numbers=lambda _request, _hear: Numbers(RUN, (3, 7, 40, 36)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(board_page, "AGED", 0.05)
        patched.setattr(board_page, "datetime", Stopped)
        async with RingfenceApp(stub, first="rollout").run_test(size=(80, 40)) as pilot:
            await until(pilot, "all 4 hosts have held")
            asked_before = -1
            while asked_before != len(stub.asked):  # the screen asks for some things when it is opened
                asked_before = len(stub.asked)
                await pilot.pause(0.2)
            first = _held(await until(pilot, "all 4 hosts have held"))
            patched.setattr(Stopped, "at", Stopped.at + timedelta(hours=1))
            await until(pilot, lambda text: _held(text) not in ("", first))
            assert len(stub.asked) == asked_before


def _held(text: str) -> str:
    return next((line for line in text.splitlines() if "all 4 hosts have held" in line), "")
