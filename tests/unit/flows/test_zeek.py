"""Zeek's conn.log in both of its forms: rows of Zeek's documentation, and every state that a connection can end in."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from ringfence.flows.readers import read
from ringfence.flows.reading import Reading
from ringfence.flows.records import record_of

# https://docs.zeek.org/en/master/log-formats.html
HEADER = (
    "#separator \\x09",
    "#set_separator\t,",
    "#empty_field\t(empty)",
    "#unset_field\t-",
    "#path\tconn",
    "#open\t2020-05-06-00-32-49",
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes"
    "\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes"
    "\ttunnel_parents",
    "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tbool\tbool\tcount"
    "\tstring\tcount\tcount\tcount\tcount\tset[string]",
)
ROWS = (
    "1300475167.096535\tCHhAvVGS1DHFjwGM9\t141.142.220.202\t5353\t224.0.0.251\t5353\tudp\tdns\t-\t-\t-\tS0\t-\t-\t0\tD"
    "\t1\t73\t0\t0\t-",
    "1300475167.097012\tClEkJM2Vm5giqnMf4h\tfe80::217:f2ff:fed7:cf65\t5353\tff02::fb\t5353\tudp\tdns\t-\t-\t-\tS0\t-\t-"
    "\t0\tD\t1\t199\t0\t0\t-",
    "1300475168.853899\tC4J4Th3PJpwUYZZ6gc\t141.142.220.118\t43927\t141.142.2.2\t53\tudp\tdns\t0.000435\t38\t89\tSF\t-\t-"
    "\t0\tDd\t1\t66\t1\t117\t-",
    "1300475168.652003\tCtPZjS20MLrsMUOJi2\t141.142.220.118\t35634\t208.80.152.2\t80\ttcp\t-\t0.061329\t463\t350\tOTH\t-"
    "\t-\t0\tDdA\t2\t567\t1\t402\t-",
)
# https://docs.zeek.org/en/master/logs/conn.html
JSON = {
    "ts": 1591367999.305988,
    "uid": "CMdzit1AMNsmfAIiQc",
    "id.orig_h": "192.168.4.76",
    "id.orig_p": 36844,
    "id.resp_h": "192.168.4.1",
    "id.resp_p": 53,
    "proto": "udp",
    "service": "dns",
    "duration": 0.06685185432434082,
    "orig_bytes": 62,
    "resp_bytes": 141,
    "conn_state": "SF",
    "missed_bytes": 0,
    "history": "Dd",
    "orig_pkts": 2,
    "orig_ip_bytes": 118,
    "resp_pkts": 2,
    "resp_ip_bytes": 197,
}


def flows_of(path: Path) -> tuple[list[dict[str, object]], Reading]:
    reading = Reading()
    return [record_of(flow) for flow in read(path, "zeek", reading)], reading


def brief(rows: list[dict[str, object]]) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in ("client", "server", "port", "protocol", "packets", "outcome")) for row in rows]


@pytest.mark.parametrize("name", ["conn.log", "conn.log.gz"])
def test_rows_are_read_and_the_originator_is_the_client(tmp_path: Path, name: str) -> None:
    text = "\n".join((*HEADER, *ROWS, "#close\t2020-05-06-00-32-49\n")).encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    rows, reading = flows_of(tmp_path / name)
    assert brief(rows) == [
        ("141.142.220.202", "224.0.0.251", 5353, "udp", 1, "unanswered"),
        ("fe80::217:f2ff:fed7:cf65", "ff02::fb", 5353, "udp", 1, "unanswered"),
        ("141.142.220.118", "208.80.152.2", 80, "tcp", 3, "answered"),
        ("141.142.220.118", "141.142.2.2", 53, "udp", 2, "answered"),
    ]
    assert (rows[3]["first_seen"], rows[3]["last_seen"]) == (
        "2011-03-18T19:06:08.853899Z",
        "2011-03-18T19:06:08.854334Z",
    )
    # The row of port 80 begins in the middle: its history has no SYN.
    assert [row["direction_by"] for row in rows] == ["sensor", "sensor", "port", "sensor"]
    assert (reading.read, reading.bad) == (4, 0)


@pytest.mark.parametrize("ts", [1591367999.305988, "2020-06-05T14:39:59.305988Z"])
def test_json_is_read_flat_and_nested_with_either_form_of_time(tmp_path: Path, ts: object) -> None:
    flat = {**JSON, "ts": ts}
    nested = {key: value for key, value in flat.items() if not key.startswith("id.")}
    nested["id"] = {key.removeprefix("id."): value for key, value in flat.items() if key.startswith("id.")}
    nested["id"]["orig_p"] += 1
    path = tmp_path / "conn.log"
    path.write_text(f"{json.dumps(flat)}\n{json.dumps(nested)}\n{{\n")
    rows, reading = flows_of(path)
    assert brief(rows) == [("192.168.4.76", "192.168.4.1", 53, "udp", 8, "answered")]
    assert (rows[0]["connections"], rows[0]["bytes"]) == (2, 2 * (118 + 197))
    assert rows[0]["first_seen"] == "2020-06-05T14:39:59.305988Z"
    assert [(one.message, one.place.line) for one in reading.problems if one.place] == [("not valid JSON", 3)]


@pytest.mark.parametrize(
    ("protocol", "state", "outcome"),
    [
        ("udp", "S0", "unanswered"),
        *(("tcp", state, "refused") for state in ("S0", "SH", "RSTOS0", "REJ", "RSTRH")),
        *(("tcp", state, "answered") for state in ("S1", "SF", "S2", "S3", "RSTO", "RSTR", "SHR", "OTH")),
    ],
)
def test_every_state_has_its_outcome(tmp_path: Path, protocol: str, state: str, outcome: str) -> None:
    path = tmp_path / "conn.log"
    path.write_text(json.dumps({**JSON, "proto": protocol, "conn_state": state}))
    assert [row["outcome"] for row in flows_of(path)[0]] == [outcome]


@pytest.mark.parametrize(("address", "protocol"), [("10.0.0.", "icmp"), ("fd00::", "icmpv6")])
def test_the_type_of_icmp_is_the_port(tmp_path: Path, address: str, protocol: str) -> None:
    ends = {"id.orig_h": f"{address}1", "id.orig_p": 8, "id.resp_h": f"{address}2", "id.resp_p": 0, "proto": "icmp"}
    path = tmp_path / "conn.log"
    path.write_text(json.dumps({**JSON, **ends}))
    assert [(row["protocol"], row["port"]) for row in flows_of(path)[0]] == [(protocol, 8)]


def test_what_is_wrong_is_counted_and_located(tmp_path: Path) -> None:
    path = tmp_path / "conn.log"
    bad = (ROWS[2].replace("\t53\t", "\t99999\t"), "a\tb", ROWS[2].replace("\tudp\t", "\tunknown_transport\t"))
    path.write_text("\n".join((ROWS[0], *HEADER, *bad, ROWS[3])))
    rows, reading = flows_of(path)
    assert len(rows) == 1
    assert reading.bad == 4
    said = sorted((one.place.line, one.message) for one in reading.problems if one.place)
    assert [line for line, _ in said] == [1, 10, 11, 12]
    for (_, message), words in zip(said, ("#fields", "port '99999'", "2 values", "protocol ''"), strict=True):
        assert words in message


def test_another_log_of_zeek_is_no_conn_log(tmp_path: Path) -> None:
    path = tmp_path / "dns.log"
    path.write_text("#fields\tts\tuid\tquery\n1.0\tC1\tx.example\n")
    rows, reading = flows_of(path)
    assert rows == []
    assert reading.bad
    assert "no conn.log" in reading.problems[0].message


def test_other_logs_of_a_directory_of_zeek_are_said_and_cost_nothing(tmp_path: Path) -> None:
    (tmp_path / "conn.00:00:00-01:00:00.log").write_text("\n".join((*HEADER, ROWS[2])))
    (tmp_path / "dns.log").write_text("#path\tdns\n#fields\tts\tuid\tquery\n1.0\tC1\tx.example\n")
    other = {name: value for name, value in JSON.items() if name != "conn_state"}
    (tmp_path / "ssl.log.gz").write_bytes(gzip.compress(json.dumps(other).encode()))
    rows, reading = flows_of(tmp_path)
    assert (len(rows), reading.bad) == (1, 0)
    assert [one.message for one in reading.problems] == [
        f"not read: it is Zeek's {name}, not a conn.log" for name in ("dns", "ssl")
    ]


@pytest.mark.parametrize(
    ("changed", "client", "port", "reason"),
    [
        ({"history": "ShADad"}, "192.168.4.76", 44321, "sensor"),
        ({"history": "Da"}, "192.168.4.1", 443, "port"),
        ({"history": "^c"}, "192.168.4.1", 443, "port"),
        ({"history": None}, "192.168.4.1", 443, "port"),
        ({"history": "Da", "id.orig_p": 40000}, "192.168.4.76", 44321, "first"),
    ],
)
def test_who_was_seen_first_in_the_middle_of_a_connection_is_not_its_client_for_that(
    tmp_path: Path, changed: dict[str, object], client: str, port: int, reason: str
) -> None:
    row = {**JSON, "proto": "tcp", "conn_state": "OTH", "id.orig_p": 443, "id.resp_p": 44321, **changed}
    path = tmp_path / "conn.log"
    path.write_text(json.dumps(row))
    assert [(row["client"], row["port"], row["direction_by"]) for row in flows_of(path)[0]] == [(client, port, reason)]


@pytest.mark.parametrize(("address", "reply", "request_type"), [("10.0.0.", 0, 8), ("fd00::", 129, 128)])
def test_a_reply_to_ping_belongs_to_its_request(tmp_path: Path, address: str, reply: int, request_type: int) -> None:
    ends = {"id.orig_h": f"{address}1", "id.orig_p": reply, "id.resp_h": f"{address}2", "id.resp_p": request_type}
    path = tmp_path / "conn.log"
    path.write_text(json.dumps({**JSON, **ends, "proto": "icmp"}))
    assert [(row["client"], row["port"]) for row in flows_of(path)[0]] == [(f"{address}2", request_type)]


def test_rows_of_other_logs_in_a_stream_of_all_are_no_flows(tmp_path: Path) -> None:
    path = tmp_path / "stream.json"
    others = ({**JSON, "_path": "dns"}, {"_path": "capture_loss", "ts": 1.0})
    path.write_text("\n".join(json.dumps(row) for row in ({**JSON, "_path": "conn"}, *others)))
    rows, reading = flows_of(path)
    assert [(row["server"], row["connections"]) for row in rows] == [("192.168.4.1", 1)]
    assert (reading.bad, reading.empty) == (0, 2)
