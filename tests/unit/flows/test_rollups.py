"""A batch that tells the same flows again and again has a rollup, and every question has the same answer with it."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path

import pytest
from ringfence.flows import rollups
from ringfence.flows.ledger import ROLLUPS, Ledger
from ringfence.flows.store import FlowStore
from ringfence.flows.window import FlowWindow
from ringfence.model.errors import OutsideError
from ringfence.model.flows import Flow

from tests.unit.flows import flow_factory as factory

WEB, API, DB = "10.0.0.1", "10.0.0.2", "10.0.0.3"
NOON, MINUTE = factory.NOON, timedelta(minutes=1)
LATEST = NOON + timedelta(days=1)


@pytest.fixture(autouse=True)
def _small_batches_have_rollups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "LEAST_ROWS", 8)


def looks(count: int = 8, start: int = 0) -> list[Flow]:
    """Return what hosts and a sensor saw of two flows, minute by minute."""
    found = []
    for number in range(start, start + count):
        at = NOON + number * MINUTE
        found += [
            factory.flow(WEB, API, at=at, source="hosts:web", client_unit="web.service", connections=2),
            factory.flow(WEB, API, at=at, source="hosts:api", server_unit="api.service", bytes=number),
            factory.flow(API, DB, 5432, at=at, source="x", direction_by="port" if number % 2 else "first"),
        ]
    return found


def store(directory: Path, *batches: list[Flow]) -> FlowStore:
    made = FlowStore(directory / "flows")
    for flows in batches:
        made.add(flows)
    return made


def read(made: FlowStore) -> list[Path]:
    """Return the rollups that a window of everything reads."""
    with made.window(latest=LATEST) as window:
        assert window._files is not None
        return sorted(window._files.rollups.values())


def answers(window: FlowWindow) -> tuple[object, ...]:
    with window:
        return (list(window.flows()), window.totals(), window.digest(), window.distinct)


def without_rollups(made: FlowStore) -> FlowWindow:
    return FlowWindow.of_files(sorted(made.directory.glob("*.parquet")), None, None, LATEST)


def test_a_window_of_rollups_answers_as_one_of_observations_does(tmp_path: Path) -> None:
    made = store(tmp_path, looks())
    assert len(read(made)) == 1
    assert answers(made.window(latest=LATEST)) == answers(without_rollups(made))


def test_a_batch_that_repeats_nothing_has_no_rollup(tmp_path: Path) -> None:
    made = store(tmp_path, [factory.flow(WEB, API, port) for port in range(1, 30)])
    assert (read(made), list(made.directory.glob(f"{ROLLUPS}/*"))) == ([], [])


def test_a_window_that_cuts_a_batch_reads_its_observations(tmp_path: Path) -> None:
    made = store(tmp_path, looks())
    since = NOON + 5 * MINUTE
    with made.window(since, None, LATEST) as window:
        assert window._files is not None
        assert not window._files.rollups
        assert window.distinct.connections == 3 * 2 + 3


def test_the_same_observations_twice_are_counted_once(tmp_path: Path) -> None:
    made = store(tmp_path, looks(), looks(12))
    with made.window(latest=LATEST) as window:
        assert window.distinct.connections == 12 * 2 + 12


def test_compaction_rolls_up_anew_and_deletes_what_nobody_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = store(tmp_path, *(looks(4, start) for start in range(0, 40, 4)))
    monkeypatch.setattr("ringfence.flows.ledger.KEPT_FOR", timedelta(0))
    made.add([factory.flow(WEB, DB)])
    ledger = Ledger.load(made.directory)
    assert {path.name for path in made.directory.glob(f"{ROLLUPS}/*")} == set(ledger.rollups) <= set(ledger.batches)
    assert answers(made.window(latest=LATEST)) == answers(without_rollups(made))


def test_a_rollup_that_a_crash_left_is_read_by_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = store(tmp_path, looks(4))
    with monkeypatch.context() as crashing:
        crashing.setattr(Ledger, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            made.add(looks(4, 20))
    assert len(read(made)) == 1
    (made.directory / ROLLUPS / "notes.txt").touch()
    made.add([factory.flow(WEB, DB)])  # takes the number of the batch that the crash left
    left = {path.name for path in made.directory.glob(f"{ROLLUPS}/*")}
    assert left == {"notes.txt", *Ledger.load(made.directory).rollups}
    assert answers(made.window(latest=LATEST)) == answers(without_rollups(made))


def test_a_rollup_that_is_gone_costs_nothing_and_a_torn_one_is_named_and_set_aside(tmp_path: Path) -> None:
    made = store(tmp_path, looks())
    (path,) = read(made)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(OutsideError, match="cannot be read"), made.window(latest=LATEST) as window:
        _ = window.distinct
    damage = made.set_damaged_aside()
    assert (damage.names, damage.add_again) == ((f"{ROLLUPS}/{path.name}",), ())
    assert answers(made.window(latest=LATEST)) == answers(without_rollups(made))
    other = store(tmp_path / "other", looks())
    read(other)[0].unlink()
    assert read(other) == []


def test_forgotten_days_leave_no_rollup(tmp_path: Path) -> None:
    made = store(tmp_path, looks())
    made.forget((NOON + timedelta(days=1)).astimezone(UTC).date())
    assert list(made.directory.glob(f"{ROLLUPS}/*")) == []


def test_a_sum_beyond_the_column_is_not_rolled_up(tmp_path: Path) -> None:
    many = (1 << 63) - 1
    made = store(tmp_path, [factory.flow(WEB, API, at=NOON + n * MINUTE, connections=many) for n in range(9)])
    assert read(made) == []
    with made.window(latest=LATEST) as window:
        assert window.distinct.connections == 9 * many
