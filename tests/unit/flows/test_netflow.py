"""NetFlow v5, v9 and IPFIX, message by message as their RFCs lay them out, and captured as pcap."""

from __future__ import annotations

import gzip
import socket
import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ringfence.flows.readers import read
from ringfence.flows.reading import Reading
from ringfence.flows.records import record_of
from ringfence.model.errors import InputError

START = 1_764_000_000  # 2025-11-24T16:00:00Z
UPTIME = 1_000_000


def v4(address: str) -> bytes:
    return socket.inet_aton(address)


def version_5(*records: tuple[str, str, int, int, int, int], packets: int = 3) -> bytes:
    """Return a message of records: ends, ports, protocol, flags; each lasted from 10 to 5 seconds before export."""
    head = struct.pack("!HHIIIIBBH", 5, len(records), UPTIME, START, 0, 1, 0, 0, 0)
    return head + b"".join(
        v4(source)
        + v4(target)
        + v4("0.0.0.0")
        + struct.pack("!HHIIII", 1, 2, packets, packets * 100, UPTIME - 10_000, UPTIME - 5_000)
        + struct.pack("!HHBBBBHHBBH", sport, dport, 0, flags, protocol, 0, 0, 0, 24, 24, 0)
        for source, target, sport, dport, protocol, flags in records
    )


V9_FIELDS = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (6, 1), (2, 4), (1, 4), (22, 4), (21, 4))


def a_set(number: int, content: bytes) -> bytes:
    return struct.pack("!HH", number, len(content) + 4) + content


def version_9(*sets: bytes) -> bytes:
    return struct.pack("!HHIIII", 9, len(sets), UPTIME, START, 1, 7) + b"".join(sets)


def template(number: int = 256, fields: tuple[tuple[int, int], ...] = V9_FIELDS) -> bytes:
    return struct.pack("!HH", number, len(fields)) + b"".join(struct.pack("!HH", *one) for one in fields)


def row_9(source: str, target: str, sport: int, dport: int, flags: int = 27) -> bytes:
    ends = v4(source) + v4(target)
    return ends + struct.pack("!HHBBIIII", sport, dport, 6, flags, 3, 300, UPTIME - 10_000, UPTIME - 5_000)


def ipfix(*sets: bytes) -> bytes:
    body = b"".join(sets)
    return struct.pack("!HHIII", 10, 16 + len(body), START, 1, 7) + body


def pcap(*messages: bytes) -> bytes:
    packets = b""
    for message in messages:
        udp = struct.pack("!HHHH", 40000, 2055, 8 + len(message), 0) + message
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + v4("192.0.2.1") + v4("192.0.2.2") + udp
        frame = b"\0" * 12 + b"\x81\x00\0\x01\x08\x00" + ip + b"\0\0"  # a VLAN tag, and padding after the packet
        packets += struct.pack("<IIII", START, 0, len(frame), len(frame)) + frame
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + packets


def flows_of(path: Path, content: bytes) -> tuple[list[dict[str, object]], Reading]:
    path.write_bytes(content)
    reading = Reading()
    return [record_of(flow) for flow in read(path, "netflow", reading)], reading


def brief(rows: list[dict[str, object]]) -> list[tuple[object, ...]]:
    names = ("client", "server", "port", "protocol", "connections", "packets", "outcome", "direction_by")
    return [tuple(row[name] for name in names) for row in rows]


QUESTION = ("10.0.0.1", "10.0.0.2", 40000, 443, 6, 27)
ANSWER = ("10.0.0.2", "10.0.0.1", 443, 40000, 6, 27)
BOTH = [("10.0.0.1", "10.0.0.2", 443, "tcp", 1, 6, "answered", "port")]


@pytest.mark.parametrize("form", ["plain", "gzip", "pcap"])
def test_question_and_answer_of_version_5_are_one_flow(tmp_path: Path, form: str) -> None:
    message = version_5(QUESTION, ANSWER)
    content = {"plain": message + version_5(), "gzip": gzip.compress(message), "pcap": pcap(message)}[form]
    rows, reading = flows_of(tmp_path / "f", content)
    assert brief(rows) == BOTH
    assert (rows[0]["first_seen"], rows[0]["last_seen"]) == ("2025-11-24T15:59:50Z", "2025-11-24T15:59:55Z")
    assert (rows[0]["source"], reading.bad) == ("netflow", 0)


@pytest.mark.parametrize("form", ["one message", "template first", "template last", "pcap"])
def test_version_9_is_read_by_its_templates_wherever_they_stand(tmp_path: Path, form: str) -> None:
    rows = a_set(256, row_9("10.0.0.1", "10.0.0.2", 40000, 443) + row_9("10.0.0.2", "10.0.0.1", 443, 40000) + b"\0\0")
    known = a_set(0, template())
    options = a_set(1, struct.pack("!HHH", 300, 4, 4) + struct.pack("!HHHH", 1, 4, 34, 4))
    content = {
        "one message": version_9(known, options, rows, a_set(300, b"\0" * 8)),
        "template first": version_9(known) + version_9(rows),
        "template last": version_9(rows) + version_9(known),
        "pcap": pcap(version_9(known), version_9(rows)),
    }[form]
    found, reading = flows_of(tmp_path / "f", content)
    assert brief(found) == BOTH
    assert reading.bad == 0


def test_ipfix_is_read_with_ipv6_variable_lengths_and_both_directions_of_a_biflow(tmp_path: Path) -> None:
    fields = struct.pack("!HH", 400, 9) + b"".join(
        struct.pack("!HH", *one) for one in ((27, 16), (28, 16), (7, 2), (11, 2), (4, 1), (152, 8), (153, 8), (2, 8))
    )
    fields += struct.pack("!HHI", 0x8000 | 2, 8, 29305)
    named = struct.pack("!HH", 401, 6) + b"".join(
        struct.pack("!HH", *one) for one in ((8, 4), (12, 4), (176, 1), (177, 1), (4, 1), (82, 65535))
    )
    ends = socket.inet_pton(socket.AF_INET6, "2001:db8::1") + socket.inet_pton(socket.AF_INET6, "2001:db8::2")
    biflow = ends + struct.pack("!HHBQQQQ", 9999, 9998, 6, START * 1000 + 250, START * 1000 + 500, 5, 4)
    ping = v4("10.0.0.1") + v4("10.0.0.2") + b"\x08\0\x01" + b"\x04eth0"
    pong = v4("10.0.0.2") + v4("10.0.0.1") + b"\0\0\x01" + b"\xff\0\x04eth1"
    rows, reading = flows_of(
        tmp_path / "f", ipfix(a_set(2, fields + named), a_set(400, biflow), a_set(401, ping + pong))
    )
    assert brief(rows) == [
        ("10.0.0.1", "10.0.0.2", 8, "icmp", 1, 0, "answered", "sensor"),
        ("2001:db8::1", "2001:db8::2", 9998, "tcp", 1, 9, "answered", "sensor"),
    ]
    assert rows[1]["first_seen"] == "2025-11-24T16:00:00.250000Z"
    assert reading.bad == 0


@pytest.mark.parametrize(
    ("records", "outcome"),
    [
        ([(*QUESTION[:5], 2)], "unanswered"),
        ([(*QUESTION[:5], 2), (*ANSWER[:5], 20)], "refused"),
        ([QUESTION], "answered"),
    ],
)
def test_flags_say_what_became_of_an_attempt(tmp_path: Path, records: list[tuple[object, ...]], outcome: str) -> None:
    rows, _ = flows_of(tmp_path / "f", version_5(*records))  # type: ignore[arg-type] # of the right shape
    assert [(row["client"], row["outcome"]) for row in rows] == [("10.0.0.1", outcome)]


def test_icmp_of_version_5_has_its_type_in_the_port(tmp_path: Path) -> None:
    ping, pong = ("10.0.0.1", "10.0.0.2", 0, 8 << 8, 1, 0), ("10.0.0.2", "10.0.0.1", 0, 0, 1, 0)
    rows, _ = flows_of(tmp_path / "f", version_5(ping, pong))
    assert brief(rows) == [("10.0.0.1", "10.0.0.2", 8, "icmp", 1, 6, "answered", "sensor")]


def test_what_an_exporter_says_was_denied_is_refused(tmp_path: Path) -> None:
    fields = (*V9_FIELDS, (233, 1))
    content = version_9(a_set(0, template(256, fields)), a_set(256, row_9("10.0.0.1", "10.0.0.2", 40000, 443) + b"\3"))
    assert [row["outcome"] for row in flows_of(tmp_path / "f", content)[0]] == ["refused"]


@pytest.mark.parametrize(
    ("content", "reason", "read_anyway"),
    [
        (version_5(QUESTION) + version_5(QUESTION)[:-5], "ends in the middle of a message", 1),
        (version_5(QUESTION) + b"no more of this at all", "no message of NetFlow", 1),
        (version_9(a_set(256, row_9("10.0.0.1", "10.0.0.2", 1, 2))), "1 set of records came without", 0),
        (pcap(version_5(QUESTION))[:-40] + b"", "ends in the middle of a packet", 0),
        (gzip.compress(version_5(QUESTION) * 500)[:-9], "breaks off", 1),
        (ipfix(struct.pack("!HH", 256, 400)), "does not fit", 0),
    ],
)
def test_what_is_broken_is_said_and_the_rest_is_read(
    tmp_path: Path, content: bytes, reason: str, read_anyway: int
) -> None:
    rows, reading = flows_of(tmp_path / "f", content)
    assert len(rows) == read_anyway
    assert reading.bad
    assert any(reason in one.message for one in reading.problems)


@pytest.mark.parametrize(
    ("first", "last"),
    [(2**32 - 3000, 1000), (2000, 6000)],
    ids=["the counter began anew between start and export", "the end is a little after the export"],
)
def test_times_since_boot_are_those_near_the_export(tmp_path: Path, first: int, last: int) -> None:
    row = row_9("10.0.0.1", "10.0.0.2", 40000, 443)[:-8] + struct.pack("!II", first, last)
    message = version_9(a_set(0, template()), a_set(256, row))
    found, reading = flows_of(tmp_path / "f", message[:4] + struct.pack("!I", 5000) + message[8:])
    assert reading.bad == 0
    began, ended = (datetime.fromisoformat(str(found[0][name])) for name in ("first_seen", "last_seen"))
    exported = datetime.fromtimestamp(START, UTC)
    assert (ended - began).total_seconds() == 4
    assert abs((ended - exported).total_seconds()) <= 4


def test_a_clock_ahead_of_now_is_a_wrong_row(tmp_path: Path) -> None:
    ahead = bytearray(version_5(QUESTION))
    ahead[8:12] = b"\xff\xff\xff\xff"
    rows, reading = flows_of(tmp_path / "f", bytes(ahead))
    assert rows == []
    assert "lies in the future" in reading.problems[0].message


@pytest.mark.parametrize(
    ("start", "what"), [(b"\x0a\x0d\x0d\x0a", "pcapng"), (b"\x0c\xa5\x02\x00", "nfcapd"), (b"\xa5\x0c", "nfcapd")]
)
def test_files_that_are_not_read_are_refused_with_a_way_out(tmp_path: Path, start: bytes, what: str) -> None:
    with pytest.raises(InputError, match=f"{what}, which is not read") as caught:
        flows_of(tmp_path / "f", start + b"\0" * 40)
    assert caught.value.remedy


def test_a_directory_is_read_whole_and_templates_of_one_file_speak_for_it_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(version_5(QUESTION))
    (tmp_path / "b").write_bytes(version_5(ANSWER))
    (tmp_path / "c").write_bytes(b"\x0a\x0d\x0d\x0a")
    reading = Reading()
    assert brief([record_of(flow) for flow in read(tmp_path, "netflow", reading)]) == BOTH
    assert (reading.read, reading.bad) == (1, 1)
