"""What `conntrack -L` and `conntrack -E` print: each connection once, between the ends that really talk."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ringfence.flows.readers import read
from ringfence.flows.reading import Reading
from ringfence.flows.records import record_of

from tests.unit.flows.flow_factory import NOON

SSH = (
    "tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=40000 dport=22 packets=10 bytes=1000 src=10.0.0.2"
    " dst=10.0.0.1 sport=22 dport=40000 packets=8 bytes=800 [ASSURED] mark=0 use=1"
)
DNS = (
    "ipv4     2 udp      17 29 src=10.0.0.1 dst=10.0.0.53 sport=40001 dport=53 [UNREPLIED] src=10.0.0.53 dst=10.0.0.1"
    " sport=53 dport=40001 mark=0 use=1"
)
EVENTS = (  # of one connection, through destination NAT
    "[1300475167.096535]\t    [NEW] tcp      6 120 SYN_SENT src=10.0.0.1 dst=203.0.113.1 sport=5 dport=80 [UNREPLIED]"
    " src=10.0.0.9 dst=10.0.0.1 sport=8080 dport=5",
    "[1300475168.096535]\t [UPDATE] tcp      6 60 SYN_RECV src=10.0.0.1 dst=203.0.113.1 sport=5 dport=80 src=10.0.0.9"
    " dst=10.0.0.1 sport=8080 dport=5",
    "[1300475169.096535]\t[DESTROY] tcp      6 src=10.0.0.1 dst=203.0.113.1 sport=5 dport=80 packets=3 bytes=300"
    " src=10.0.0.9 dst=10.0.0.1 sport=8080 dport=5 packets=2 bytes=200 [ASSURED]",
)
OTHERS = (
    "icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=7 src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=7 use=1",
    "icmpv6   58 29 src=fd00::1 dst=fd00::2 type=128 code=0 id=7 src=fd00::2 dst=fd00::1 type=129 code=0 id=7 use=1",
    "gre      47 29 src=10.0.0.1 dst=10.0.0.2 srckey=0x0 dstkey=0x0 src=10.0.0.2 dst=10.0.0.1 srckey=0x0 dstkey=0x0",
)
END = "conntrack v1.4.7 (conntrack-tools): 5 flow entries have been shown."


def flows_of(path: Path, *lines: str) -> tuple[list[dict[str, object]], Reading]:
    path.write_text("\n".join(lines) + "\n")
    reading = Reading(observed=NOON)
    return [record_of(flow) for flow in read(path, "conntrack", reading)], reading


def brief(rows: list[dict[str, object]]) -> set[tuple[object, ...]]:
    names = ("client", "server", "port", "protocol", "connections", "packets", "outcome")
    return {tuple(row[name] for name in names) for row in rows}


def test_a_list_is_read_with_counts_and_what_nobody_answered(tmp_path: Path) -> None:
    rows, reading = flows_of(tmp_path / "l", SSH, DNS, *OTHERS, END)
    assert brief(rows) == {
        ("10.0.0.1", "10.0.0.2", 22, "tcp", 1, 18, "answered"),
        ("10.0.0.1", "10.0.0.53", 53, "udp", 1, 0, "unanswered"),
        ("10.0.0.1", "10.0.0.2", 8, "icmp", 1, 0, "answered"),
        ("fd00::1", "fd00::2", 128, "icmpv6", 1, 0, "answered"),
        ("10.0.0.1", "10.0.0.2", 0, "gre", 1, 0, "answered"),
    }
    assert reading.bad == 0
    assert {row["first_seen"] for row in rows} == {"2026-11-24T12:00:00Z"}


def test_the_events_of_a_connection_are_one_with_the_server_behind_nat(tmp_path: Path) -> None:
    rows, _ = flows_of(tmp_path / "e", *EVENTS)
    assert brief(rows) == {("10.0.0.1", "10.0.0.9", 8080, "tcp", 1, 5, "answered")}
    assert (rows[0]["first_seen"], rows[0]["last_seen"]) == (
        "2011-03-18T19:06:07.096535Z",
        "2011-03-18T19:06:09.096535Z",
    )


def test_lines_that_are_none_of_it_are_wrong_rows(tmp_path: Path) -> None:
    rows, reading = flows_of(tmp_path / "l", "what is this", SSH.replace("sport=40000", "sport=x"), SSH)
    assert len(rows) == 1
    assert [(str(one.place).rpartition(":")[2], one.message) for one in reading.problems] == [
        ("1", "not a line of conntrack -L or -E"),
        ("2", "port 'x' is not a number from 0 to 65535"),
    ]


def test_a_connection_that_a_reset_ended_unanswered_was_refused(tmp_path: Path) -> None:
    events = (  # as Linux 6.1 tells of a port that nobody listens on
        "[1795985400.139824]\t    [NEW] tcp      6 120 SYN_SENT src=10.99.0.1 dst=10.99.0.2 sport=51496 dport=81"
        " [UNREPLIED] src=10.99.0.2 dst=10.99.0.1 sport=81 dport=51496",
        "[1795985400.139844]\t[DESTROY] tcp      6 120 CLOSE src=10.99.0.1 dst=10.99.0.2 sport=51496 dport=81"
        " [UNREPLIED] src=10.99.0.2 dst=10.99.0.1 sport=81 dport=51496",
    )
    path = tmp_path / "e"
    path.write_text("\n".join(events))
    found = list(read(path, "conntrack", Reading(latest=datetime(2027, 1, 1, tzinfo=UTC))))
    assert [(flow.port, flow.outcome, flow.connections) for flow in found] == [(81, "refused", 1)]


def test_xml_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "list.xml"
    path.write_text('<?xml version="1.0" encoding="utf-8"?>\n<conntrack>\n')
    reading = Reading()
    assert list(read(path, "conntrack", reading)) == []
    assert {one.message for one in reading.problems} == {"XML is not read: leave -o xml out"}
