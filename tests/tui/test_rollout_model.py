"""The rows of rollout, history and verify, without a terminal."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from ringfence.presenting.rollout_board import Board
from ringfence.presenting.rollout_fold import BoardFold, fold
from ringfence_tui.clock import lasted, moment
from ringfence_tui.screens.history.model import Frame, Replay
from ringfence_tui.screens.rollout.board_rows import MOST_HOSTS, board_rows, detail_rows, head_rows, possible, usable
from ringfence_tui.screens.rollout.keys import Shown, keys_of
from ringfence_tui.screens.rollout.model import PlanView, confirm_rows, plan_rows, wrapped
from ringfence_tui.screens.verify.model import Finding, VerifyRow, finding_of, in_order
from ringfence_tui.screens.verify.questions import difference_of
from ringfence_tui.spans import Span, Tone, plain

from tests.unit.rollout_events import PLAN, confirmed, failed, listed, started, step

VIEW = PlanView(
    digest=PLAN,
    number=12,
    made="2026-11-24T07:00:00Z",
    valid_until="2026-12-01T07:00:00Z",
    hosts=201,
    changed=("db-2", "web-1"),
    waves=(1, 10, 190),
    canary="db-2",
    effects=(("opens", 4), ("closes", 12)),
    traffic="3,112 flows: 12 newly denied",
)


def board(directory: Path, state: str = "running") -> Board:
    told = [started("canary"), confirmed("canary"), started("web-1"), started("web-2"), failed("web-2", 6)]
    return fold(listed(directory, state), told)


def keys(directory: Path, state: str, subject: str | int | None = None) -> str:
    return "".join(one.key for one in possible(board(directory, state), subject))


def test_a_board_shows_the_hosts_of_the_wave_that_works_and_only_counts_the_others(tmp_path: Path) -> None:
    rows = board_rows(board(tmp_path))

    assert rows.subjects == (0, 1, "web-2", "web-1", 2)
    assert "1/1 ✓" in plain(rows.rows[0])
    assert "1/2 ✗" in plain(rows.rows[1])
    assert "web-2                ✗ unreachable  no route to host" in plain(rows.rows[2])
    assert "web-1                ▸ connects" in plain(rows.rows[3])
    assert board_rows(board(tmp_path), frozenset({1, 2})).subjects == (0, 1, 2, "db-1")


def test_the_head_says_who_what_and_what_keeps_the_next_wave(tmp_path: Path) -> None:
    first, second, third = map(plain, head_rows(board(tmp_path).head))

    assert "Rollout 5f3a  by kim from 9c1e" in first
    assert "2 of 3 waves begun" in second
    assert "wave 2 waits: web-2 is neither confirmed nor excused" in third


def test_a_host_that_confirms_says_until_when(tmp_path: Path) -> None:
    told = [started("canary"), step("canary", "confirms", 2, seconds=20)]
    rows = board_rows(fold(listed(tmp_path), told))
    assert "confirms until " in plain(rows.rows[1])


def test_a_wave_of_many_hosts_shows_what_failed_and_counts_the_rest(tmp_path: Path) -> None:
    many = tuple(f"web-{number:04}" for number in range(2000))
    one = BoardFold((many,))
    one.take(failed("web-1999"))
    change = one.change(listed(tmp_path, waves=(many,)))
    rows = board_rows(Board(change.head, {host.name: host for host in change.hosts}))

    assert rows.subjects[1] == "web-1999"
    assert len(rows.rows) == MOST_HOSTS + 2
    assert "1,700 more of this wave" in plain(rows.rows[-1])


def test_what_can_be_done_depends_on_the_run_and_the_host_at_the_cursor(tmp_path: Path) -> None:
    assert keys(tmp_path, "running") == "PAR"
    assert keys(tmp_path, "running", "web-2") == "xPAR"
    assert keys(tmp_path, "running", "canary") == "PAR"
    assert keys(tmp_path, "failed") == "rR"
    assert keys(tmp_path, "failed", "web-2") == "xrR"


def test_the_key_line_of_a_paused_run_offers_to_go_on(tmp_path: Path) -> None:
    head = board(tmp_path).head

    assert keys_of(Shown.BOARD, head)[0].label == "pause"
    assert keys_of(Shown.BOARD, replace(head, pause=True))[0].label == "go on"


def test_keys_that_would_do_nothing_are_not_offered(tmp_path: Path) -> None:
    ended = board(tmp_path, "failed")
    done = [confirmed(name) for name in ("canary", "web-1", "web-2", "db-1")]
    well = fold(listed(tmp_path, "successful"), done)
    none = "no earlier plan; 'ringfence remove HOST' takes everything off"

    assert usable(ended) == frozenset("xrR")
    assert usable(well) == frozenset("R")
    assert usable(well, none) == frozenset()
    assert [one.sentence for one in possible(well, None, none)] == [none], "it is said before anybody presses R"
    shown = [key.name for key in keys_of(Shown.BOARD, well.head, usable(well, none))]
    assert not {"x", "r", "R"} & set(shown)
    text = "\n".join(map(plain, confirm_rows(replace(VIEW, no_way_back=none))))
    assert none in text, "and before the first rollout is confirmed"


def test_held_is_what_hosts_do_with_a_plan_and_a_run_that_waits_is_paused(tmp_path: Path) -> None:
    told = [*map(confirmed, ("canary", "web-1", "web-2")), started("db-1", 6), step("db-1", "held", 7)]
    run = listed(tmp_path, "paused")
    run.directory.steer(pause=True)
    one = fold(run, told)
    text = "\n".join(map(plain, (*head_rows(one.head), *board_rows(one).rows, *detail_rows(one, "db-1"))))

    assert one.head.lives
    assert "paused" in text
    assert "held" not in text


def test_a_plan_is_read_without_raw_times(tmp_path: Path) -> None:
    text = "\n".join(map(plain, plan_rows(VIEW)))
    assert not re.search(r"\dT\d|\dZ", text), text


def test_the_detail_of_a_host_tells_its_steps_and_its_reason(tmp_path: Path) -> None:
    text = "\n".join(map(plain, detail_rows(board(tmp_path), "web-2")))
    assert text.count("no route to host") == 1, "a message is read once"
    assert "connects" in text
    assert detail_rows(board(tmp_path), 1) == ()


def test_a_plan_that_cannot_be_rolled_out_says_so_first() -> None:
    rows = list(map(plain, plan_rows(replace(VIEW, stale="plan 5f3a was valid until yesterday: make a new one"))))
    assert "was valid until yesterday" in rows[1]


def test_what_is_confirmed_is_said_in_numbers() -> None:
    text = "\n".join(map(plain, confirm_rows(VIEW, limit=("web-1",), excuse=("web-7",), renew=True, within=45)))

    assert "2 of 201 hosts change" in text
    assert "canary db-2, then 10, then 190" in text
    assert "4 let in  12 closed" in text
    assert "12 newly denied" in text
    assert "1 host: web-1" in text
    assert "web-7: the waves go on without" in text
    assert "within 45 s" in text


def test_lines_of_a_diff_that_are_too_long_go_on_below() -> None:
    long = "   - from every asset but app=shop role=web env=prod (2); unknown  any: allow → deny"
    rows = wrapped([(Span(long, Tone.BAD),), (Span("short"),), ()], 40)

    assert [plain(one) for one in rows] == [
        "   - from every asset but app=shop",
        "       role=web env=prod (2); unknown",
        "       any: allow → deny",
        "short",
        "",
    ]
    assert {span.tone for one in rows[:3] for span in one} == {Tone.BAD}


def test_findings_are_told_by_the_worst_of_their_kinds_and_listed_worst_first() -> None:
    assert finding_of("verified", (), ok=True) == (Finding.EQUAL, "equal")
    assert finding_of("drifted", ("closed", "open"), ok=False) == (Finding.OPEN, "open")
    assert finding_of("drifted", ("closed",), ok=False) == (Finding.TIGHTER, "tighter")
    assert finding_of("unreachable", (), ok=False) == (Finding.UNKNOWN, "unreachable")
    assert finding_of("drifted", (), ok=False) == (Finding.OPEN, "drifted")
    rows = [VerifyRow(str(one), one, "", "", "", "") for one in reversed(Finding)]
    assert [one.finding for one in in_order(rows)] == list(Finding)


def test_a_difference_of_a_hostile_host_is_text_of_bounded_length() -> None:
    evil = {"change": ["x"] * 9999, "text": "\x1b" * 9999, "expected": 7, "found": {"effect": {}}, "line": "7"}
    found = difference_of(evil)
    # and how many letters more there are
    assert len(found.change) <= 340
    assert len(found.text) <= 340
    assert (found.plan_says, found.line, found.remote) == ("", 0, ())


def test_a_replay_is_stepped_within_its_frames(tmp_path: Path) -> None:
    one, run = BoardFold(listed(tmp_path).facts.waves), listed(tmp_path)
    frames = [Frame("", one.change(run))]
    for event in (started("canary"), confirmed("canary")):
        one.take(event)
        frames.append(Frame(event.time, one.change(run)))
    replay = Replay("run", tuple(frames))

    phases = [found.hosts["canary"].phase for number in (-3, 0, 1, 2, 99) if (found := replay.board(number))]

    assert list(map(str, phases)) == ["·", "·", "▸", "✓", "✓"]
    assert Replay("run", ()).board(0) is None


def test_times_that_are_none_are_not_shown() -> None:
    assert moment("yesterday") is None
    assert lasted("2026-11-24T07:00:00Z", "") == ""
    assert lasted("2026-11-24T07:00:05Z", "2026-11-24T07:00:00Z") == ""
    assert lasted("2026-11-24T07:00:00Z", "2026-11-24T07:00:04.100000+00:00") == "4.1 s"
    assert lasted("2026-11-24T07:00:00Z", "2026-11-24T07:30:00Z") == "30 min"
