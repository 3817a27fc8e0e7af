"""What PowerShell tells of a Windows host's connections is read as a host's report, with program and service."""

from __future__ import annotations

import json
from pathlib import Path

from ringfence.flows.readers import read
from ringfence.flows.reading import Reading
from ringfence.flows.records import record_of
from ringfence.model.addresses import point_of

HOSTS = {"files-1": frozenset({point_of("10.0.0.5"), point_of("fe80::5")})}
SMB = {"Program": "C:\\Windows\\System32\\svchost.exe", "Service": "LanmanServer"}
CHROME = {"Program": "C:\\Program Files\\Google\\chrome.exe", "Service": ""}


def row(local: str, port: int, remote: str, remote_port: int, state: object, **more: object) -> dict[str, object]:
    names = ("LocalAddress", "LocalPort", "RemoteAddress", "RemotePort", "State")
    return {**dict(zip(names, (local, port, remote, remote_port, state), strict=True)), **more}


ROWS = [
    row("0.0.0.0", 445, "0.0.0.0", 0, "Listen", **SMB),
    row("::", 3389, "::", 0, 2, Program="svchost.exe", Service="TermService"),
    row("10.0.0.5", 445, "10.0.0.9", 50001, "Established", **SMB),
    row("10.0.0.5", 445, "10.0.0.9", 50002, 5, **SMB),
    row("fe80::5%12", 3389, "fe80::9%12", 50002, "TimeWait", Program=None, Service=None),
    row("10.0.0.5", 49800, "192.0.2.7", 443, "Established", **CHROME),
    row("10.0.0.5", 49801, "192.0.2.8", 443, "SynSent", **CHROME),
    row("10.0.0.5", 49802, "0.0.0.0", 0, 100, **CHROME),
    row("127.0.0.1", 445, "127.0.0.1", 50003, "Established", **SMB),
    {"LocalAddress": "10.0.0.5", "LocalPort": 123, "Program": "svchost.exe", "Service": "W32Time"},
    {"LocalAddress": "10.0.0.5", "LocalPort": 60000, "Program": "chrome.exe", "Service": ""},
]


def test_connections_have_their_side_program_and_service(tmp_path: Path) -> None:
    path = tmp_path / "files-1.json"
    path.write_bytes(json.dumps(ROWS, indent=2).encode("utf-16"))  # as `>` of Windows PowerShell writes
    for place in (tmp_path, path):
        reading = Reading(hosts=HOSTS)
        rows = [record_of(flow) for flow in read(place, "hosts", reading)]
        names = (
            "client",
            "server",
            "port",
            "connections",
            "outcome",
            "client_process",
            "server_process",
            "server_unit",
        )
        assert {tuple(one[name] for name in names) for one in rows} == {
            ("10.0.0.9", "10.0.0.5", 445, 2, "answered", None, "svchost.exe", "LanmanServer"),
            ("fe80::9", "fe80::5", 3389, 1, "answered", None, None, None),
            ("10.0.0.5", "192.0.2.7", 443, 1, "answered", "chrome.exe", None, None),
            ("10.0.0.5", "192.0.2.8", 443, 1, "unanswered", "chrome.exe", None, None),
        }
        assert ({one["source"] for one in rows}, reading.bad) == ({"hosts:files-1"}, 0)
        assert reading.heard == {
            "files-1": {
                ("10.0.0.5", 6, 445),
                ("10.0.0.5", 6, 3389),
                ("fe80::5", 6, 3389),
                ("10.0.0.5", 17, 123),
            }
        }


def test_a_single_row_is_a_report_and_what_is_malformed_in_one_costs_itself(tmp_path: Path) -> None:
    path = tmp_path / "files-1.json"
    path.write_text(json.dumps(ROWS[2]))
    reading = Reading(hosts=HOSTS)
    assert [flow.port for flow in read(path, "hosts", reading)] == [50001], "nothing says that it listens"
    odd = [row([], {}, "10.0.0.9", 1, "Established"), row("10.0.0.5", 70000, "here", "x", None), ROWS[5]]  # type: ignore[arg-type]
    path.write_text(json.dumps(odd))
    reading = Reading(hosts=HOSTS)
    assert [flow.port for flow in read(path, "hosts", reading)] == [443]
    assert reading.bad == 2
