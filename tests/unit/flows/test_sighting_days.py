"""Records of sensors in the store: however many files and adds they come in, each connection counts once."""

from __future__ import annotations

import gzip
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.flows.ledger import FILE, Ledger
from ringfence.flows.readers import reader
from ringfence.flows.reading import Reading
from ringfence.flows.records import record_of
from ringfence.flows.store import FlowStore
from ringfence.flows.store_counts import Added
from ringfence.model.errors import InputError, OutsideError

from tests.unit.flows import flow_factory as factory

BEGIN = 1795503600  # 2026-11-24T07:00:00Z


def record(interface: int, client: int, server: int, packets: int, minute: int = 0, answer: bool = False) -> str:
    ends = [(f"10.0.0.{client}", 40000 + client), (f"10.0.0.{server}", 443)]
    (src, sport), (dst, dport) = reversed(ends) if answer else ends
    begin = BEGIN + minute * 60
    counts = f"{packets} {packets * 100} {begin} {begin + 59}"
    return f"2 1 eni-{interface} {src} {dst} {sport} {dport} 6 {counts} ACCEPT OK"


def write(path: Path, *lines: str) -> Path:
    text = "".join(f"{line}\n" for line in lines)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode(), mtime=0))
    else:
        path.write_text(text)
    return path


def add(store: FlowStore, *paths: Path) -> list[Added]:
    vpc = reader("vpc")
    return store.add_sightings([(path, Reading()) for path in paths], vpc, "vpc")  # type: ignore[arg-type] # its kind


def seen(store: FlowStore) -> list[tuple[object, ...]]:
    with store.window() as window:
        rows = (record_of(flow) for flow in window)
        names = ("client", "server", "port", "connections", "packets", "bytes", "first_seen", "last_seen", "outcome")
        return sorted(tuple(row[name] for name in names) for row in rows)


BOTH = [record(1, 1, 9, 10), record(1, 1, 9, 8, answer=True), record(2, 1, 9, 9), record(2, 1, 9, 8, answer=True)]


@pytest.mark.parametrize("together", [True, False])
def test_the_records_of_two_interfaces_in_two_files_are_one_flow(tmp_path: Path, together: bool) -> None:
    store = FlowStore(tmp_path / "store")
    files = [write(tmp_path / "a.log.gz", *BOTH[:2]), write(tmp_path / "b.log.gz", *BOTH[2:])]
    for some in [files] if together else [[file] for file in files]:
        add(store, *some)
    ((_, _, port, connections, packets, *_),) = seen(store)
    assert (port, connections, packets) == (443, 1, 18)


lines = st.builds(
    record, *(st.integers(1, 3),) * 2, st.integers(7, 9), *(st.integers(1, 9),), st.integers(0, 2000), st.booleans()
)


@settings(deadline=None, max_examples=4)
@given(st.lists(lines, max_size=12, unique=True), st.lists(st.integers(0, 1), min_size=12, max_size=12))
def test_files_and_adds_make_no_difference(rows: list[str], files: list[int]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        whole, parts = FlowStore(Path(directory) / "whole"), FlowStore(Path(directory) / "parts")
        add(whole, write(Path(directory) / "whole.log", *rows))
        for number in range(2):
            some = [row for row, file in zip(rows, files, strict=False) if file == number]
            add(parts, write(Path(directory) / f"{number}.log", *some))
        assert seen(parts) == seen(whole)


def test_a_directory_with_a_new_file_brings_what_is_new_in_it(tmp_path: Path) -> None:
    store, logs = FlowStore(tmp_path / "store"), tmp_path / "logs"
    logs.mkdir()
    write(logs / "a.log.gz", *BOTH[:2])
    assert add(store, logs) == [Added(1, 1, store.days(), records=2)]
    before = seen(store)
    assert add(store, logs) == [Added(0, 0, store.days(), 1)]
    assert seen(store) == before
    write(logs / "b.log.gz", record(1, 2, 9, 5))
    assert add(store, logs) == [Added(1, 1, store.days(), 1, records=1)]
    assert [row[0] for row in seen(store)] == ["10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_grew_adds_its_tail(tmp_path: Path, packed: bool) -> None:
    store = FlowStore(tmp_path / "store")
    path = tmp_path / ("a.log.gz" if packed else "a.log")
    parts = [f"{line}\n".encode() for line in (BOTH[0], record(1, 2, 9, 5))]
    members = [gzip.compress(part, mtime=0) for part in parts] if packed else parts
    path.write_bytes(members[0])
    add(store, path)
    path.write_bytes(b"".join(members))
    assert add(store, path) == [Added(2, 1, store.days(), records=2)]
    assert [row[4] for row in seen(store)] == [10, 5]
    assert len(Ledger.load(store.directory).origins) == 1


def test_a_file_that_breaks_off_counts_up_to_there_and_whole_when_it_is_fetched_again(tmp_path: Path) -> None:
    store = FlowStore(tmp_path / "store")
    path = write(tmp_path / "a.log.gz", *(record(1, 1, 9, 1, minute) for minute in range(1000)))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    reading = Reading()
    store.add_file(path, "vpc", reading)
    assert reading.bad == 1
    packets = seen(store)[0][4]
    assert 0 < int(str(packets)) < 1000
    path.write_bytes(whole)
    add(store, path)
    assert sum(int(str(row[4])) for row in seen(store)) == 1000


def test_what_was_resolved_stays_when_its_day_is_folded_anew(tmp_path: Path) -> None:
    store = FlowStore(tmp_path / "store")
    then = factory.snapshot(factory.asset("web-1", "10.0.0.1"))
    store.add_file(write(tmp_path / "a.log", BOTH[0]), "vpc", Reading(), [then])
    moved = factory.snapshot(factory.asset("web-9", "10.0.0.1"), factory.asset("db-1", "10.0.0.9"))
    store.add_file(write(tmp_path / "b.log", BOTH[1]), "vpc", Reading(), [moved])
    with store.window() as window:
        assert window.rows("SELECT client_asset, server_asset FROM flows") == [("web-1", "db-1")]


def test_many_adds_leave_a_day_few_files_and_the_days_of_a_source_can_be_forgotten(tmp_path: Path) -> None:
    store = FlowStore(tmp_path / "store")
    for client in range(1, 12):
        add(store, write(tmp_path / f"{client}.log", record(1, client, 20, 1)))
    ledger = Ledger.load(store.directory)
    assert (len(ledger.batches), len(ledger.sightings)) == (1, 7)
    assert len(seen(store)) == 11
    assert store.forget(store.days()[0].replace(year=2027)) == 1
    assert (store.days(), list(store.directory.rglob("*.parquet"))) == ((), [])
    add(store, tmp_path / "1.log")
    assert len(seen(store)) == 1


def test_a_store_that_lost_its_ledger_counts_each_flow_once(tmp_path: Path) -> None:
    store = FlowStore(tmp_path / "store")
    store.add([factory.flow("10.1.0.1", "10.1.0.2", 1)])
    store.add([factory.flow("10.1.0.1", "10.1.0.2", 1, connections=5)])
    files = [write(tmp_path / f"{client}.log", record(1, client, 20, 1)) for client in range(1, 12)]
    for file in files:
        add(store, file)
    before = seen(store)
    (store.directory / FILE).unlink()
    assert seen(store) == before
    add(store, *files)
    assert seen(store) == before


@pytest.mark.parametrize("kind", ["folded", "records", "said", "gone"])
def test_damaged_files_are_set_aside_and_what_to_add_again_is_named(tmp_path: Path, kind: str) -> None:
    store = FlowStore(tmp_path / "store")
    store.add([factory.flow("10.1.0.1", "10.1.0.2", 1)])
    one, two = write(tmp_path / "a.log", BOTH[0]), write(tmp_path / "b.log", record(1, 2, 9, 5))
    add(store, one)
    add(store, two)
    before = seen(store)
    ledger = Ledger.load(store.directory)
    folded, said = (sorted(name for name in ledger.batches if ("vpc" in name) is of) for of in (True, False))
    (name,) = {"folded": folded, "gone": folded, "said": said, "records": sorted(ledger.sightings)[:1]}[kind]
    path = store.directory / name
    path.unlink() if kind == "gone" else path.write_bytes(b"PAR1" + b"\0" * 100 + b"PAR1")
    if kind != "records":
        with pytest.raises(OutsideError, match="forget --damaged"), store.window() as window:
            list(window)
    damage = store.set_damaged_aside()
    assert damage.names == (name,)
    assert damage.add_again == ((str(one), str(two)) if kind == "records" else ())
    add(store, one, two)
    assert seen(store) == (before if kind != "said" else [row for row in before if row[2] != 1])
    assert store.set_damaged_aside().names == ()


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_crash_on_the_way_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    store = FlowStore(tmp_path / "store")
    one, two = write(tmp_path / "a.log", *BOTH[:2]), write(tmp_path / "b.log", *BOTH[2:], record(1, 2, 9, 5))
    add(store, one)
    before = seen(store)
    left = [step]

    def crash(*given: object) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        writing(*given)

    writing = os.fsync
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", crash)
        with pytest.raises(KeyboardInterrupt):
            add(store, one, two)
    assert seen(store) == before
    add(store, one, two)
    assert [row[3:5] for row in seen(store)] == [(1, 18), (1, 5)]
    named = Ledger.load(store.directory)
    files = {str(path.relative_to(store.directory)) for path in store.directory.rglob("*.parquet")}
    assert files == {*named.batches, *named.sightings, *named.replaced}


def test_a_file_whose_name_is_no_utf8_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    write(logs / "good.log", *BOTH)
    bad = write(logs / "bad\udcff.log", *BOTH)
    reading = Reading()
    store = FlowStore(tmp_path / "store")
    store.add_sightings([(logs, reading)], reader("vpc"), "vpc")  # type: ignore[arg-type] # its kind
    assert (len(seen(store)), reading.bad) == (1, 1)
    with pytest.raises(InputError, match="no UTF-8"):
        store.add_sightings([(bad, Reading())], reader("vpc"), "vpc")  # type: ignore[arg-type] # its kind
