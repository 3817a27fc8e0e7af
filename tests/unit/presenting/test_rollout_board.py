"""The board of a rollout: what its events say, in whatever order and however hostile they come."""

from __future__ import annotations

import json
import random
from pathlib import Path

from ringfence.presenting.rollout_board import Phase, merged
from ringfence.presenting.rollout_fold import LONGEST, BoardFold, fold
from ringfence.rollout.events import Event, EventKind
from ringfence.rollout.run_events import RunReader, TimedEvent, event_line
from ringfence.rollout.runs import EVENTS_FILE, RunDirectory
from ringfence.wire.run_files import STEPS_FILE

from tests.unit.rollout_events import WAVES, at, confirmed, failed, listed, started, step


def test_a_host_goes_from_next_over_its_steps_to_its_end(tmp_path: Path) -> None:
    one = BoardFold(WAVES)
    assert one.hosts["web-1"].phase is Phase.NEXT

    one.take(started("web-1"))
    one.take(step("web-1", "loads", 2))
    one.take(step("web-1", "confirms", 3, seconds=26.5))
    working = one.hosts["web-1"]
    assert (working.phase, working.word, working.until) == (Phase.WORKS, "confirms", at(29.5))

    one.take(confirmed("web-1", 4, standing_denied=[{}, {}], standing_denied_more=3, warnings=["no conntrack"]))
    done = one.hosts["web-1"]
    assert (done.phase, done.word, done.changed, done.denied) == (Phase.WELL, "confirmed", True, 5)
    assert done.warnings == ("no conntrack",)
    assert [what for _, what in done.said] == ["connects", "loads", "confirms", "confirmed"]
    board = fold(listed(tmp_path), [])
    assert [wave.name for wave in board.head.waves] == ["canary", "wave 1", "wave 2"]


def test_a_wave_counts_its_hosts_and_says_what_keeps_the_next_one_from_beginning(tmp_path: Path) -> None:
    told = [started("canary"), confirmed("canary"), started("web-1"), started("web-2"), failed("web-2", 6)]

    board = fold(listed(tmp_path), told)

    wave = board.head.waves[1]
    assert dict(wave.counts) == {Phase.WORKS: 1, Phase.FAILED: 1}
    assert (wave.done, wave.over, wave.stops) == (1, False, 1)
    assert board.head.waits == "wave 2 waits: web-2 is neither confirmed nor excused"
    assert [host.name for host in board.of_wave(1)] == ["web-2", "web-1"]
    assert board.failed() == ("web-2",)
    assert board.hosts["web-2"].reason == "no route to host"


def test_an_excused_host_no_longer_keeps_the_next_wave(tmp_path: Path) -> None:
    run = listed(tmp_path)
    run.directory.steer(excuse=("web-2",))
    told = [confirmed("canary"), confirmed("web-1"), failed("web-2")]

    board = fold(run, told)

    assert board.hosts["web-2"].phase is Phase.EXCUSED
    assert board.head.waits == ""
    assert board.head.excuse == ("web-2",)


def test_a_paused_run_says_that_it_holds_and_where(tmp_path: Path) -> None:
    run = listed(tmp_path, "pausing")
    run.directory.steer(pause=True)
    told = [confirmed("canary"), confirmed("web-1"), confirmed("web-2"), started("db-1", 6), step("db-1", "held", 7)]

    board = fold(run, told)

    assert board.hosts["db-1"].phase is Phase.HELD
    assert not board.head.waves[2].begun
    assert board.head.waits == "wave 2 waits: somebody paused this run"


def test_what_a_run_that_ended_left_in_between_is_said(tmp_path: Path) -> None:
    told = [confirmed("canary"), started("web-1"), step("web-1", "loads"), started("web-2")]
    end = {"hosts": [{"host": "web-1", "reason": "Ansible was killed"}, "damage", {"reason": 7}]}

    board = fold(listed(tmp_path, "failed"), told, end)

    assert board.hosts["web-1"].phase is Phase.LEFT
    assert board.hosts["web-1"].reason == "Ansible was killed"
    assert "goes back by itself" in board.hosts["web-2"].reason
    assert board.hosts["db-1"].phase is Phase.NEXT


def test_events_that_come_twice_change_nothing(tmp_path: Path) -> None:
    told = [started("web-1"), step("web-1", "loads"), confirmed("web-1"), failed("web-2", 6)]

    once, twice = (fold(listed(tmp_path), events) for events in (told, [one for two in told for one in (two, two)]))

    assert once == twice


def test_steps_that_come_late_do_not_bring_back_a_host_that_has_ended(tmp_path: Path) -> None:
    told = [started("web-1"), step("web-1", "loads"), step("web-1", "confirms", 3), confirmed("web-1", 4)]
    expected = fold(listed(tmp_path), told).hosts["web-1"]
    rest = [one for one in told if one.event.kind is not EventKind.DONE]
    rng = random.Random(12)

    for _ in range(20):
        rng.shuffle(rest)
        found = fold(listed(tmp_path), [*told, *rest]).hosts["web-1"]
        assert (found.phase, found.word, found.ended, found.tries) == (
            expected.phase,
            expected.word,
            expected.ended,
            expected.tries,
        )


def test_a_second_try_begins_anew_and_is_counted() -> None:
    one = BoardFold(WAVES)
    for told in (started("web-1"), failed("web-1", 3), started("web-1", 8), confirmed("web-1", 9)):
        one.take(told)

    assert (one.hosts["web-1"].phase, one.hosts["web-1"].tries, one.hosts["web-1"].reason) == (Phase.WELL, 2, "")


def test_hostile_events_are_text_of_bounded_length_and_of_known_hosts_alone(tmp_path: Path) -> None:
    evil = "\x1b]52;c;evil\x07[@click=app.bell]\n" * 1000
    one = BoardFold(WAVES)
    one.take(failed("web-1", reason=evil, state=evil))
    one.take(TimedEvent(evil, Event(EventKind.STARTED, 1, evil, "web-2")))
    one.take(step("web-2", "confirms", seconds=float("nan")))
    one.take(confirmed("canary", warnings=[{"a": evil}] * 1000, standing_denied=evil, standing_denied_more=evil))
    one.take(step("db-1", evil))
    one.take(started(evil))
    one.take(TimedEvent("", Event(EventKind.PLAY, 9, evil)))

    board = merged(None, one.change(listed(tmp_path)))

    assert one.strangers == 1
    assert set(board.hosts) == {"canary", "web-1", "web-2", "db-1"}
    assert board.hosts["db-1"].phase is Phase.NEXT
    assert board.hosts["web-2"].until == ""
    text = repr(board.hosts)
    assert not any(ord(letter) < 32 or ord(letter) == 127 for host in board.hosts.values() for letter in host.reason)
    assert "\x1b" not in text
    assert len(text) < 100 * LONGEST


def test_a_change_has_only_the_hosts_that_changed_and_merged_they_are_the_board(tmp_path: Path) -> None:
    run = listed(tmp_path)
    one = BoardFold(WAVES)
    board = merged(None, one.change(run))
    assert len(board.hosts) == 4
    for told in (started("canary"), confirmed("canary"), started("web-1", 6)):
        one.take(told)
        change = one.change(run)
        assert len(change.hosts) == 1
        board = merged(board, change)
    assert board == fold(run, [started("canary"), confirmed("canary"), started("web-1", 6)])


def test_a_reader_goes_on_where_it_stopped_and_damaged_lines_count_as_not_written(tmp_path: Path) -> None:
    reader = RunReader(RunDirectory(tmp_path))
    assert reader.new() == []
    first, second = started("web-1"), confirmed("web-1", 5)
    line = event_line(second.event, second.time)
    with (tmp_path / EVENTS_FILE).open("w") as file:
        file.write(event_line(first.event, first.time) + '{"kind": "done"}\n[]\n' + "[" * 100_000 + "\n" + line[:20])
    assert reader.new() == [first]
    (tmp_path / STEPS_FILE).write_text(
        json.dumps({"time": at(3), "host": "web-1", "step": "loads", "seconds": None}) + "\n7\n{}\n"
    )
    with (tmp_path / EVENTS_FILE).open("a") as file:
        file.write(line[20:])

    assert [one.event.kind for one in reader.new()] == [EventKind.DOING, EventKind.DONE]
    assert reader.new() == []
