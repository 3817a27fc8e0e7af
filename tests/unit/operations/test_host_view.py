"""What hosts denied or would have denied, as rows."""

from __future__ import annotations

from ringfence.operations.hosts import HostsResult
from ringfence.presenting.host_view import denial_rows, emergency_lines, state_rows
from ringfence.rollout import HostResult, PlaybookResult

WATCHED = {"effect": "watch", "rule": "default", "direction": "in"}
DENIED = {"effect": "deny", "rule": "5f3a", "name": "a guardrail", "direction": "out"}
DENIALS = [
    {**WATCHED, "peer": "10.0.0.9", "protocol": 6, "port": 22, "packets": 2},
    {**DENIED, "peer": "10.0.0.8", "protocol": 1, "port": 8, "packets": 5},
    {**DENIED, "peer": "fd00::8", "protocol": 47, "port": None, "packets": 7},
]
COUNTERS = [
    {"effect": "deny", "rule": "5f3a", "direction": "out", "packets": 12, "bytes": 900},
    {"effect": "watch", "rule": "default", "direction": "in", "packets": 2, "bytes": 120},
    {"effect": "allow", "rule": "77aa", "direction": "in", "packets": 1000, "bytes": 90000},
]
WEB = {"enforcer": "iptables", "plan": "a" * 64, "sequence": 4, "denials": DENIALS, "counters": COUNTERS}
DONE = HostsResult(
    PlaybookResult(
        {
            "web-1": HostResult("web-1", "confirmed", ok=True, result=WEB),
            "web-2": HostResult("web-2", "unreachable", ok=False, reason="no route"),
        },
        "successful",
    )
)


def test_denials_stand_together_by_rule_with_their_service_and_what_became_of_them() -> None:
    assert list(denial_rows(DONE)) == [
        ("web-1", "a guardrail", "from", "fd00::8", "ip/47", 7, "denied"),
        ("web-1", "a guardrail", "from", "10.0.0.8", "icmp/echo-request", 5, "denied"),
        ("web-1", "no rule allows it", "to", "10.0.0.9", "tcp/22", 2, "would be denied"),
    ]


def test_a_host_has_the_packets_that_it_denied_and_would_have_denied() -> None:
    assert list(state_rows(DONE)) == [("web-1", "confirmed", "iptables", "a" * 12, 4, 12, 2)]


def test_what_stands_on_a_host_is_told_with_who_why_and_until_when() -> None:
    one = {"id": "q-1a2b3c4d", "kind": "quarantine", "since": 1, "ends": 0, "who": "alice", "why": "scans"}
    told = [{**one, "isolates": True, "held": True}, {**one, "ends": 1795503600, "isolates": False, "held": False}]
    info = HostResult("web-1", "none", ok=True, result={"emergency": told})
    proof = HostResult("web-1", "proven", ok=True, result={"held": {"emergency": told}})
    expected = [
        "web-1: quarantine q-1a2b3c4d (alice, because scans), isolates this host, until it is released",
        "web-1: quarantine q-1a2b3c4d (alice, because scans), until 2026-11-24 07:00:00 UTC"
        "; its kernel does not hold it",
    ]
    for host in (info, proof):
        done = HostsResult(PlaybookResult({"web-1": host}, "successful"))
        assert [line.text for line in emergency_lines(done)] == expected


def test_hosts_of_which_the_same_stands_share_a_line_and_those_at_fault_are_all_named() -> None:
    one = {"id": "q-1a2b3c4d", "kind": "quarantine", "since": 1, "ends": 0, "who": "alice", "why": "scans"}
    hosts = {
        f"web-{n}": HostResult(f"web-{n}", "none", ok=True, result={"emergency": [{**one, "held": n < 8}]})
        for n in range(1, 16)
    }
    lost = ", ".join(sorted(f"web-{n}" for n in range(8, 16)))
    said = "quarantine q-1a2b3c4d (alice, because scans), until it is released"
    assert {line.text for line in emergency_lines(HostsResult(PlaybookResult(hosts, "successful")))} == {
        f"web-1, web-2, web-3, web-4, web-5 and 2 more: {said}",
        f"{lost}: {said}; its kernel does not hold it",
    }
