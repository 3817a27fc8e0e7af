"""A log and the flows that 'flows read --json' printed of it are counted once, whichever is added first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ringfence.flows.readers import read
from ringfence.flows.reading import Reading
from ringfence.flows.records import record_of
from ringfence.flows.store import FlowStore
from ringfence.flows.store_counts import Added

LOG = """\
2 1 eni-1 10.0.0.1 10.0.0.2 40000 443 6 3 300 1795500000 1795500060 ACCEPT OK
2 1 eni-1 10.0.0.2 10.0.0.1 443 40000 6 3 300 1795500000 1795500060 ACCEPT OK
2 1 eni-1 10.0.0.3 10.0.0.2 40001 22 6 3 300 1795500000 1795500060 REJECT OK
"""
MORE = "2 1 eni-1 10.0.0.1 10.0.0.2 40009 443 6 3 300 1795503600 1795503660 ACCEPT OK\n"
OTHER = {"client": "10.0.0.9", "server": "10.0.0.2", "port": 443, "protocol": "tcp", "source": "vpc"}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A log, what was read of it, with a flow that it does not have, and a log with more."""
    log, flows, longer = tmp_path / "raw.log", tmp_path / "flows.json", tmp_path / "longer.log"
    log.write_text(LOG)
    rows = [record_of(flow) for flow in read(log, "vpc")]
    flows.write_text(json.dumps([*rows, {**OTHER, "first_seen": rows[0]["first_seen"]}]))
    longer.write_text(LOG + MORE)
    return {"vpc": log, "json": flows, "longer": longer}


def add(store: FlowStore, path: Path, flows_format: str) -> Added:
    return store.add_file(path, flows_format, Reading())


def seen(store: FlowStore) -> dict[tuple[int | None, str, int], int]:
    with store.window() as window:
        return {(one.port, one.outcome, one.client & 255): one.connections for one in window}


WHOLE = {(443, "answered", 1): 1, (22, "refused", 3): 1, (443, "answered", 9): 1}


def test_flows_of_a_log_that_was_added_are_left_out_and_named(tmp_path: Path, files: dict[str, Path]) -> None:
    store = FlowStore(tmp_path / "store")
    add(store, files["vpc"], "vpc")
    again = add(store, files["json"], "json")

    assert (again.read, again.new) == (3, 1)
    assert again.twice == (f"2 flows of the source vpc are kept already, from {files['vpc']}: counted once",)
    assert seen(store) == WHOLE


def test_a_log_takes_the_place_of_flows_that_were_read_of_it(tmp_path: Path, files: dict[str, Path]) -> None:
    store = FlowStore(tmp_path / "store")
    assert add(store, files["json"], "json").new == 3
    log = add(store, files["vpc"], "vpc")

    assert log.twice == (f"2 flows of the source vpc had come from {files['json']}: counted once, from here",)
    assert seen(store) == WHOLE
    assert add(store, files["longer"], "vpc").twice == ()
    assert seen(store) == {**WHOLE, (443, "answered", 1): 2}
