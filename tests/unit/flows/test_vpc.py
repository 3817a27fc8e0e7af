"""AWS flow logs: the sample records of AWS's documentation and what S3 and CloudWatch Logs hand out of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ringfence.flows.database import connect
from ringfence.flows.readers import read
from ringfence.flows.readers.vpc_fields import format_of
from ringfence.flows.reading import Reading
from ringfence.flows.records import record_of
from ringfence.model.errors import InputError

DEFAULT = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
# https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-records-examples.html
SSH = (
    "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK"
)
RDP = (
    "2 123456789010 eni-1235b8ca123456789 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK"
)
NODATA = "2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA"
SKIPDATA = "2 123456789010 eni-11111111aaaaaaaaa - - - - - - - 1431280876 1431280934 - SKIPDATA"
PING = "2 123456789010 eni-1235b8ca123456789 203.0.113.12 172.31.16.139 0 0 1 4 336 1432917027 1432917142 ACCEPT OK"
PONG = "2 123456789010 eni-1235b8ca123456789 172.31.16.139 203.0.113.12 0 0 1 4 336 1432917094 1432917142 REJECT OK"
V6 = (
    "2 123456789010 eni-1235b8ca123456789 2001:db8:1234:a100:8d6e:3477:df66:f105"
    " 2001:db8:1234:a102:3304:8879:34cf:4071 34892 22 6 54 8855 1477913708 1477913820 ACCEPT OK"
)
FLAGS = (
    "version vpc-id subnet-id instance-id interface-id account-id type srcaddr dstaddr srcport dstport pkt-srcaddr"
    " pkt-dstaddr protocol bytes packets start end action tcp-flags log-status"
)
FLAGGED = (
    "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4"
    " 52.213.180.42 10.0.0.62 43416 5001 52.213.180.42 10.0.0.62 6 568 8 1566848875 1566848933 ACCEPT 2 OK",
    "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4"
    " 10.0.0.62 52.213.180.42 5001 43416 10.0.0.62 52.213.180.42 6 376 7 1566848875 1566848933 ACCEPT 18 OK",
    "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4"
    " 52.213.180.42 10.0.0.62 43418 5001 52.213.180.42 10.0.0.62 6 100701 70 1566848875 1566848933 ACCEPT 2 OK",
    "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 IPv4"
    " 10.0.0.62 52.213.180.42 5001 43418 10.0.0.62 52.213.180.42 6 632 12 1566848875 1566848933 ACCEPT 18 OK",
)


def written(path: Path, *lines: str) -> Path:
    text = "\n".join(lines) + "\n"
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def flows_of(path: Path, **more: object) -> tuple[list[dict[str, object]], Reading]:
    reading = Reading(**more)  # type: ignore[arg-type] # fields of Reading
    return [record_of(flow) for flow in read(path, "vpc", reading)], reading


def brief(rows: list[dict[str, object]]) -> list[tuple[object, ...]]:
    names = ("client", "server", "port", "protocol", "connections", "packets", "outcome")
    return [tuple(row[name] for name in names) for row in rows]


@pytest.mark.parametrize("name", ["flows.log", "flows.log.gz"])
@pytest.mark.parametrize("header", [True, False])
def test_the_default_format_is_read_with_and_without_its_header(tmp_path: Path, name: str, header: bool) -> None:
    lines = [*([DEFAULT] if header else []), SSH, RDP, NODATA, SKIPDATA, PING, PONG, V6]
    rows, reading = flows_of(written(tmp_path / name, *lines))
    assert brief(rows) == [
        ("172.31.16.139", "172.31.16.21", 22, "tcp", 1, 20, "answered"),
        ("172.31.9.69", "172.31.9.12", 3389, "tcp", 1, 20, "refused"),
        ("203.0.113.12", "172.31.16.139", None, "icmp", 1, 8, "refused"),
        (
            "2001:db8:1234:a100:8d6e:3477:df66:f105",
            "2001:db8:1234:a102:3304:8879:34cf:4071",
            22,
            "tcp",
            1,
            54,
            "answered",
        ),
    ]
    assert rows[0]["first_seen"] == "2014-12-14T04:06:50Z"
    assert {row["source"] for row in rows} == {"vpc"}
    assert (reading.read, reading.bad, reading.empty) == (4, 0, 2)


def test_question_and_answer_are_one_flow_and_the_sensor_says_who_asked(tmp_path: Path) -> None:
    rows, _ = flows_of(written(tmp_path / "f.log", FLAGS, *FLAGGED))
    assert brief(rows) == [("52.213.180.42", "10.0.0.62", 5001, "tcp", 2, 97, "answered")]
    assert (rows[0]["bytes"], rows[0]["direction_by"]) == (568 + 376 + 100701 + 632, "sensor")


def test_the_records_of_both_interfaces_are_not_added_up(tmp_path: Path) -> None:
    def record(interface: str, *ends: object, packets: int) -> str:
        return f"2 1 {interface} {' '.join(map(str, ends))} 6 {packets} {packets * 100} 1418530010 1418530070 ACCEPT OK"

    question, answer = ("10.0.0.1", "10.0.0.2", 40000, 8443), ("10.0.0.2", "10.0.0.1", 8443, 40000)
    lines = [
        record("eni-1", *question, packets=10),
        record("eni-1", *answer, packets=8),
        record("eni-2", *question, packets=10),
        record("eni-2", *answer, packets=7),
        record("eni-1", *question, packets=5).replace("1418530010 1418530070", "1418530070 1418530130"),
    ]
    rows, _ = flows_of(written(tmp_path / "f.log", *lines))
    assert brief(rows) == [("10.0.0.1", "10.0.0.2", 8443, "tcp", 1, 15 + 8, "answered")]
    assert (rows[0]["direction_by"], rows[0]["last_seen"]) == ("port", "2014-12-14T04:08:50Z")


def test_a_header_in_the_middle_changes_the_format_from_there_on(tmp_path: Path) -> None:
    other = "dstaddr srcaddr dstport srcport protocol start end action"
    path = written(tmp_path / "f.log", SSH, other, "10.0.0.2 10.0.0.1 443 50000 6 1418530010 1418530070 ACCEPT", "x y")
    rows, reading = flows_of(path)
    assert [row["server"] for row in rows] == ["10.0.0.2", "172.31.16.21"]
    assert [str(one.place) for one in reading.problems] == [f"{path}:4"]
    assert "2 values stand under 8 fields" in reading.problems[0].message


def test_given_fields_take_the_place_of_a_header_and_one_that_lacks_a_port_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "f.log", "10.0.0.1 10.0.0.2 50000 443 6 ACCEPT what")
    fields = ("${srcaddr}", "${dstaddr}", "${srcport}", "${dstport}", "${protocol}", "${action}", "${novelty}")
    rows, reading = flows_of(path, fields=fields)
    assert brief(rows) == [("10.0.0.1", "10.0.0.2", 443, "tcp", 1, 0, "answered")]
    assert rows[0]["first_seen"] == datetime.fromtimestamp(int(path.stat().st_mtime), UTC).isoformat()[:19] + "Z"
    assert "'novelty' is not known" in reading.problems[0].message
    with pytest.raises(InputError, match="lack srcport"):
        flows_of(path, fields=("srcaddr", "dstaddr", "dstport", "protocol"))


def test_without_a_status_a_row_of_dashes_tells_of_no_traffic(tmp_path: Path) -> None:
    header = "srcaddr dstaddr srcport dstport protocol start end action"
    row = "- - - - - 1418530010 1418530070 -"
    rows, reading = flows_of(written(tmp_path / "f.log", header, row, row.replace("- -", "10.0.0.1 -", 1)))
    assert (rows, reading.empty, reading.bad) == ([], 1, 1)


def test_packet_addresses_stand_in_for_those_of_a_hop_between(tmp_path: Path) -> None:
    lines = [  # of AWS's page: an instance to the internet, at a NAT gateway's interface, and the answer
        "srcaddr dstaddr pkt-srcaddr pkt-dstaddr srcport dstport protocol start end interface-id",
        "10.0.1.5 10.0.0.220 10.0.1.5 203.0.113.5 40000 443 6 1566848875 1566848933 eni-nat",
        "10.0.0.220 10.0.1.5 203.0.113.5 10.0.1.5 443 40000 6 1566848875 1566848933 eni-nat",
        "10.0.1.5 203.0.113.5 10.0.1.5 203.0.113.5 40000 443 6 1566848875 1566848933 eni-own",
    ]
    rows, _ = flows_of(written(tmp_path / "f.log", *lines))
    assert [(row["client"], row["server"], row["connections"]) for row in rows] == [("10.0.1.5", "203.0.113.5", 1)]


TRANSIT = (  # https://docs.aws.amazon.com/vpc/latest/tgw/tgw-flow-logs.html, the default format
    "version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id"
    " tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id"
    " tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end log-status"
    " type packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags"
    " region flow-direction pkt-src-aws-service pkt-dst-aws-service"
)


@pytest.mark.parametrize(("packets", "lost", "outcome"), [(9, 0, "answered"), (0, 3, "unanswered")])
def test_records_of_a_transit_gateway_are_flows(tmp_path: Path, packets: int, lost: int, outcome: str) -> None:
    row = (
        "6 TransitGateway 123456789012 tgw-1 tgw-attach-1 123456789012 123456789012 vpc-1 vpc-2 subnet-1 subnet-2 eni-1"
        f" eni-2 use1-az1 use1-az2 tgw-attach-2 10.40.1.175 10.40.2.236 40000 443 6 {packets} 747 1657808416 1657808475"
        f" OK IPv4 {lost} 0 0 0 2 us-east-1 ingress - -"
    )
    rows, reading = flows_of(written(tmp_path / "f.log", TRANSIT, row))
    assert brief(rows) == [("10.40.1.175", "10.40.2.236", 443, "tcp", 1, packets, outcome)]
    assert reading.bad == 0


def test_what_ecs_says_is_kept_as_attributes(tmp_path: Path) -> None:
    header = "srcaddr dstaddr srcport dstport protocol start end ecs-cluster-name ecs-service-name ecs-task-id"
    row = "10.0.0.1 10.0.0.2 40000 443 6 1566848875 1566848933 shop checkout -"
    rows, _ = flows_of(written(tmp_path / "f.log", header, row))
    assert rows[0]["attributes"] == {"ecs-cluster-name": "shop", "ecs-service-name": "checkout"}


def test_parquet_is_read_as_aws_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "f.log.parquet"
    with connect() as connection:
        connection.execute(
            f"""COPY (SELECT 2 AS version, '1' AS account_id, 'eni-1' AS interface_id, '10.0.0.1' AS srcaddr,
            '10.0.0.2' AS dstaddr, 40000 AS srcport, 443 AS dstport, 6 AS protocol, 3::BIGINT AS packets,
            '10.0.0.1' AS pkt_srcaddr, 300::BIGINT AS bytes, 1418530010::BIGINT AS start, 1418530070::BIGINT AS "end",
            'REJECT' AS action, 'OK' AS log_status FROM range(1) UNION ALL SELECT 2, '1', 'eni-1', '-', '-', NULL, NULL,
            NULL, NULL, '-', NULL, 1418530010, 1418530070, '-', 'NODATA'
            UNION ALL SELECT 2, '1', 'eni-1', 'here', '10.0.0.2', 1, 2, 6, 1, '-', 1, 1418530010, 1418530070, '-', 'OK')
            TO '{path}' (FORMAT parquet)"""
        )
    rows, reading = flows_of(path)
    assert brief(rows) == [("10.0.0.1", "10.0.0.2", 443, "tcp", 1, 3, "refused")]
    assert (reading.bad, reading.empty) == (1, 1)
    assert "row 3" in str(reading.problems[0].place)


def test_a_directory_is_read_whole_and_what_is_broken_in_it_costs_itself_alone(tmp_path: Path) -> None:
    deep = tmp_path / "AWSLogs" / "it's [1]"
    deep.mkdir(parents=True)
    written(deep / "a.log.gz", DEFAULT, SSH)
    written(deep / "b.log", DEFAULT, RDP)
    (deep / "c.log.gz").write_bytes((deep / "a.log.gz").read_bytes()[:-9])
    (deep / "d.parquet").write_bytes(b"PAR1 and no more")
    (deep / "e.zip").write_bytes(b"PK\x03\x04")
    (deep / "f.log").write_bytes(b"\xf0\xfd bad\n" + PING.encode() + b"\n")
    (deep / ".hidden").write_text("x")
    rows, reading = flows_of(tmp_path)
    assert [row["client"] for row in rows] == ["172.31.16.139", "172.31.9.69", "203.0.113.12"]
    assert reading.bad == 4
    said = {Path(str(one.place).split(":")[0]).name: one.message for one in reading.problems}
    assert "breaks off" in said["c.log.gz"]
    assert "not a whole Parquet file" in said["d.parquet"]
    assert set(said) == {"c.log.gz", "d.parquet", "e.zip", "f.log"}


def test_a_truncated_gzip_gives_the_rows_before_the_break(tmp_path: Path) -> None:
    whole = gzip.compress("\n".join([DEFAULT, *[SSH.replace("20641", str(40000 + n)) for n in range(5000)]]).encode())
    (tmp_path / "f.gz").write_bytes(whole[: len(whole) // 2])
    rows, reading = flows_of(tmp_path / "f.gz")
    assert len(rows) == 1
    assert 1000 < int(str(rows[0]["connections"])) < 5000
    assert reading.bad == 1
    assert "breaks off" in reading.problems[0].message


def test_parquet_that_is_broken_is_an_error_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "f.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match=r"f\.parquet: not a whole Parquet file"):
        flows_of(tmp_path / "f.parquet")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("172.31.16.139>172.31.16.256", "not a valid IPv4"),
        ("172.31.16.139>2001:db8::1", "two families"),
        ("172.31.16.139>224.0.0.5", "multicast"),
        (" 22 > 70000 ", "port '70000' is not a number from 0 to 65535"),
        (" 20641 > x ", "port 'x'"),
        (" 6 > 300 ", "protocol '300'"),
        ("4249>-4", "bytes '-4'"),
        (" 20 > 1x3 ", "packets '1x3'"),
        ("1418530070>4294967295", "lies in the future"),
        ("1418530010 1418530070>17 17", "before 1990"),
        ("1418530070>1418530000", "is before the start"),
        ("1418530010>soon", "'soon to 1418530070' is not a valid time"),
        ("ACCEPT>PERHAPS", "neither ACCEPT nor REJECT"),
        ("172.31.16.139 172.31.16.21>- -", "an address is missing"),
    ],
)
def test_a_wrong_row_is_counted_with_its_line_and_reason(tmp_path: Path, change: str, reason: str) -> None:
    old, new = change.split(">")
    path = written(tmp_path / "f.log", DEFAULT, SSH, SSH.replace(old, new))
    rows, reading = flows_of(path)
    assert (len(rows), reading.bad) == (1, 1)
    assert str(reading.problems[0].place) == f"{path}:3"
    assert reason in reading.problems[0].message


def test_many_wrong_rows_are_counted_and_the_first_are_told(tmp_path: Path) -> None:
    _, reading = flows_of(written(tmp_path / "f.log", DEFAULT, *["x"] * 1000))
    assert (reading.read, reading.bad) == (0, 1000)
    assert len(reading.problems) == 21


@pytest.mark.parametrize(
    ("ends", "listener", "wanted"),
    [
        ("10.0.0.1 10.0.0.2 9999 9998", ("10.0.0.1", 6, 9999), ("10.0.0.2", 9999, "listener")),
        ("10.0.0.1 10.0.0.2 50000 8443", None, ("10.0.0.1", 8443, "port")),
        ("10.0.0.1 10.0.0.2 443 2000", None, ("10.0.0.2", 443, "port")),
        ("10.0.0.1 10.0.0.2 5432 1999", None, ("10.0.0.2", 5432, "port")),
        ("10.0.0.1 10.0.0.2 9999 9998", None, ("10.0.0.1", 9998, "first")),
        ("10.0.0.9 10.0.0.2 9998 9999", None, ("10.0.0.9", 9999, "first")),
    ],
)
def test_client_and_server_are_told_apart_by_the_strongest_reason(
    tmp_path: Path, ends: str, listener: tuple[str, int, int] | None, wanted: tuple[object, ...]
) -> None:
    row = f"2 1 eni-1 {ends} 6 1 1 1418530010 1418530070 ACCEPT OK"
    rows, _ = flows_of(written(tmp_path / "f.log", row), listeners=[listener] if listener else [])
    assert [(row["client"], row["port"], row["direction_by"]) for row in rows] == [wanted]


def test_who_was_seen_first_is_the_client_where_nothing_else_says(tmp_path: Path) -> None:
    answer = "2 1 eni-1 10.0.0.2 10.0.0.1 9998 9999 6 1 1 1418530010 1418530070 ACCEPT OK"
    question = "2 1 eni-1 10.0.0.1 10.0.0.2 9999 9998 6 1 1 1418530009 1418530070 ACCEPT OK"
    rows, _ = flows_of(written(tmp_path / "f.log", answer, question))
    assert [(row["client"], row["direction_by"]) for row in rows] == [("10.0.0.1", "first")]


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([("10.0.0.1 10.0.0.2 40000 443", 3, 180, "ACCEPT", 2)], "unanswered"),
        ([("10.0.0.1 10.0.0.2 40000 443", 30, 9000, "ACCEPT", 2)], "answered"),
        (
            [("10.0.0.1 10.0.0.2 40000 443", 1, 60, "ACCEPT", 2), ("10.0.0.2 10.0.0.1 443 40000", 1, 40, "ACCEPT", 4)],
            "refused",
        ),
        (
            [("10.0.0.1 10.0.0.2 40000 443", 1, 60, "ACCEPT", 2), ("10.0.0.2 10.0.0.1 443 40000", 1, 40, "ACCEPT", 18)],
            "answered",
        ),
        (
            [("10.0.0.1 10.0.0.2 40000 443", 1, 60, "ACCEPT", 2), ("10.0.0.1 10.0.0.2 40000 443", 1, 60, "REJECT", 2)],
            "refused",
        ),
    ],
)
def test_the_outcome_is_what_the_records_of_both_directions_show(
    tmp_path: Path, rows: list[tuple[str, int, int, str, int]], outcome: str
) -> None:
    header = "srcaddr dstaddr srcport dstport packets bytes action tcp-flags protocol start end"
    lines = [f"{ends} {n} {size} {action} {flags} 6 1418530010 1418530070" for ends, n, size, action, flags in rows]
    found, _ = flows_of(written(tmp_path / "f.log", header, *lines))
    assert [row["outcome"] for row in found] == [outcome]


def test_records_are_plain_data(tmp_path: Path) -> None:
    rows, _ = flows_of(written(tmp_path / "f.log", SSH))
    assert json.loads(json.dumps(rows)) == rows


@pytest.mark.parametrize(
    ("field", "text"),
    [("packets", "1e3"), ("bytes", "+5"), ("dstport", "22.4"), ("protocol", "6.0"), ("start", "-1"), ("end", "1e10")],
)
def test_a_number_is_decimal_digits_however_a_file_is_read(tmp_path: Path, field: str, text: str) -> None:
    row = SSH.split()
    row[DEFAULT.split().index(field)] = text
    rows, reading = flows_of(written(tmp_path / "flows.log", DEFAULT, RDP, " ".join(row)))
    assert [row["port"] for row in rows] == [3389]
    assert [(problem.place.line, text in problem.message) for problem in reading.problems if problem.place] == [
        (3, True)
    ]


def _quoted(*records: str) -> str:
    rows = [DEFAULT.replace("-", "_"), *(record.replace(" -", " ") for record in records)]
    return "\n".join(",".join(f'"{value}"' for value in row.split(" ")) for row in rows)


def _json_lines(*records: str) -> str:
    return "\n".join(json.dumps({"timestamp": 1, "message": record}) for record in records)


def _one_object(*records: str, indent: int | None = None) -> str:
    events = [{"logStreamName": "eni-1-all", "timestamp": 1, "message": record} for record in records]
    return json.dumps({"events": events, "searchedLogStreams": [], "nextToken": "abc"}, indent=indent)


@pytest.mark.parametrize(
    "export",
    [
        lambda *records: "\n".join(f"2018-09-22T20:28:14.000Z {record}" for record in records),
        lambda *records: "\n".join(f"2018-09-22T20:28:14+00:00 eni-1-all {record}" for record in records),
        lambda *records: "\n".join("\t".join(record.split()) for record in records),
        _quoted,
        _json_lines,
        _one_object,
        lambda *records: _one_object(*records, indent=4),
    ],
    ids=["export task", "aws logs tail", "tabs", "Athena", "Firehose", "get-log-events", "filter-log-events"],
)
def test_what_queries_and_cloudwatch_export_is_the_same_as_the_log(tmp_path: Path, export: Callable[..., str]) -> None:
    path = tmp_path / "export"
    path.write_text(export(SSH, RDP, NODATA) + "\n")
    reading = Reading()
    found = list(read(path, "vpc", reading))
    assert sorted(flow.port or 0 for flow in found) == [22, 3389]
    assert (reading.bad, reading.empty) == (0, 1)


def test_a_format_is_read_as_terraform_writes_it() -> None:
    assert format_of("$${version} $${account-id} ${srcaddr}") == ("version", "account-id", "srcaddr")
