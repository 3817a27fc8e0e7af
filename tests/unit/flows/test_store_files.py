"""Files come into the store once: the same again, one that grew, one that was replaced; and a crash on the way."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.flows import ledger as ledgers
from ringfence.flows.database import connect
from ringfence.flows.holders import resolved
from ringfence.flows.ledger import FILE, Ledger
from ringfence.flows.reading import Reading
from ringfence.flows.relation import relation_of
from ringfence.flows.store import FlowStore
from ringfence.flows.store_counts import Added
from ringfence.flows.window import FlowWindow
from ringfence.model.addresses import address_text
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.errors import OutsideError
from ringfence.model.flows import Flow

from tests.examples import examples
from tests.unit.flows import flow_factory as factory

WEB, DB = "10.0.0.1", "10.0.0.2"
HEAD = "client,server,port,protocol,first_seen\n"
DAY = date(2026, 11, 24)


def write(path: Path, ports: Sequence[int], timed: bool = True) -> Path:
    rows = [f"{WEB},{DB},{port},tcp,{'2026-11-24T07:00:00Z' if timed else ''}\n" for port in ports]
    path.write_text(HEAD + "".join(rows))
    return path


def add(store: FlowStore, path: Path) -> Added:
    return store.add_file(path, "csv", Reading())


def seen(store: FlowStore) -> dict[int | None, int]:
    with store.window() as window:
        return {one.port: one.connections for one in window}


def test_the_same_file_is_counted_once_under_whatever_name(tmp_path: Path) -> None:
    store = FlowStore(tmp_path / "store")
    # a row without a time carries that of the file, which the copy does not share
    file = write(tmp_path / "a.csv", [1, 2, 2], timed=False)
    assert add(store, file).new == 2
    copy = tmp_path / "b.csv"
    shutil.copy(file, copy)
    before = sorted(store.directory.iterdir())
    assert add(store, copy) == Added(3, 0, store.days(), 1)
    assert sorted(store.directory.iterdir()) == before
    assert seen(store) == {1: 1, 2: 2}


@pytest.mark.parametrize("timed", [True, False])
def test_a_file_that_grew_adds_what_is_new_in_it(tmp_path: Path, timed: bool) -> None:
    store = FlowStore(tmp_path / "store")
    store.add([factory.flow(WEB, DB, 9)])
    file = write(tmp_path / "a.csv", [1, 2], timed)
    add(store, file)
    write(file, [1, 2, 2, 3], timed)
    assert add(store, file).read == 4
    assert seen(store) == {9: 1, 1: 1, 2: 2, 3: 1}


def test_a_file_with_another_content_does_not_replace_what_it_brought(tmp_path: Path) -> None:
    store = FlowStore(tmp_path / "store")
    add(store, write(tmp_path / "a.csv", [1, 2]))
    add(store, write(tmp_path / "a.csv", [3]))
    assert seen(store) == {1: 1, 2: 1, 3: 1}


def test_what_two_files_brought_stays_when_one_of_them_grows(tmp_path: Path) -> None:
    store = FlowStore(tmp_path / "store")
    one, two = write(tmp_path / "a.csv", [1, 2]), write(tmp_path / "b.csv", [2, 3])
    add(store, one)
    add(store, two)
    write(two, [2, 3, 4])
    add(store, two)
    write(one, [1, 2, 5])
    add(store, one)
    assert seen(store) == {1: 1, 2: 1, 3: 1, 4: 1, 5: 1}


def test_a_file_with_wrong_rows_says_so_each_time(tmp_path: Path) -> None:
    store = FlowStore(tmp_path / "store")
    file = write(tmp_path / "a.csv", [1, 99999])
    for _ in range(2):
        reading = Reading()
        store.add_file(file, "csv", reading)
        assert reading.bad == 1
    assert seen(store) == {1: 1}


def test_a_crash_before_the_ledger_is_written_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FlowStore(tmp_path / "store")
    file = write(tmp_path / "a.csv", [1, 2])
    add(store, file)
    write(file, [1, 2, 3])

    def crash(_ledger: Ledger, _directory: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "save", crash)
        with pytest.raises(KeyboardInterrupt):
            add(store, file)
    assert seen(store) == {1: 1, 2: 1}
    add(store, file)
    assert seen(store) == {1: 1, 2: 1, 3: 1}
    assert {path.name for path in store.directory.glob("*.parquet")} >= set(Ledger.load(store.directory).batches)


@pytest.mark.parametrize("before", [0, 1])
def test_an_add_that_fails_gives_its_room_back_and_counts_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    store = FlowStore(tmp_path / "store")
    for number in range(before):
        add(store, write(tmp_path / f"{number}.csv", [number + 1]))
    there = sorted(store.directory.glob("*.parquet")), seen(store)
    save, ledger = Ledger.save, (store.directory / FILE)

    def full(one: Ledger, directory: Path) -> None:
        if ledger.exists():
            raise OSError(28, "No space left on device")
        save(one, directory)

    monkeypatch.setattr(Ledger, "save", full)
    with pytest.raises(OutsideError, match="No space left"):
        add(store, write(tmp_path / "more.csv", [443]))
    monkeypatch.undo()
    assert (sorted(store.directory.glob("*.parquet")), seen(store)) == there
    assert add(store, tmp_path / "more.csv").new == 1


def test_what_was_replaced_is_deleted_when_nobody_can_read_it_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FlowStore(tmp_path)
    store.add([factory.flow(WEB, DB, 1)])
    store.add([factory.flow(WEB, DB, 1, connections=5)])
    assert len(list(tmp_path.glob("*.parquet"))) == 2
    later = datetime.now(UTC) + timedelta(hours=2)
    monkeypatch.setattr(ledgers, "KEPT_FOR", later - later - timedelta(hours=2))
    store.add([])
    assert len(list(tmp_path.glob("*.parquet"))) == 1
    assert seen(store) == {1: 5}


def test_many_adds_leave_a_day_few_files(tmp_path: Path) -> None:
    store = FlowStore(tmp_path)
    for port in range(1, 31):
        store.add([factory.flow(WEB, DB, port)])
    assert len(Ledger.load(tmp_path).batches) <= 8
    assert seen(store) == dict.fromkeys(range(1, 31), 1)


def test_a_file_whose_flows_were_forgotten_can_be_added_again(tmp_path: Path) -> None:
    store = FlowStore(tmp_path / "store")
    file = write(tmp_path / "a.csv", [1, 2])
    add(store, file)
    assert store.forget(DAY + timedelta(days=1)) == 1
    assert (store.days(), list(store.directory.glob("*.parquet"))) == ((), [])
    assert add(store, file).new == 2
    assert seen(store) == {1: 1, 2: 1}


def test_a_store_of_the_older_form_is_read_added_to_and_forgotten(tmp_path: Path) -> None:
    older = tmp_path / "2026-11-24.parquet"
    made = FlowStore(tmp_path / "made")
    made.add([factory.flow(WEB, DB, 1), factory.flow(WEB, DB, 2, connections=2)])
    lacking = "origin, outcome, direction_by, attributes"
    duckdb.execute(f"COPY (SELECT * EXCLUDE ({lacking}) FROM '{made.directory}/*.parquet') TO '{older}'")
    store = FlowStore(tmp_path)
    assert seen(store) == {1: 1, 2: 2}
    assert store.add([factory.flow(WEB, DB, 2, connections=2), factory.flow(WEB, DB, 3)]).new == 1
    assert older.exists()
    assert seen(store) == {1: 1, 2: 2, 3: 1}
    store.add([factory.flow(WEB, DB, 1, connections=7)])
    assert seen(store) == {1: 7, 2: 2, 3: 1}
    assert store.forget(DAY + timedelta(days=1)) == 1
    assert not list(tmp_path.glob("*.parquet"))


def test_without_its_ledger_a_store_counts_every_file_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    store = FlowStore(tmp_path / "store")
    file = write(tmp_path / "a.csv", [1, 2])
    add(store, file)
    (store.directory / FILE).write_text("{")
    with pytest.raises(OutsideError, match=r"ledger\.json"):
        store.days()
    (store.directory / FILE).unlink()
    assert seen(store) == {1: 1, 2: 1}
    add(store, file)
    assert seen(store) == {1: 1, 2: 1}


names = st.sampled_from(["web-1", "db-1", "cache-1"])
holdings = st.dictionaries(names, st.tuples(st.sets(st.sampled_from(factory.ADDRESSES)), st.sampled_from("ab")))


def snapshot(held: dict[str, tuple[set[str], str]], hours: int) -> Snapshot:
    assets = (factory.asset(name, *sorted(own), realm=realm) for name, (own, realm) in held.items())
    return factory.snapshot(*assets, taken=factory.NOON + timedelta(hours=hours))


SEES = {"a": ("b",)}


def expected(snapshots: list[Snapshot], flow: Flow) -> list[str | None]:
    """Return the assets of both ends of a flow, found as the words say it."""
    if not snapshots:
        return [None, None]
    ordered = sorted(snapshots, key=lambda one: one.taken)
    then = [one for one in ordered if one.taken <= flow.first_seen] or ordered[:1]
    assets = then[-1].assets
    observer = next((one for one in assets if f"hosts:{one.name}" == flow.source), None)

    def near(asset: Asset | None) -> int:
        if asset is None or not flow.source.startswith("hosts:") or f"hosts:{asset.name}" == flow.source:
            return 0
        if observer is None:
            return 3
        return 1 if asset.realm == observer.realm else 2  # `SEES` has all there are

    def apart(one: Asset | None, other: Asset | None) -> int:
        return 0 if one is None or other is None or one.realm == other.realm else 1

    clients, servers = ([one for one in assets if end in one.addresses] or [None] for end in (flow.client, flow.server))
    pairs = [
        (near(c), near(s), apart(c, s), c.name if c else "", s.name if s else "") for c in clients for s in servers
    ]
    return [name or None for name in min(pairs)[3:]]


@settings(deadline=None, max_examples=examples(40))
@given(st.dictionaries(st.integers(-50, 50), holdings, max_size=4), st.lists(factory.flows(), max_size=8))
def test_ends_are_joined_to_the_assets_that_held_them(
    held: dict[int, dict[str, tuple[set[str], str]]], flows: list[Flow]
) -> None:
    snapshots = [replace(snapshot(one, hours), sees=SEES) for hours, one in held.items()]
    with connect() as connection:
        relation_of(connection, flows).create_view("seen")
        found = resolved(connection, "seen", snapshots)
        columns = "client, server, source, client_asset, server_asset"
        rows = connection.execute(f"SELECT {columns} FROM ({found})").fetchall()
    wanted = [
        (address_text(one.client), address_text(one.server), one.source, *expected(snapshots, one)) for one in flows
    ]
    assert Counter((client, server, source or "", *assets) for client, server, source, *assets in rows) == Counter(
        wanted
    )


def test_what_is_ambiguous_is_said_and_a_realm_that_is_seen_decides() -> None:
    assets = [
        factory.asset(f"{name}-{realm}", address, realm=realm)
        for name, address in (("web", WEB), ("db", DB))
        for realm in ("one", "two")
    ]
    alone = factory.asset("cache", "10.0.0.9", realm="two")
    apart = factory.asset("log", "10.0.0.8", realm="three")
    flows = [factory.flow(WEB, DB), factory.flow(WEB, "10.0.0.9"), factory.flow("10.0.0.8", DB)]
    estate = replace(factory.snapshot(*assets, alone, apart), sees={"three": ("two",)})
    with FlowWindow.of_flows(flows, [estate]) as window:
        rows = window.rows("SELECT client_asset, server_asset FROM flows ORDER BY ALL")
        assert rows == [("log", "db-two"), ("web-one", "db-one"), ("web-two", "cache")]
        assert window.ambiguous == tuple(
            f"{address} is held by {name}-one, {name}-two, and nothing says whose 1 flow of it is: {name}-one's, as the"
            " first by name"
            for address, name in ((WEB, "web"), (DB, "db"))
        )


@pytest.mark.parametrize(
    "change",
    [
        {"batches": {"../precious.parquet": 1}},
        {"batches": {"2026-13-24.7.parquet": 1}},
        {"batches": {"2026-11-24.7.parquet": "many"}},
        {"replaced": {"2026-11-24.7.parquet": "2026-11-24"}},
        {"next": float("inf")},
        {"origins": [5]},
        {"rollups": {"2026-11-24.7.parquet": 1}},
        {"rollups": {"../precious.parquet": 1}},
    ],
)
def test_a_ledger_that_says_what_none_says_is_named(tmp_path: Path, change: dict[str, object]) -> None:
    data = {"format": 1, "next": 1, "batches": {}, "sightings": {}, "origins": [], "replaced": {}, **change}
    (tmp_path / FILE).write_text(json.dumps(data))
    for ask in (FlowStore(tmp_path).window, lambda: FlowStore(tmp_path).forget(DAY)):
        with pytest.raises(OutsideError, match=r"ledger\.json"):
            ask()


def test_a_link_in_a_store_leads_nothing_out_of_it(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("precious")
    store = FlowStore(tmp_path / "store")
    store.directory.mkdir()
    (store.directory / "2026-11-24.1.new").symlink_to(tmp_path / "made")
    (store.directory / ".lock").symlink_to(other)
    path = write(tmp_path / "flows.csv", [443])
    with pytest.raises(OutsideError, match="cannot be written"):
        store.add_file(path, "csv", Reading())
    (store.directory / ".lock").unlink()
    for number in (1, 2, 3):
        (store.directory / f"2026-11-24.{number}.new").unlink(missing_ok=True)
        (store.directory / f"2026-11-24.{number}.new").symlink_to(tmp_path / "made")
    store.add_file(path, "csv", Reading())
    assert other.read_text() == "precious"
    assert not (tmp_path / "made").exists()


def test_a_store_whose_directory_is_no_utf8_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="no UTF-8"):
        FlowStore(tmp_path / "a\udcff").add_file(write(tmp_path / "flows.csv", [443]), "csv", Reading())
