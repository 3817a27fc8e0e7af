"""What kernels log of denied packets, and what `ringfence info --json` says was denied."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ringfence.enforcers.iptables import outcomes as iptables_outcomes
from ringfence.enforcers.iptables import text as iptables_text
from ringfence.enforcers.nftables import outcomes as nftables_outcomes
from ringfence.enforcers.nftables import text as nftables_text
from ringfence.flows.readers import read
from ringfence.flows.reading import Reading
from ringfence.flows.records import record_of
from ringfence.model.addresses import point_of
from ringfence.model.errors import InputError
from ringfence.model.rules import Direction
from ringfence.model.tables import Effect, Outcome

OBSERVED = datetime(2026, 11, 24, 8, tzinfo=UTC)
# As Linux 6.1 logs what `log prefix` of our rules matches.
TCP = (
    "ringfence deny 0000000a in IN=rv2 OUT= MAC=e6:c7:07:82:37:d0:0a:2a:e1:6c:e9:f6:08:00 SRC=10.0.0.1 DST=10.0.0.2"
    " LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=34369 DF PROTO=TCP SPT=44138 DPT=4444 WINDOW=64240 RES=0x00 SYN URGP=0 "
)
UDP = (
    "ringfence watch default out IN= OUT=eth0 SRC=10.0.0.1 DST=10.0.0.2 LEN=29 TOS=0x00 PREC=0x00 TTL=64 ID=51848 DF"
    " PROTO=UDP SPT=34426 DPT=4445 LEN=9"
)
PING = (
    "ringfence deny default in IN=rv2 OUT= MAC=e6:c7 SRC=fd99:0000:0000:0000:0000:0000:0000:0001"
    " DST=fd99:0000:0000:0000:0000:0000:0000:0002 LEN=104 TC=0 HOPLIMIT=64 FLOWLBL=486461 PROTO=ICMPv6 TYPE=128 CODE=0"
)
ERROR = (
    "ringfence deny default out IN= OUT=eth0 SRC=10.0.0.2 DST=10.0.0.1 LEN=88 PROTO=ICMP TYPE=3 CODE=1"
    " [SRC=10.0.0.1 DST=10.0.0.9 LEN=60 PROTO=TCP SPT=1 DPT=2 SYN ]"
)
UFW = "[UFW BLOCK] IN=eth0 OUT= MAC=00:16 SRC=10.0.0.5 DST=10.0.0.2 LEN=40 PROTO=TCP SPT=5 DPT=23 WINDOW=1 SYN URGP=0"
HEAD = "2026-11-24T07:00:00+00:00 web-1 kernel: "


def flows_of(path: Path, *lines: str, **more: object) -> tuple[list[dict[str, object]], Reading]:
    path.write_text("\n".join(lines) + "\n")
    reading = Reading(observed=OBSERVED, **more)  # type: ignore[arg-type] # fields of Reading
    return [record_of(flow) for flow in read(path, "denials", reading)], reading


def brief(rows: list[dict[str, object]]) -> set[tuple[object, ...]]:
    names = ("client", "server", "port", "protocol", "connections", "packets", "outcome")
    return {tuple(row[name] for name in names) for row in rows}


def test_lines_of_a_kernel_are_attempts_with_the_rule_that_decided(tmp_path: Path) -> None:
    lines = [HEAD.replace("07:00:00", "07:00:01") + TCP, *(HEAD + one for one in (TCP, UDP, PING, ERROR, UFW))]
    rows, reading = flows_of(tmp_path / "kern.log", HEAD + "eth0: link is up", *lines)
    assert brief(rows) == {
        ("10.0.0.1", "10.0.0.2", 4444, "tcp", 1, 2, "refused"),
        ("10.0.0.1", "10.0.0.2", 4445, "udp", 1, 1, "answered"),
        ("fd99::1", "fd99::2", 128, "icmpv6", 1, 1, "refused"),
        ("10.0.0.2", "10.0.0.1", 3, "icmp", 1, 1, "refused"),
        ("10.0.0.5", "10.0.0.2", 23, "tcp", 1, 1, "refused"),
    }
    assert (reading.bad, reading.empty) == (0, 1)
    (one,) = (row for row in rows if row["port"] == 4444)
    assert one["attributes"] == {"direction": "in", "effect": "deny", "host": "web-1", "rule": "0000000a"}
    assert (one["first_seen"], one["direction_by"], one["bytes"]) == ("2026-11-24T07:00:00Z", "sensor", 120)


@pytest.mark.parametrize(
    ("head", "time", "host"),
    [
        ("2026-11-24T08:00:00.5+01:00 web-1 kernel: [  558.4] ", "07:00:00.500000Z", "web-1"),
        ("<4>1 2026-11-24T07:00:00Z web-1 kernel - - - ", "07:00:00Z", "web-1"),
        ("Nov 24 07:00:00 web-1 kernel: ", "07:00:00Z", "web-1"),
        ("1795503600.250000 web-1 kernel: ", "07:00:00.250000Z", "web-1"),
        ("2026-11-24T07:00:00,475636+00:00 ", "07:00:00.475636Z", None),
        ("[Tue Nov 24 07:00:00 2026] ", "07:00:00Z", None),
        ("[  557.475636] ", "08:00:00Z", None),
        ("", "08:00:00Z", None),
    ],
)
def test_every_head_that_logs_write_gives_time_and_host(tmp_path: Path, head: str, time: str, host: str | None) -> None:
    rows, reading = flows_of(tmp_path / "kern.log", head + TCP)
    assert [(row["first_seen"], row["attributes"].get("host")) for row in rows] == [(f"2026-11-24T{time}", host)]  # type: ignore[attr-defined]
    assert reading.bad == 0
    assert bool(reading.problems) == (head[:1] in ("N", "[", ""))


def test_a_journal_as_json_is_read_and_what_no_kernel_wrote_is_passed_over(tmp_path: Path) -> None:
    entry = {"__REALTIME_TIMESTAMP": "1795503600000000", "_HOSTNAME": "web-1", "_TRANSPORT": "kernel", "MESSAGE": TCP}
    forged = {**entry, "_TRANSPORT": "syslog", "SYSLOG_IDENTIFIER": "evil", "MESSAGE": UDP}
    spoken = "2026-11-24T07:00:00+00:00 web-1 evil[7]: " + PING
    rows, reading = flows_of(tmp_path / "journal.json", json.dumps(entry), json.dumps(forged), spoken)
    assert brief(rows) == {("10.0.0.1", "10.0.0.2", 4444, "tcp", 1, 1, "refused")}
    assert (reading.bad, reading.empty) == (0, 2)


@pytest.mark.parametrize("family", [4, 6])
def test_the_prefix_is_the_one_that_our_rules_log(tmp_path: Path, family: int) -> None:
    outcome = Outcome(Effect.WATCH, "0000000b", log=True)
    rules, kept = nftables_text.Parts(), iptables_text.Parts(family)
    nftables_outcomes.add_outcome(rules, outcome, Direction.OUT)
    iptables_outcomes.add_outcome(kept, outcome, Direction.OUT)
    for number, text in enumerate((str(rules.chains), str(kept.filter))):
        prefix = re.search(r'prefix "(ringfence [^"]*)"', text)
        assert prefix
        rows, _ = flows_of(tmp_path / f"f{number}", HEAD + prefix[1] + UDP[UDP.index("IN=") :])
        assert [row["attributes"] for row in rows] == [
            {"direction": "out", "effect": "watch", "host": "web-1", "rule": "0000000b"}
        ]


def test_a_denied_answer_is_no_attempt_of_the_server(tmp_path: Path) -> None:
    answer = TCP.replace("SPT=44138 DPT=4444", "SPT=4444 DPT=44138").replace(" SYN ", " ACK SYN ")
    rows, _ = flows_of(tmp_path / "f", HEAD + answer)
    assert [(row["client"], row["port"]) for row in rows] == [("10.0.0.2", 4444)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (HEAD + TCP.replace("DPT=4444", "DPT=70000"), "port '70000'"),
        (HEAD + TCP.replace("SRC=10.0.0.1", "SRC=10.0.0.300"), "not a valid IPv4"),
        (HEAD.replace("2026", "2126") + TCP, "lies in the future"),
        ("24.11.2026 07:00 web-1 kernel: " + TCP, "not a valid time"),
        (HEAD + " SRC=1 DST=2 PROTO=TCP", "no packet that a kernel logs"),
    ],
)
def test_a_wrong_line_has_its_place_and_reason(tmp_path: Path, line: str, reason: str) -> None:
    rows, reading = flows_of(tmp_path / "f", HEAD + TCP, line)
    assert (len(rows), reading.bad) == (1, 1)
    assert str(reading.problems[0].place).endswith("f:2")
    assert reason in reading.problems[0].message


DENIALS = [
    {"effect": "deny", "rule": "0000000a", "direction": "in", "peer": "10.0.0.9", "protocol": 6, "port": 22,
     "packets": 3, "bytes": 180, "expires": 3000, "name": "shop#1"},
    {"effect": "watch", "rule": "default", "direction": "out", "peer": "fd00::9", "protocol": 58, "port": None,
     "packets": 1, "bytes": 64, "expires": None},
]  # fmt: skip
HOSTS = {"web-1": frozenset({point_of("10.0.0.1"), point_of("10.0.0.7"), point_of("fd00::1")})}


@pytest.mark.parametrize("shape", ["info", "mapping", "named"])
def test_recorded_denials_are_flows_of_the_hosts_own_address(tmp_path: Path, shape: str) -> None:
    told = {
        "info": {"ok": True, "hosts": [{"host": "web-1", "denials": DENIALS}, {"host": "db-1", "ok": False}]},
        "mapping": {"web-1": {"denials": DENIALS}},
        "named": {"denials": DENIALS},
    }[shape]
    rows, reading = flows_of(tmp_path / "web-1.json", json.dumps(told, indent=1), hosts=HOSTS)
    assert brief(rows) == {
        ("10.0.0.9", "10.0.0.1", 22, "tcp", 1, 3, "refused"),
        ("fd00::1", "fd00::9", None, "icmpv6", 1, 1, "answered"),
    }
    (one,) = (row for row in rows if row["port"] == 22)
    assert (one["first_seen"], one["source"]) == ("2026-11-24T07:50:00Z", "denials:web-1")
    assert one["attributes"] == {"direction": "in", "effect": "deny", "rule": "0000000a", "rule_name": "shop#1"}
    assert ["2 addresses of IPv4" in problem.message for problem in reading.problems] == [True]


def test_what_is_wrong_in_recorded_denials_costs_itself(tmp_path: Path) -> None:
    wrong = [7, {**DENIALS[0], "direction": "up"}, {**DENIALS[0], "peer": "here"}, {**DENIALS[0], "port": 70000}]
    told = {"web-1": {"denials": [*DENIALS, *wrong]}, "ghost": {"denials": DENIALS}}
    rows, reading = flows_of(tmp_path / "f.json", json.dumps(told), hosts=HOSTS)
    assert (len(rows), reading.bad) == (2, 6)
    for text, reason in (("{", "not valid JSON"), ('{"a": 1}', "no denials stand in it")):
        with pytest.raises(InputError, match=reason):
            flows_of(tmp_path / "g.json", text + (' "' if text == "{" else ""), hosts=HOSTS)


@pytest.mark.parametrize(
    ("host", "prefix", "outcome"),
    [
        ("h", "filter_IN_public_REJECT: ", "refused"),
        ("h", "FINAL_REJECT: ", "refused"),
        ("h", "Shorewall:net2fw:DROP:", "refused"),
        ("h", "nft-dropped ", "refused"),
        ("h", "[UFW AUDIT] ", "unanswered"),
        ("drop-box", "[UFW AUDIT] ", "unanswered"),
    ],
)
def test_the_prefix_of_others_says_whether_a_packet_was_denied_and_no_hosts_name_does(
    tmp_path: Path, host: str, prefix: str, outcome: str
) -> None:
    path = tmp_path / "kern.log"
    path.write_text(UFW.replace("[UFW BLOCK] ", f"2026-11-24T06:00:01Z {host} kernel: {prefix}"))
    assert [flow.outcome for flow in read(path, "denials", Reading())] == [outcome]


def test_later_fragments_of_a_packet_are_rows_without_traffic(tmp_path: Path) -> None:
    path = tmp_path / "kern.log"
    packet = "DROP IN=eth0 OUT= SRC=10.0.0.5 DST=10.0.0.2 LEN=60 ID=7 FRAG:185 PROTO=UDP"
    path.write_text(f"2026-11-24T06:00:01Z h kernel: {packet}\n")
    reading = Reading()
    assert list(read(path, "denials", reading)) == []
    assert (reading.bad, reading.empty) == (0, 1)
