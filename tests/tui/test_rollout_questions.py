"""The questions of rollout, history and verify, asked of a workspace without the screen process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from ringfence.model.errors import InputError
from ringfence.operations import draft
from ringfence.operations.execution import Execution
from ringfence.operations.kept_proofs import keep_proofs, kept_proofs
from ringfence.presenting.rollout_board import Board, BoardChange, Phase, merged
from ringfence.rollout import Event, EventKind, HostResult, Interrupted, PlaybookResult
from ringfence.rollout.cancellation import Cancelled
from ringfence.rollout.results import collect
from ringfence.rollout.run_events import TimedEvent, event_line
from ringfence.rollout.runs import END_FILE, EVENTS_FILE, RunDirectory, RunFacts, begin_run, write_whole
from ringfence.wire.journal_lines import CONFIRMED, journal_line
from ringfence.wire.plan_format import JOURNAL_FILE
from ringfence_tui.engine.progress import Progress
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.screens.history.questions import replay, runs
from ringfence_tui.screens.rollout.model import PlanView
from ringfence_tui.screens.rollout.questions import QUESTIONS, follow, log, make, opening, plan, steer
from ringfence_tui.screens.rollout.requests import Begin, MakePlan, Steer
from ringfence_tui.screens.verify.model import Finding, ReadHost
from ringfence_tui.screens.verify.questions import keep, kept
from ringfence_tui.screens.verify.questions import run as read_back
from ringfence_tui.screens.verify.requests import Keep, Verify
from ringfence_tui.spans import plain as text_of

from tests.unit.cli_shop import shop
from tests.unit.rollout_events import confirmed, failed, started

HOSTS = ("db-1", "web-1")


class Heard:
    """Keeps the parts of an answer."""

    def __init__(self) -> None:
        """Hear nothing yet."""
        self.parts: list[object] = []
        self.tell = Tell(self.parts.append)

    @property
    def board(self) -> Board | None:
        """Return the board that was told."""
        board = None
        for part in self.parts:
            if isinstance(part, BoardChange):
                board = merged(board, part)
        return board


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EngineSession:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return EngineSession(shop(tmp_path / "shop"))


@contextmanager
def begun(session: EngineSession, plan: str = "5f3a" + "0" * 60) -> Iterator[RunDirectory]:
    """Give a run that lives: this process holds its locks."""
    facts = RunFacts("kim", "9c1e" + "0" * 36, plan, "2026-11-24T07:00:00Z", HOSTS, (("db-1",), ("web-1",)))
    run, locks = begin_run(session.directory / ".ringfence", facts)
    files = [os.fdopen(descriptor) for descriptor in locks]  # they hold the locks
    try:
        yield run
    finally:
        for file in files:
            file.close()


def write(run: RunDirectory, *events: TimedEvent) -> None:
    with (run.path / EVENTS_FILE).open("a") as file:
        file.writelines(event_line(one.event, one.time) for one in events)


def end(run: RunDirectory, status: str = "successful") -> None:
    write_whole(run.path / END_FILE, {"status": status, "hosts": [], "ended": "2026-11-24T07:00:20Z"})


def test_a_plan_is_made_with_progress_and_opens_the_screen(session: EngineSession) -> None:
    heard = Heard()
    assert opening(session, None, heard.tell).why_no_plan == "no plan was made yet: plans/ is empty"

    made = make(session, MakePlan(), heard.tell)

    assert made.waves == (1, 2, 1)
    assert made.changed == ("api-1", "db-1", "web-1", "web-2")
    assert any(does == "closes" for does, _ in made.effects)
    assert "web-1" in "\n".join(map(text_of, made.rows))
    assert any(isinstance(part, Progress) for part in heard.parts)
    found = opening(session, None, Heard().tell)
    assert (found.living, found.newest) == ("", "")
    assert found.plan is not None
    assert found.plan.digest == made.digest
    with pytest.raises(InputError, match="its hosts confirmed no other"):
        make(session, MakePlan(back_from=made.digest), Heard().tell)


def test_going_back_brings_back_the_newest_plan_that_the_hosts_confirmed_before(session: EngineSession) -> None:
    first = make(session, MakePlan(), Heard().tell)
    journal = session.estate.plans / first.digest[:12] / JOURNAL_FILE
    journal.write_bytes(journal_line(first.digest[:12], "db-1", CONFIRMED))
    policy = session.directory / "policy/shop.yml"
    policy.write_text(policy.read_text().replace("tcp/8443", "tcp/8444"))
    (session.directory / "policy/tests/shop.yml").unlink()
    second = make(session, MakePlan(), Heard().tell)

    back = make(session, MakePlan(back_from=second.digest), Heard().tell)

    assert second.digest != first.digest
    assert back.restores == first.digest
    assert kept(session, None, Heard().tell).why == "nobody has read the hosts back yet"


def test_a_run_is_followed_from_its_beginning_to_its_end(session: EngineSession) -> None:
    heard, heads = Heard(), []
    with begun(session) as run:
        write(run, started("db-1"))
        thread = threading.Thread(target=lambda: heads.append(follow(session, run.id, heard.tell)))
        thread.start()
        until(lambda: heard.board is not None and heard.board.hosts["db-1"].phase is Phase.WORKS)
        write(run, confirmed("db-1"), started("web-1", 6))
        until(lambda: heard.board is not None and heard.board.hosts["web-1"].phase is Phase.WORKS)
        write(run, confirmed("web-1", 9))
        end(run)
    thread.join(20)

    (head,) = heads
    assert (head.state, head.count(Phase.WELL), head.ended) == ("successful", 2, "2026-11-24T07:00:20Z")
    assert heard.board is not None
    assert heard.board.head == head
    lines = [text_of(line) for line in log(session, run.id, Heard().tell)]
    assert [line.split()[1:] for line in lines] == [
        ["db-1", "started"],
        ["db-1", "done", "confirmed"],
        ["web-1", "started"],
        ["web-1", "done", "confirmed"],
    ]


def test_who_looks_away_leaves_the_run_as_it_is(session: EngineSession) -> None:
    heard = Heard()
    with begun(session) as run:
        ended: list[type[BaseException]] = []

        def look() -> None:
            try:
                follow(session, run.id, heard.tell)
            except Cancelled:
                ended.append(Cancelled)

        thread = threading.Thread(target=look)
        thread.start()
        until(lambda: heard.board is not None)
        heard.tell.cancel.cancel()
        thread.join(20)
        assert ended == [Cancelled]
        assert not run.control().abort
        assert run.lives()


def test_a_run_is_steered_while_it_lives_and_refused_afterwards(session: EngineSession) -> None:
    with begun(session) as run:
        assert steer(session, Steer(run.id, pause=True), Heard().tell) == "it pauses before its next wave"
        assert opening(session, None, Heard().tell).living == run.id
        steer(session, Steer(run.id, excuse=("web-1",)), Heard().tell)
        assert (run.control().pause, run.control().excuse) == (True, ("web-1",))
        with pytest.raises(InputError, match="no entry for web-9"):
            steer(session, Steer(run.id, excuse=("web-9",)), Heard().tell)
    with pytest.raises(InputError, match="has ended"):
        steer(session, Steer(run.id, abort=True), Heard().tell)


def test_read_only_refuses_what_changes(session: EngineSession) -> None:
    session.read_only = True
    for name, request in (("make", MakePlan()), ("begin", Begin("latest")), ("steer", Steer("20"))):
        with pytest.raises(InputError, match="read-only"):
            QUESTIONS[name](session, request, Heard().tell)
    with pytest.raises(InputError, match="read-only"):
        keep(session, Keep("db-1", "in", 4, ("any",), ("tcp/22",)), Heard().tell)


def test_history_has_every_run_also_beside_a_damaged_one_and_replays_them(session: EngineSession) -> None:
    with begun(session) as run:
        write(run, started("db-1"), confirmed("db-1"), started("web-1", 6), failed("web-1", 8))
        end(run, "failed")
    damaged = run.path.with_name("20261123T070000Z-5f3a00000000")
    damaged.mkdir()
    (damaged / "run.json").write_text("{")

    found = runs(session, None, Heard().tell)

    one, broken = found.rows
    assert (one.state, one.lasted, one.lives, one.well) == ("failed", "20.0 s", False, False)
    assert (broken.run, broken.state) == (damaged.name, "damaged")
    assert broken.damage == "this run is damaged: run.json is no JSON"
    assert f"runs forget {damaged.name}" in broken.remedy
    told = replay(session, run.id, Heard().tell)
    boards = [told.board(number) for number in range(len(told.frames))]
    phases = [board.hosts["web-1"].phase for board in boards if board is not None]
    assert phases == [Phase.NEXT, Phase.NEXT, Phase.NEXT, Phase.WORKS, Phase.FAILED, Phase.FAILED]
    last = boards[-1]
    assert last is not None
    assert last.head.state == "failed"


def test_what_was_verified_last_is_shown_with_the_hosts_that_nobody_read(session: EngineSession) -> None:
    made: PlanView = make(session, MakePlan(), Heard().tell)
    journal = session.estate.plans / made.digest[:12] / JOURNAL_FILE
    journal.write_bytes(journal_line(made.digest[:12], "db-1", CONFIRMED))
    drift = {"drift": ["inbound from any, tcp/5432, now: allow, expected deny"], "differences": [{"change": "open"}]}
    told = {
        "db-1": HostResult("db-1", "drifted", ok=False, result=drift),
        "web-1": HostResult("web-1", "verified", ok=True),
    }
    keep_proofs(session.estate, made.digest, told, "2026-11-24T09:14:00Z")

    view = kept(session, None, Heard().tell)

    assert [(one.host, one.finding) for one in view.rows] == [
        ("db-1", Finding.OPEN),
        ("api-1", Finding.UNKNOWN),
        ("web-2", Finding.UNKNOWN),
        ("web-1", Finding.EQUAL),
    ]
    assert view.rows[0].since == "2026-11-24T09:14:00Z"
    assert plan(session, made.digest[:4], Heard().tell).digest == made.digest


def test_hosts_are_read_back_with_progress_and_what_differs_is_told_and_kept(
    session: EngineSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(session, MakePlan(), Heard().tell)
    opened = {
        "change": "open",
        "text": "inbound from any, tcp/5432, now: allow, expected deny",
        "expected": {"effect": "deny", "rule": "default", "log": False},
        "found": {"effect": "allow", "rule": "", "log": False},
    }
    drift = {"state": "drifted", "drift": [opened["text"]], "differences": [opened], "not_proven": ["table x\x1b"]}

    def play(
        _name: str,
        _inventory: object,
        _variables: object,
        on_event: Callable[[Event], None],
        *,
        expected: Sequence[str],
        **_: object,
    ) -> PlaybookResult:
        events = [
            Event(EventKind.FAILED, 1, "verify", "db-1", drift),
            *(Event(EventKind.DONE, 1, "verify", name, {"state": "verified"}) for name in expected if name != "db-1"),
        ]
        for event in events:
            on_event(event)
        return PlaybookResult(collect(events, expected), "failed")

    monkeypatch.setattr(
        session, "execution", lambda tell, listener: Execution(listener, cancel=tell.cancel, runner=play)
    )
    heard = Heard()

    view = read_back(session, Verify(made.digest), heard.tell)

    assert [(one.host, one.finding) for one in view.rows[:2]] == [
        ("db-1", Finding.OPEN),
        ("api-1", Finding.EQUAL),
    ]
    (difference,) = view.rows[0].differences
    assert (difference.plan_says, difference.kernel_says) == ("deny by default", "allow")
    assert Progress("verify: 4 of 4 hosts") in heard.parts
    told = [part for part in heard.parts if isinstance(part, ReadHost)]
    assert [(one.row.host, one.row.finding, one.asked) for one in told[:1]] == [("db-1", Finding.OPEN, 4)]
    assert told[0].row.differences == view.rows[0].differences
    assert kept_proofs(session.estate)["db-1"].changes == ("open",)


def test_a_verify_that_is_stopped_keeps_what_it_read_until_then(
    session: EngineSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(session, MakePlan(), Heard().tell)
    heard = Heard()

    def play(*arguments: object, expected: Sequence[str], **_: object) -> PlaybookResult:
        on_event = arguments[3]
        assert callable(on_event)
        events = [Event(EventKind.DONE, 1, "verify", name, {"state": "verified"}) for name in ("db-1", "web-1")]
        on_event(events[0])
        heard.tell.cancel.cancel()
        on_event(events[1])  # it was read when nobody waited for it any more
        raise Interrupted(PlaybookResult(collect(events, expected), "interrupted"))

    monkeypatch.setattr(
        session, "execution", lambda tell, listener: Execution(listener, cancel=tell.cancel, runner=play)
    )

    view = read_back(session, Verify(made.digest), heard.tell)

    assert view.interrupted
    assert [part.row.host for part in heard.parts if isinstance(part, ReadHost)] == ["db-1"]
    assert set(kept_proofs(session.estate)) == {"db-1", "web-1"}


def test_what_is_open_is_kept_as_a_rule_of_the_draft_that_allows_just_that(session: EngineSession) -> None:
    request = Keep("db-1", "in", 4, ("10.9.0.1", "10.9.0.4-10.9.0.9"), ("tcp/5432",))

    assert keep(session, request, Heard().tell) == "'kept: to db-1' in policy/shop.yml"
    assert keep(session, Keep("db-1", "in", 6, ("any",), ("tcp/22",)), Heard().tell).startswith("'kept: to db-1 2'")

    difference = draft.show(session.estate).difference()
    assert "{cidr: [10.9.0.1, 10.9.0.4-10.9.0.9]}" in difference or "10.9.0.4-10.9.0.9" in difference
    assert "::/0" in difference
    assert draft.policy_of(session.estate, draft.show(session.estate).edited).rules
    with pytest.raises(InputError, match="the inventory has no 'stranger'"):
        keep(session, Keep("stranger", "in", 4, ("any",), ("tcp/22",)), Heard().tell)
    with pytest.raises(InputError, match="no rule should name them"):
        keep(session, Keep("db-1", "in", 4, ("10.0.0.1",) * 51, ("tcp/22",)), Heard().tell)
    with pytest.raises(InputError):
        keep(session, Keep("db-1", "in", 4, ("10.0.0.1",), ("\x1b[2J",)), Heard().tell)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
