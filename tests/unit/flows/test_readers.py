"""Flows are read as they were written, and what is wrong in a file is named, counted and passed over."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.flows.readers import read
from ringfence.flows.reading import Reading
from ringfence.flows.records import clean_text
from ringfence.model.addresses import point_of
from ringfence.model.errors import InputError
from ringfence.model.flows import Flow

from tests.examples import examples
from tests.unit.flows import flow_factory as factory
from tests.unit.flows.written_flows import write_csv, write_json


def cleaned(flow: Flow) -> Flow:
    return replace(
        flow,
        client_process=clean_text(flow.client_process) if flow.client_process else None,
        source=flow.source or "csv",
    )


@settings(deadline=None, max_examples=examples(50))
@given(st.lists(factory.flows(), max_size=5))
def test_csv_gives_back_what_was_written(flows: list[Flow]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "flows.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            assert write_csv(flows, file) == len(flows)
        expected = [cleaned(one) for one in flows]
        assert list(read(path, "csv", Reading())) == expected


@settings(deadline=None, max_examples=examples(30))
@given(st.lists(factory.flows(), max_size=5))
def test_json_lines_give_back_what_was_written(flows: list[Flow]) -> None:
    text = StringIO()
    write_json(flows, text)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "flows.json"
        path.write_text(text.getvalue(), encoding="utf-8")
        expected = [replace(cleaned(one), source=one.source or "json") for one in flows]
        assert list(read(path, "json", Reading())) == expected


def test_wrong_rows_are_named_and_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "flows.csv"
    path.write_text(
        "client,server,port,protocol,first_seen,connections\n"
        "10.0.0.1,10.0.0.2,443,tcp,2026-11-24T07:00:00Z,3\n"
        "10.0.0.1,10.0.0.300,443,tcp,,\n"
        "10.0.0.1,10.0.0.2\n"
        "\n"
        "10.0.0.1,10.0.0.2,443,tpc,,\n"
        "10.0.0.1,10.0.0.2,70000,tcp,,\n"
        "10.0.0.1,10.0.0.2,80,tcp,yesterday,\n"
        "10.0.0.1,10.0.0.2,80,tcp,,-1\n"
        "::ffff:10.0.0.1,10.0.0.2,53,17,1764000000,\n"
    )
    reading = Reading()
    flows = list(read(path, "csv", reading))
    assert [(one.server, one.port, one.protocol) for one in flows] == [
        (point_of("10.0.0.2"), 443, 6),
        (point_of("10.0.0.2"), 53, 17),
    ]
    assert flows[1].client == point_of("10.0.0.1")
    assert flows[0].connections == 3
    assert flows[0].first_seen == datetime(2026, 11, 24, 7, tzinfo=UTC)
    assert (reading.read, reading.bad) == (2, 6)
    assert [problem.place.line for problem in reading.problems if problem.place] == [3, 4, 6, 7, 8, 9]
    assert "10.0.0.300" in reading.problems[0].message


def test_a_strict_reading_raises_the_first_wrong_row_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "flows.csv"
    path.write_text("client,server,port,protocol\n10.0.0.1,nowhere,1,tcp\n")
    with pytest.raises(InputError, match=r"flows\.csv:2: 'nowhere' is not a valid IPv4 or IPv6 address"):
        list(read(path, "csv"))


def test_a_header_without_the_needed_columns_is_refused_and_a_misspelt_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "flows.csv"
    path.write_text("client,port\n")
    with pytest.raises(InputError, match=r"flows\.csv:1: .*server, protocol"):
        list(read(path, "csv"))
    path.write_text("client;server;port;protocol;cleint_unit\n10.0.0.1;10.0.0.2;1;tcp;a.service\n")
    reading = Reading()
    assert len(list(read(path, "csv", reading))) == 1
    assert "did you mean 'client_unit'?" in str(reading.problems[0])


def test_a_time_that_the_file_does_not_say_is_the_time_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "flows.csv"
    path.write_text("client,server,port,protocol\n10.0.0.1,10.0.0.2,1,tcp\n")
    first = next(iter(read(path, "csv")))
    assert first.first_seen == first.last_seen == datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    given_time = Reading(observed=factory.NOON)
    assert next(iter(read(path, "csv", given_time))).first_seen == factory.NOON


def test_unknown_formats_and_missing_files_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'csv'"):
        read(tmp_path, "cvs")
    with pytest.raises(InputError, match=r"none\.csv: cannot be read: No such file"):
        list(read(tmp_path / "none.csv", "csv"))


RESULT = {
    "observed": "2026-11-24T07:00:00Z",
    "flows": [
        {
            "client": "10.0.0.1",
            "server": "10.0.0.2",
            "port": 443,
            "protocol": "tcp",
            "direction": "in",
            "unit": "web.service",
            "user": "app",
            "process": "nginx",
            "connections": 7,
        },
        {"client": "10.0.0.2", "server": "10.0.0.3", "port": 5432, "protocol": "tcp", "direction": "out", "unit": "x"},
        {"client": "10.0.0.2", "server": "nobody", "port": 5432, "protocol": "tcp", "direction": "out"},
    ],
}


@pytest.mark.parametrize("shape", ["lines", "mapping", "indented", "directory"])
def test_hosts_reports_are_read_in_every_shape_they_are_kept_in(tmp_path: Path, shape: str) -> None:
    path = tmp_path / "web-1.json"
    if shape == "lines":
        path.write_text(json.dumps({"host": "web-1", **RESULT}) + "\n")
    elif shape == "mapping":
        path.write_text(json.dumps({"web-1": RESULT}))
    else:
        path.write_text(json.dumps(RESULT, indent=2))
    reading = Reading()
    flows = list(read(tmp_path if shape == "directory" else path, "hosts", reading))
    assert [(one.server_unit, one.server_user, one.client_unit) for one in flows] == [
        ("web.service", "app", None),
        (None, None, "x"),
    ]
    assert {one.source for one in flows} == {"hosts:web-1"}
    assert flows[0].first_seen == datetime(2026, 11, 24, 7, tzinfo=UTC)
    assert (reading.bad, flows[0].connections) == (1, 7)
    assert "web-1, flow 3" in reading.problems[0].message


def test_hostile_names_cannot_reach_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "flows.json"
    path.write_text(
        json.dumps({"client": "::1", "server": "::1", "port": 1, "protocol": "tcp", "server_process": "a\x1b[2J\n"})
    )
    assert next(iter(read(path, "json"))).server_process == r"a\x1b[2J\n"
    assert clean_text("\udcff\x07") == r"\udcff\x07"


LONG = b"9" * 5000
SCRAPS = st.sampled_from(
    [
        b"client,server,port,protocol\n",
        b"10.0.0.1,",
        b"::1,::1," + LONG + b"," + LONG + b"\n",
        "٣,".encode(),
        b'"',
        b"\n",
        b"\x00",
        b"\xff",
        b"{",
        b"}",
        b"]",
        b'{"flows": [',
        b'{"flows": [1], "observed": "x"}',
        b'{"flows": [], "host": {}}',
        b'{"client": "::1", "server": 7, "port": [], "protocol": true}',
        b'{"client": "::1", "server": "::1", "port": ' + LONG + b', "protocol": 6}',
        b'{"a": 1e999}',
        b"NaN",
        b"[" * 3000,
        LONG,
    ]
)


def error_of(name: str, path: Path, reading: Reading) -> InputError | None:
    try:
        assert len(list(read(path, name, reading))) == reading.read
    except InputError as error:
        return error
    return None


@settings(deadline=None, max_examples=examples(150))
@given(st.sampled_from(["csv", "json", "hosts"]), st.lists(SCRAPS | st.binary(max_size=20), max_size=6).map(b"".join))
def test_no_file_whatever_it_holds_makes_more_than_a_placed_error(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "flows"
        path.write_bytes(content)
        error = error_of(name, path, Reading())
        assert error is None or error.place is not None


@pytest.mark.parametrize("field", ["port", "protocol", "connections", "first_seen"])
def test_numbers_of_thousands_of_digits_are_wrong_rows(tmp_path: Path, field: str) -> None:
    path = tmp_path / "flows.csv"
    row = {"client": "::1", "server": "::1", "port": "1", "protocol": "6", "connections": "1", "first_seen": "1"}
    row[field] = "9" * 5000
    path.write_text(f"{','.join(row)}\n{','.join(row.values())}\n")
    reading = Reading()
    assert list(read(path, "csv", reading)) == []
    assert reading.bad == 1
    assert len(reading.problems[0].message) < 400


@pytest.mark.parametrize("form", ["{}\n{}\n", "[{},\n{}]"])
def test_a_flow_that_names_a_field_twice_is_a_wrong_row_and_no_choice_between_the_two(
    tmp_path: Path, form: str
) -> None:
    good = '{"client": "10.0.0.1", "server": "10.0.0.3", "port": 1, "protocol": "tcp"}'
    path = tmp_path / "flows.json"
    path.write_text(form.format(good, good.replace("}", ', "client": "10.0.0.2"}')))
    reading = Reading()
    assert len(list(read(path, "json", reading))) == 1
    assert reading.bad == 1
    assert "'client' stands twice" in str(reading.problems[0])


def test_an_object_of_another_program_is_told_by_its_fields_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "eve.json"
    path.write_text(
        '{"event_type":"flow","src_ip":"10.0.0.1","dest_ip":"10.0.0.2","dest_port":443,"proto":"TCP"}\n{}\n'
    )
    reading = Reading()
    assert list(read(path, "json", reading)) == []
    first, second = reading.problems
    assert "it has 'event_type', 'src_ip'" in first.message
    assert "it has none" in second.message
    assert "{client: .src_ip" in (first.remedy or "")
