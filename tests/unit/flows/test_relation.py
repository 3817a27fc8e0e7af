"""Readers give relations: by SQL, or flow by flow through the one adapter; what a flow says comes through either."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.flows.columns import flow_at
from ringfence.flows.database import connect
from ringfence.flows.readers import read, read_by, relation, relation_by
from ringfence.flows.reading import Reading
from ringfence.flows.records import flow_of, record_of
from ringfence.flows.relation import FLOW_COLUMNS, relation_of
from ringfence.flows.store import FlowStore
from ringfence.model.errors import InputError
from ringfence.model.flows import Flow

from tests.unit.flows import flow_factory as factory
from tests.unit.flows.test_readers import cleaned


class Telescope:
    """A reader of somebody else: two rows, of which one cannot be."""

    def read(self, connection: duckdb.DuckDBPyConnection, path: Path, reading: Reading) -> duckdb.DuckDBPyRelation:
        seen = relation_of(connection, [factory.flow("10.0.0.1", "10.0.0.2", outcome="refused")])
        return seen.union(seen.project("* REPLACE (TIMESTAMP '2106-02-07 06:28:15' AS last_seen)"))


@settings(deadline=None, max_examples=30)
@given(st.lists(factory.flows(), max_size=5))
def test_flows_that_come_one_by_one_are_the_same_flows_as_a_relation(flows: list[Flow]) -> None:
    with connect() as connection:
        found = relation_of(connection, flows)
        assert found.columns == list(FLOW_COLUMNS)
        assert [str(kind) for kind in found.types] == list(FLOW_COLUMNS.values())
        assert [flow_at(row) for row in found.fetchall()] == [
            cleaned(one) if one.source else Flow(**{**_fields(cleaned(one)), "source": ""}) for one in flows
        ]


def _fields(flow: Flow) -> dict[str, object]:
    return {name: getattr(flow, name) for name in Flow.__dataclass_fields__}


def test_a_reader_of_relations_is_counted_and_what_cannot_be_is_left_out(tmp_path: Path) -> None:
    reading = Reading()
    with connect() as connection:
        found = relation_by(connection, Telescope(), tmp_path, reading).fetchall()
    assert [flow_at(row).outcome for row in found] == ["refused"]
    assert (reading.read, reading.bad) == (1, 1)
    assert [one.outcome for one in read_by(Telescope(), tmp_path, Reading())] == ["refused"]


def test_a_file_of_rows_is_a_relation_whose_wrong_rows_are_located(tmp_path: Path) -> None:
    path = tmp_path / "seen.csv"
    path.write_text("client,server,port,protocol,outcome\n10.0.0.1,10.0.0.2,1,tcp,refused\n10.0.0.1,x,1,tcp,\n")
    reading = Reading()
    with connect() as connection:
        rows = relation(connection, path, "csv", reading).project("client, outcome").fetchall()
    assert rows == [("10.0.0.1", "refused")]
    assert (reading.read, reading.bad) == (1, 1)
    assert str(reading.problems[0].place).endswith("seen.csv:3")


def test_outcome_reason_and_attributes_are_read_and_written_back(tmp_path: Path) -> None:
    record = {
        "client": "10.0.0.1",
        "server": "10.0.0.2",
        "port": 443,
        "protocol": "tcp",
        "outcome": "unanswered",
        "direction_by": "listener",
        "attributes": {"b": "2", "a": "\x1b[1m"},
    }
    flow = flow_of(record, observed=factory.NOON, source="json")
    assert (flow.outcome, flow.direction_by) == ("unanswered", "listener")
    assert record_of(flow)["attributes"] == {"a": r"\x1b[1m", "b": "2"}
    path = tmp_path / "seen.json"
    path.write_text(json.dumps([record_of(flow)]))
    assert list(read(path, "json")) == [flow]


@pytest.mark.parametrize(("field", "value"), [("outcome", "maybe"), ("attributes", "{"), ("attributes", [1])])
def test_an_outcome_or_attributes_that_are_not_valid_are_a_wrong_row(field: str, value: object) -> None:
    record = {"client": "::1", "server": "::1", "port": 1, "protocol": 6, field: value}
    with pytest.raises(InputError, match=field):
        flow_of(record, observed=factory.NOON, source="json")


def test_the_store_keeps_attempts_apart_from_what_was_answered(tmp_path: Path) -> None:
    store = FlowStore(tmp_path)
    store.add([factory.flow("10.0.0.1", "10.0.0.2", outcome=outcome) for outcome in ("answered", "refused")])
    with store.window() as window:
        assert sorted(one.outcome for one in window) == ["answered", "refused"]


def test_days_that_an_earlier_release_wrote_are_read_as_answered(tmp_path: Path) -> None:
    made, store = FlowStore(tmp_path / "made"), FlowStore(tmp_path / "old")
    flow = factory.flow("10.0.0.1", "10.0.0.2")
    made.add([flow])
    (batch,) = made.directory.glob("*.parquet")
    store.directory.mkdir()
    day = store.directory / "2026-11-24.parquet"
    with connect() as connection:
        lacking = "outcome, direction_by, attributes, origin"
        connection.execute(f"COPY (SELECT * EXCLUDE ({lacking}) FROM '{batch}') TO '{day}' (FORMAT parquet)")
    assert store.add([flow]).new == 0
    with store.window() as window:
        assert list(window) == [flow]
