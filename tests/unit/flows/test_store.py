"""The store keeps every observation once, by day, with the assets of then, and gives windows of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.flows.holders import Holders
from ringfence.flows.kept_sources import kept_sources
from ringfence.flows.listeners import kept_listeners
from ringfence.flows.store import FlowStore
from ringfence.flows.window import FlowWindow
from ringfence.model.addresses import point_of
from ringfence.model.errors import OutsideError, RingfenceError
from ringfence.model.flows import Flow

from tests.unit.flows import flow_factory as factory

WEB, DB = "10.0.0.1", "10.0.0.2"
ESTATE = factory.snapshot(factory.asset("web-1", WEB, role="web"), factory.asset("db-1", DB, role="db"))


def test_the_same_observation_twice_is_counted_once(tmp_path: Path) -> None:
    store = FlowStore(tmp_path)
    flows = [factory.flow(WEB, DB, connections=3), factory.flow(WEB, DB, 80), factory.flow(WEB, DB, 80)]
    assert store.add(flows, [ESTATE]).new == 2
    again = store.add(flows, [ESTATE])
    assert (again.read, again.new) == (3, 0)
    with store.window() as window:
        assert {one.port: one.connections for one in window} == {443: 3, 80: 2}
        assert window.totals()["connections"] == 5


def test_a_record_that_grew_replaces_its_smaller_self(tmp_path: Path) -> None:
    store = FlowStore(tmp_path)
    store.add([factory.flow(WEB, DB, connections=3, bytes=9)])
    store.add([factory.flow(WEB, DB, connections=5, bytes=20)])
    store.add([factory.flow(WEB, DB, connections=4, bytes=10)])
    with store.window() as window:
        assert [(one.connections, one.bytes) for one in window] == [(5, 20)]


def test_flows_are_filed_by_their_first_day_and_windows_cut_by_time(tmp_path: Path) -> None:
    store = FlowStore(tmp_path)
    days = [factory.flow(WEB, DB, 1000 + hour, at=factory.NOON + timedelta(hours=hour)) for hour in range(0, 60, 6)]
    added = store.add(days)
    assert added.days == store.days() == (date(2026, 11, 24), date(2026, 11, 25), date(2026, 11, 26))
    since = factory.NOON + timedelta(hours=12)
    with store.window(since, since + timedelta(hours=12)) as window:
        assert sorted(one.port for one in window) == [1012, 1018]
    with store.window(until=factory.NOON) as window:
        assert len(window) == 0
    assert store.forget(date(2026, 11, 25)) == 1
    assert store.days() == (date(2026, 11, 25), date(2026, 11, 26))


def test_a_flow_that_lasts_past_midnight_is_in_the_windows_of_both_days(tmp_path: Path) -> None:
    store = FlowStore(tmp_path)
    store.add([replace(factory.flow(WEB, DB), last_seen=factory.NOON + timedelta(days=2))])
    midnight = datetime(2026, 11, 25, tzinfo=UTC)
    for since in (None, midnight, midnight + timedelta(days=1)):
        with store.window(since) as window:
            assert len(window) == 1
    with store.window(midnight + timedelta(days=3)) as window:
        assert len(window) == 0


def test_ends_are_the_assets_of_then(tmp_path: Path) -> None:
    later = factory.snapshot(factory.asset("web-2", WEB), taken=factory.NOON + timedelta(hours=2))
    store = FlowStore(tmp_path)
    hours = [-5, 1, 2, 9]
    store.add(
        [factory.flow(WEB, "192.0.2.1", 1 + i, at=factory.NOON + timedelta(hours=h)) for i, h in enumerate(hours)],
        [later, ESTATE],
    )
    with store.window() as window:
        assert window.rows("SELECT port, client_asset, server_asset FROM flows ORDER BY port") == [
            (1, "web-1", None),
            (2, "web-1", None),
            (3, "web-2", None),
            (4, "web-2", None),
        ]


def test_what_was_resolved_stays_and_what_was_not_is_filled(tmp_path: Path) -> None:
    store = FlowStore(tmp_path)
    flows = [factory.flow(WEB, DB)]
    moved = factory.snapshot(factory.asset("web-9", WEB), factory.asset("db-1", DB))
    store.add(flows, [factory.snapshot(factory.asset("web-1", WEB))])
    store.add(flows, [moved])
    with store.window() as window:
        assert window.rows("SELECT client_asset, server_asset FROM flows") == [("web-1", "db-1")]


def test_an_address_of_several_assets_is_the_observers_or_of_its_realm() -> None:
    shared = factory.snapshot(
        factory.asset("a", WEB, realm="one"), factory.asset("b", WEB, realm="two"), factory.asset("c", DB, realm="two")
    )
    sources = {"csv": "a", "hosts:c": "b", "hosts:b": "b", "denials:c": "b", "hosts:a": "a"}
    flows = [factory.flow(WEB, "192.0.2.1", source=source) for source in sources]
    with FlowWindow.of_flows(flows, [shared]) as window:
        rows = window.rows("SELECT source, client_asset, server_asset FROM observations")
    assert {source: client for source, client, _ in rows} == sources
    assert {server for *_, server in rows} == {None}
    assert Holders([shared]).asset(point_of(WEB), factory.NOON) == "a"


def test_both_ends_reports_of_one_flow_become_one_flow_with_both_processes() -> None:
    flows = [
        factory.flow(WEB, DB, 5432, client_unit="api.service", source="hosts:web-1", connections=3),
        factory.flow(WEB, DB, 5432, server_unit="postgresql.service", source="hosts:db-1", connections=4),
        factory.flow(WEB, DB, 5432, source="csv", connections=2),
    ]
    with FlowWindow.of_flows(flows, [ESTATE]) as window:
        (one,) = window
    assert (one.client_unit, one.server_unit, one.connections) == ("api.service", "postgresql.service", 4)
    assert one.source == "csv hosts:db-1 hosts:web-1"


def test_several_client_processes_of_one_server_process_stay_apart() -> None:
    flows = [
        factory.flow(WEB, DB, 5432, client_unit="a.service", source="hosts:web-1"),
        factory.flow(WEB, DB, 5432, client_unit="b.service", source="hosts:web-1"),
        factory.flow(WEB, DB, 5432, server_unit="db.service", source="hosts:db-1", connections=2),
    ]
    with FlowWindow.of_flows(flows) as window:
        assert sorted((one.client_unit, one.server_unit) for one in window) == [
            ("a.service", "db.service"),
            ("b.service", "db.service"),
        ]


def test_when_both_ends_name_several_processes_none_is_guessed() -> None:
    flows = [
        factory.flow(WEB, DB, 5432, client_unit=unit, source="hosts:web-1") for unit in ("a.service", "b.service")
    ] + [factory.flow(WEB, DB, 5432, server_unit=unit, source="hosts:db-1") for unit in ("x.service", "y.service")]
    with FlowWindow.of_flows(flows) as window:
        assert sorted((str(one.client_unit), one.server_unit) for one in window) == [
            ("a.service", None),
            ("b.service", None),
        ]


def test_who_talks_to_whom_is_told_by_labels() -> None:
    flows = [factory.flow(WEB, DB, 5432, connections=3), factory.flow("192.0.2.1", WEB)]
    with FlowWindow.of_flows(flows, [ESTATE]) as window:
        rows = window.by_labels(ESTATE, ("role", "env"))
    assert rows[0] == {
        "from": {"role": "web"},
        "to": {"role": "db"},
        "protocol": 6,
        "port": 5432,
        "outcome": "answered",
        "flows": 1,
        "connections": 3,
    }
    assert (rows[1]["from"], rows[1]["to"]) == (None, {"role": "web"})


def test_a_window_has_the_same_digest_however_its_flows_came(tmp_path: Path) -> None:
    flows = [factory.flow(WEB, DB, port) for port in range(1, 300)]
    whole, parts = FlowStore(tmp_path / "whole"), FlowStore(tmp_path / "parts")
    whole.add(flows)
    parts.add(reversed(flows[100:]))
    parts.add(flows[:150])
    with whole.window() as one, parts.window() as two:
        assert one.digest() == two.digest()
        before = one.digest()
    whole.add([factory.flow(WEB, DB, 300)])
    with whole.window() as one:
        assert one.digest() != before


def test_a_failed_add_leaves_the_days_as_they_were(tmp_path: Path) -> None:
    store = FlowStore(tmp_path)
    store.add([factory.flow(WEB, DB)])

    def broken() -> object:
        yield factory.flow(WEB, DB, 80)
        raise OutsideError("the source failed")

    with pytest.raises(OutsideError):
        store.add(broken())  # type: ignore[arg-type] # a generator that ends badly
    with store.window() as window:
        assert [one.port for one in window] == [443]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "2026-11-24.1.parquet", "ledger.json"]


def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "2026-11-24.parquet").write_bytes(b"no parquet at all")
    with pytest.raises(OutsideError, match=r"2026-11-24\.parquet"):
        FlowStore(tmp_path).window()
    with pytest.raises(OutsideError, match=r"2026-11-24\.parquet"):
        FlowStore(tmp_path).add([factory.flow(WEB, DB)])


@pytest.mark.parametrize("kept", ["2026-11-24.1.parquet", "ledger.json", "sources.json", "listeners.json"])
@pytest.mark.parametrize("kind", ["a pipe", "a device", "larger than memory"])
def test_nothing_of_a_store_is_read_that_never_ends(tmp_path: Path, kept: str, kind: str) -> None:
    store = FlowStore(tmp_path)
    store.add([factory.flow(WEB, DB)])
    path = tmp_path / kept
    path.unlink(missing_ok=True)
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    else:
        path.touch()
        os.truncate(path, 64 << 30)
    reads = {"sources.json": kept_sources, "listeners.json": kept_listeners}.get(kept, lambda _: store.window())
    with pytest.raises(RingfenceError, match=re.escape(kept)):
        reads(tmp_path)


def test_a_pipe_among_the_files_of_a_store_is_set_aside(tmp_path: Path) -> None:
    store = FlowStore(tmp_path)
    store.add([factory.flow(WEB, DB)])
    (tmp_path / "2026-11-24.1.parquet").unlink()
    os.mkfifo(tmp_path / "2026-11-24.1.parquet")
    assert store.set_damaged_aside().names == ("2026-11-24.1.parquet",)
    with store.window() as window:
        assert list(window) == []


def test_two_processes_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    program = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from ringfence.flows.store import FlowStore
from ringfence.model.flows import Flow
noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
start = int(sys.argv[2])
for port in range(start, start + 5):
    FlowStore(Path(sys.argv[1])).add([Flow(1, 2, port, 6, noon, noon)])
"""
    adders = [subprocess.Popen([sys.executable, "-c", program, tmp_path, str(start)]) for start in (10, 20)]
    assert [adder.wait(240) for adder in adders] == [0, 0]
    with FlowStore(tmp_path).window() as window:
        assert len(window) == 10


@settings(deadline=None, max_examples=12)
@given(st.lists(factory.flows(), max_size=8))
def test_windows_of_a_store_and_of_flows_hold_the_same(flows: list[Flow]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        store = FlowStore(directory)
        store.add(flows)
        with store.window() as kept, FlowWindow.of_flows(flows) as loose:
            assert Counter(kept) == Counter(loose)
            assert {(one.client, one.server, one.port, one.protocol) for one in kept} == {
                (one.client, one.server, one.port, one.protocol) for one in flows
            }
