"""Flows that cannot be are wrong rows, told with file, line and reason; none of them comes into the store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from ringfence.analysis.simulate import simulate
from ringfence.analysis.simulate_judge import Category
from ringfence.flows.possible import latest_time
from ringfence.flows.readers import read, read_by
from ringfence.flows.reading import Reading
from ringfence.flows.store import FlowStore
from ringfence.model.addresses import point_of
from ringfence.model.services import ICMP
from ringfence.model.services import point_of as service_point

from tests.unit.flows import flow_factory as factory
from tests.unit.flows.written_flows import write_csv

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SEEN = "2026-11-24T07:00:00Z"


def read_row(directory: Path, row: str, header: str = "client,server,port,protocol,first_seen,last_seen") -> Reading:
    path = directory / "flows.csv"
    path.write_text(f"{header}\n{row}\n")
    reading = Reading(latest=NOW + timedelta(days=1))
    list(read(path, "csv", reading))
    return reading


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"10.0.0.1,2001:db8::3,5432,tcp,{SEEN},", "two families"),
        (f"2001:db8::3,10.0.0.1,5432,tcp,{SEEN},", "two families"),
        (f"10.0.0.1,10.0.0.3,128,icmpv6,{SEEN},", "icmpv6 is a protocol of IPv6"),
        (f"10.0.0.1,::ffff:10.0.0.3,128,58,{SEEN},", "icmpv6 is a protocol of IPv6"),
        (f"2001:db8::1,2001:db8::3,8,icmp,{SEEN},", "icmp is a protocol of IPv4"),
        (f"2001:db8::1,2001:db8::3,8,1,{SEEN},", "icmp is a protocol of IPv4"),
        (f"2001:db8::1,2001:db8::3,0,44,{SEEN},", "extension header"),
        (f"10.0.0.1,10.0.0.3,2048,icmp,{SEEN},", "not an ICMP type"),
        (f"10.0.0.1,10.0.0.3,443,gre,{SEEN},", "has no ports"),
        (f"10.0.0.1,10.0.0.3,,tcp,{SEEN},", "port is missing"),
        (f"10.0.0.1,10.0.0.3,-,udp,{SEEN},", "port is missing"),
        (f"10.0.0.1,10.0.0.3,65536,tcp,{SEEN},", "65536"),
        (f"10.0.0.1,10.0.0.3,0,256,{SEEN},", "256"),
        (f"10.0.0.1,10.0.0.3,0,-1,{SEEN},", "'-1' is not a valid IP protocol"),
        (f"0.0.0.0,10.0.0.3,67,udp,{SEEN},", "unspecified"),
        (f"::,2001:db8::3,80,tcp,{SEEN},", "unspecified"),
        (f"255.255.255.255,10.0.0.3,80,udp,{SEEN},", "broadcast"),
        (f"224.0.0.251,10.0.0.3,5353,udp,{SEEN},", "multicast"),
        (f"ff02::fb,2001:db8::3,5353,udp,{SEEN},", "multicast"),
        (f"10.0.0.3,0.0.0.0,80,tcp,{SEEN},", "unspecified"),
        ("10.0.0.1,10.0.0.3,80,tcp,20261328,", "is not a valid time"),
        ("10.0.0.1,10.0.0.3,80,tcp,20261130,", "in the future"),
        ("10.0.0.1,10.0.0.3,80,tcp,20261128070000,", "is not a valid time"),
        ("10.0.0.1,10.0.0.3,80,tcp,0,", "is not a valid time"),
        ("10.0.0.1,10.0.0.3,80,tcp,4294967295,", "in the future"),
        ("10.0.0.1,10.0.0.3,80,tcp,2106-02-07T06:28:15Z,", "in the future"),
        ("10.0.0.1,10.0.0.3,80,tcp,9999-12-31T23:59:59Z,", "in the future"),
        ("10.0.0.1,10.0.0.3,80,tcp,0001-01-01T00:00:00Z,", "before 1990"),
        ("10.0.0.1,10.0.0.3,80,tcp,1970-01-01,", "before 1990"),
        (f"10.0.0.1,10.0.0.3,80,tcp,{SEEN},2026-11-30", "last_seen 2026-11-30T00:00:00Z lies in the future"),
        (f"10.0.0.1,10.0.0.3,80,tcp,{SEEN},2026-11-23", "before first_seen"),
    ],
)
def test_a_flow_that_cannot_be_is_a_wrong_row_with_its_line_and_reason(tmp_path: Path, row: str, reason: str) -> None:
    reading = read_row(tmp_path, row)
    assert (reading.read, reading.bad) == (0, 1)
    assert reason in reading.problems[0].message
    assert reading.problems[0].place is not None
    assert reading.problems[0].place.line == 2


@pytest.mark.parametrize("name", ["connections", "packets", "bytes"])
def test_a_negative_count_is_a_wrong_row(tmp_path: Path, name: str) -> None:
    reading = read_row(tmp_path, "10.0.0.1,10.0.0.3,80,tcp,-1", f"client,server,port,protocol,{name}")
    assert (reading.read, reading.bad) == (0, 1)


@pytest.mark.parametrize(
    "time",
    [
        "20261124",
        "2026-11-24",
        "1795478400",
        "1795478400.25",
        "1795478400000",
        "1795478400000000",
        "1795478400000000000",
    ],
)
def test_a_time_is_read_as_what_its_digits_mean(tmp_path: Path, time: str) -> None:
    path = tmp_path / "flows.csv"
    path.write_text(f"client,server,port,protocol,first_seen\n10.0.0.1,10.0.0.3,80,tcp,{time}\n")
    (flow,) = read(path, "csv", Reading(latest=NOW))
    assert flow.first_seen.replace(microsecond=0) == datetime(2026, 11, 24, tzinfo=UTC)


def test_clocks_may_be_a_day_ahead(tmp_path: Path) -> None:
    assert read_row(tmp_path, "10.0.0.1,10.0.0.3,80,tcp,2026-11-29T11:59:59Z,").read == 1
    assert latest_time(datetime(2100, 1, 1, tzinfo=UTC)) == datetime(2100, 1, 2, tzinfo=UTC)
    assert latest_time(datetime(2001, 1, 1, tzinfo=UTC)) > datetime.now(UTC)


def test_a_client_without_an_address_yet_asks_everybody(tmp_path: Path) -> None:
    assert read_row(tmp_path, f"0.0.0.0,255.255.255.255,67,udp,{SEEN},").read == 1
    assert read_row(tmp_path, f"::,ff02::1:ff00:1,135,icmpv6,{SEEN},").read == 1


def test_a_mapped_address_is_the_ipv4_address(tmp_path: Path) -> None:
    assert read_row(tmp_path, f"::ffff:10.0.0.1,10.0.0.3,8,icmp,{SEEN},").read == 1
    assert "two families" in read_row(tmp_path, f"::ffff:10.0.0.1,2001:db8::1,80,tcp,{SEEN},").problems[0].message


@pytest.mark.parametrize("port", ["", "-"])
def test_an_icmp_type_that_nobody_gave_is_unknown_and_not_type_0(tmp_path: Path, port: str) -> None:
    path = tmp_path / "flows.csv"
    path.write_text(f"client,server,port,protocol,first_seen\n10.0.0.1,10.0.0.3,{port},icmp,{SEEN}\n")
    (flow,) = read(path, "csv", Reading(latest=NOW))
    assert flow.port is None
    text = StringIO()
    write_csv([flow], text)
    path.write_text(text.getvalue())
    assert list(read(path, "csv", Reading(latest=NOW))) == [flow]


def test_an_unknown_icmp_type_depends_where_types_are_judged_otherwise(tmp_path: Path) -> None:
    reply_alone = factory.service_map((service_point(ICMP, 0), service_point(ICMP, 0), "0000000a"))
    every_type = factory.service_map((service_point(ICMP, 0), service_point(ICMP, 255), "0000000a"))
    estate = factory.snapshot(factory.asset("web-1", "10.0.0.1"), factory.asset("db-1", "10.0.0.2"))
    untyped = replace(factory.flow("10.0.0.1", "10.0.0.2", protocol=ICMP), port=None)
    store = FlowStore(tmp_path)
    store.add([untyped, replace(untyped, port=0)])
    for services, depends, denied in ((reply_alone, 1, 1), (every_type, 0, 0)):
        table = factory.table(inbound=factory.direction(otherwise=services))
        with store.window() as window:
            result = simulate({"db-1": table}, estate, window)
            assert result.depends.flows == depends
            assert result.categories[Category.NEWLY_DENIED].flows == denied
            assert {one.flow.port for one in result.flows()} == {None, 0}


def test_what_a_reader_of_others_yields_is_checked_too(tmp_path: Path) -> None:
    path = tmp_path / "flows.bin"
    path.touch()
    good = factory.flow("10.0.0.1", "10.0.0.2")
    two_families = replace(good, server=point_of("fd00::1"))
    reading = Reading(latest=NOW)
    assert list(read_by(lambda _path, _reading: iter([good, two_families]), path, reading)) == [good]
    assert (reading.read, reading.bad) == (1, 1)


def test_a_store_that_has_such_flows_does_not_count_them_and_forgets_future_days(tmp_path: Path) -> None:
    store = FlowStore(tmp_path)
    good = factory.flow("10.0.0.1", "10.0.0.2")
    for_good = replace(good, port=80, last_seen=datetime(2106, 1, 1, tzinfo=UTC))
    store.add(
        [
            good,
            for_good,
            factory.flow("10.0.0.1", "10.0.0.2", at=datetime(2106, 2, 7, tzinfo=UTC)),
            factory.flow("10.0.0.1", "fd00::2"),
            factory.flow("10.0.0.1", "10.0.0.2", 128, 58),
        ]
    )
    with store.window(since=NOW - timedelta(days=7), latest=NOW) as window:
        assert list(window) == [good]
        assert window.wrong == 4
    assert store.forget(date(2026, 11, 1), after=NOW.date()) == 1
    assert store.days() == (date(2026, 11, 24),)
