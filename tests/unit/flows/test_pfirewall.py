"""The Windows firewall's log: what it allowed, what it dropped, and what it says it has lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.flows.readers import read
from ringfence.flows.reading import Reading
from ringfence.flows.records import record_of

HEADER = (
    "#Version: 1.5",
    "#Software: Microsoft Windows Firewall",
    "#Time Format: Local",
    "#Fields: date time action protocol src-ip dst-ip src-port dst-port size tcpflags tcpsyn tcpack tcpwin icmptype"
    " icmpcode info path",
    "",
)
ALLOWED = "2015-07-16 11:35:26 ALLOW TCP 10.40.4.182 10.40.1.11 63064 135 0 - 0 0 0 - - - SEND"
DROPPED = "2015-07-16 11:35:27 DROP TCP 10.40.4.9 10.40.1.11 63065 445 52 S 123 0 8192 - - - RECEIVE"
PING = "2015-07-16 11:35:28 DROP ICMP 10.40.4.9 10.40.1.11 - - 60 - - - - 8 0 - RECEIVE"
V6 = "2015-07-16 11:35:29 ALLOW UDP fe80::1 ff02::1:2 546 547 0 - - - - - - - SEND 1234"
LOST = "2015-07-16 11:35:30 INFO-EVENTS-LOST - - - - - - - - - - - - 7 -"


def flows_of(path: Path, *lines: str) -> tuple[list[dict[str, object]], Reading]:
    path.write_bytes("\r\n".join((*lines, "")).encode())
    reading = Reading()
    return [record_of(flow) for flow in read(path, "pfirewall", reading)], reading


@pytest.mark.parametrize("header", [HEADER, ()])
def test_rows_are_read_with_and_without_their_header(tmp_path: Path, header: tuple[str, ...]) -> None:
    rows, reading = flows_of(tmp_path / "pfirewall.log", *header, ALLOWED, DROPPED, PING, V6, LOST)
    names = ("client", "server", "port", "protocol", "outcome")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("10.40.4.182", "10.40.1.11", 135, "tcp", "answered"),
        ("10.40.4.9", "10.40.1.11", 445, "tcp", "refused"),
        ("10.40.4.9", "10.40.1.11", 8, "icmp", "refused"),
        ("fe80::1", "ff02::1:2", 547, "udp", "answered"),
    ]
    assert rows[0]["first_seen"] == "2015-07-16T11:35:26Z"
    assert (reading.bad, reading.empty) == (0, 1)
    assert [one.message[:25] for one in reading.problems] == (["the times are local ones "] if header else [])


def test_a_dropped_answer_is_no_attempt_of_the_server(tmp_path: Path) -> None:
    answer = "2015-07-16 11:35:27 DROP TCP 10.40.1.11 10.40.4.9 445 63065 52 SA 1 2 8192 - - - RECEIVE"
    rows, _ = flows_of(tmp_path / "f", *HEADER, answer)
    assert [(row["client"], row["port"], row["outcome"]) for row in rows] == [("10.40.4.9", 445, "refused")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ALLOWED.replace("ALLOW", "PERHAPS"), "neither ALLOW nor DROP"),
        (ALLOWED.replace(" 135 ", " - "), "port ''"),
        (ALLOWED.replace("2015-07-16", "16.07.2015"), "not a valid time"),
        ("a b c", "3 values stand under 17 fields"),
        ("ab", "1 value stands under 17 fields"),
    ],
)
def test_a_wrong_row_has_its_line_and_reason(tmp_path: Path, row: str, reason: str) -> None:
    rows, reading = flows_of(tmp_path / "f", ALLOWED, row)
    assert (len(rows), reading.bad) == (1, 1)
    assert str(reading.problems[0].place).endswith("f:2")
    assert reason in reading.problems[0].message
