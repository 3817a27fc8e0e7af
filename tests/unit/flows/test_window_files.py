"""What a store's files say by their statistics is not looked for in their rows; nothing else is taken for granted."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from ringfence.flows.database import database
from ringfence.flows.engine import DuckEngine
from ringfence.flows.store import FlowStore
from ringfence.flows.window_files import KeptFiles
from ringfence.model.flows import Flow

from tests.unit.flows import flow_factory as factory

WEB, DB = "10.0.0.1", "10.0.0.2"
NOON, HOUR = factory.NOON, timedelta(hours=1)


def kept(directory: Path, *flows: Flow, since: timedelta = -HOUR, latest: timedelta = 99 * HOUR) -> KeptFiles:
    FlowStore(directory).add(flows)
    with database() as connection:
        return KeptFiles.of(connection, sorted(directory.glob("*.parquet")), NOON + since, None, NOON + latest)


def test_files_within_the_window_are_neither_bounded_nor_doubted(tmp_path: Path) -> None:
    found = kept(tmp_path, factory.flow(WEB, DB, source="a"), factory.flow(WEB, DB, at=NOON + 24 * HOUR, source="a"))
    (part,) = found.parts
    assert (part.bounded, part.doubtful, part.outcome) == (False, False, "answered")
    assert (found.known.no_process, found.known.one_source) == (True, True)
    assert found.times == (NOON.replace(tzinfo=None), (NOON + 24 * HOUR).replace(tzinfo=None))


@pytest.mark.parametrize(
    ("other", "known"),
    [
        (factory.flow(WEB, DB, 1, source="b"), (True, False, "answered")),
        (factory.flow(WEB, DB, 1, source="a", outcome="refused"), (True, True, None)),
        (factory.flow(WEB, DB, 1, source="a", server_user="app"), (False, True, "answered")),
        (factory.flow(WEB, DB, 1, source="a" * 40), (True, False, "answered")),
    ],
)
def test_what_differs_within_a_file_is_looked_for(
    other: Flow, known: tuple[bool, bool, str | None], tmp_path: Path
) -> None:
    found = kept(tmp_path, factory.flow(WEB, DB, source="a"), other)
    assert (found.known.no_process, found.known.one_source, found.parts[0].outcome) == known


def test_files_that_reach_out_of_the_window_are_bounded_and_those_of_a_fast_clock_doubted(tmp_path: Path) -> None:
    found = kept(tmp_path, factory.flow(WEB, DB), factory.flow(WEB, DB, at=NOON + 24 * HOUR), since=HOUR, latest=HOUR)
    assert {(part.bounded, part.doubtful) for part in found.parts} == {(True, False), (False, True)}
    assert found.times is None
    with database() as connection:
        engine = DuckEngine(connection)
        found.make_views(engine)
        assert (found.wrong(engine), engine.rows("SELECT * FROM observed")) == (1, [])


def test_a_file_of_an_earlier_release_is_looked_through(tmp_path: Path) -> None:
    FlowStore(tmp_path).add([factory.flow(WEB, DB)])
    (batch,) = tmp_path.glob("*.parquet")
    batch.rename(tmp_path / "2026-11-24.parquet")
    assert kept(tmp_path).parts[0].doubtful
