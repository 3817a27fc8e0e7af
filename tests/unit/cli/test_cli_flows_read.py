"""Commands that read flows say what they could not read, and do not pass as if they had read all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli_shop import FILES, data, ringfence, shop

GOOD = "10.0.1.1,10.0.1.3,8443,tcp,1,2026-11-24T06:00:00Z\n"
WRONG = "10.0.1.1,2001:db8::3,5432,tcp,1,2026-11-24T06:00:00Z\n10.0.1.1,10.0.1.3,1,tcp,1,2106-02-07T06:28:15Z\n"
HEADER = "client,server,port,protocol,connections,first_seen\n"
ANSWER = {
    "observed": "2026-11-24T06:00:00Z",
    "inventory_hostname": "db-1",
    "flows": [
        {"client": "10.0.1.1", "server": "10.0.1.3", "port": 8443, "protocol": "tcp", "direction": "out"},
        {"client": "10.0.1.2", "server": "10.0.1.4", "port": 5432, "protocol": "tcp", "direction": "out"},
    ],
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return shop(tmp_path, {"flows.csv": HEADER + GOOD, "wrong.csv": HEADER + GOOD + WRONG})


def reported(workspace: Path) -> str:
    directory = workspace / "seen"
    directory.mkdir()
    (directory / "web-1.json").write_text(json.dumps(ANSWER))
    (directory / "web-2.json").write_text("{")
    return str(directory)


def test_every_command_ends_with_2_and_counts_the_rows_that_it_could_not_read(workspace: Path) -> None:
    wrong = str(workspace / "wrong.csv")
    told = data(workspace, "simulate", "--flows", wrong, status=2)
    assert isinstance(told, dict)
    assert told["wrong"] == 2
    assert told["window"]["flows"] == 1
    (added,) = data(workspace, "flows", "add", wrong, status=2)
    assert added["wrong"] == 2
    assert data(workspace, "labels", "suggest", "--flows", wrong, status=2)["wrong"] == 2
    planned = data(workspace, "plan", "--flows", wrong, status=2)
    assert (planned["wrong"], planned["simulation"]["wrong"]) == (2, 2)
    for command in (("simulate",), ("plan",), ("labels", "suggest")):
        printed = ringfence(workspace, *command, "--flows", wrong)
        assert printed.exit_code == 2
        assert "2 flows could not be read and are left out" in printed.output
        assert f"{wrong}:3" in printed.output
        assert f"{wrong}:4" in printed.output


def test_a_gate_that_judged_no_flow_does_not_pass(workspace: Path) -> None:
    header, *rows = FILES["flows.csv"].splitlines()
    nothing = workspace / "nothing.csv"
    nothing.write_text(f"{header}\n")
    for chosen in (("--flows", str(nothing)), ("--since", "1m")):
        assert ringfence(workspace, "simulate", *chosen).exit_code == 0
        for form in ((), ("--json",)):
            printed = ringfence(workspace, "simulate", *chosen, "--strict", *form)
            assert printed.exit_code == 2
            assert "no flow was judged, so --strict proves nothing" in printed.output
    assert rows


def test_a_gate_over_flows_that_are_all_read_passes_until_something_would_be_denied(workspace: Path) -> None:
    assert ringfence(workspace, "simulate", "--flows", str(workspace / "flows.csv"), "--strict").exit_code == 0
    denied = workspace / "denied.csv"
    denied.write_text(FILES["flows.csv"])
    assert ringfence(workspace, "simulate", "--flows", str(denied), "--strict").exit_code == 1
    assert ringfence(workspace, "simulate", "--flows", str(workspace / "wrong.csv"), "--strict").exit_code == 2


def test_several_files_and_standard_input_are_read_as_one(workspace: Path) -> None:
    flows, denied = str(workspace / "flows.csv"), workspace / "denied.csv"
    denied.write_text(FILES["flows.csv"])
    assert len(data(workspace, "flows", "read", flows, str(denied))) == 3
    told = data(workspace, "simulate", "--flows", flows, "--flows", str(denied))
    assert told["categories"]["newly_denied"]["flows"] == 1
    program = [sys.executable, "-m", "ringfence.cli", "flows", "read", "-", "--json"]
    done = subprocess.run(
        program, input=HEADER + GOOD + WRONG, cwd=workspace, text=True, capture_output=True, timeout=240
    )
    assert done.returncode == 2
    assert len(json.loads(done.stdout)) == 1
    assert "/dev/stdin:3" in done.stderr
    assert "2 wrong rows left out" in done.stderr


def test_a_file_among_several_that_cannot_be_read_costs_itself_alone(workspace: Path) -> None:
    (workspace / "odd.csv").write_text("what,is,this\n")
    files = [str(workspace / name) for name in ("odd.csv", "nowhere.csv", "flows.csv")]
    for command in (("flows", "read", *files), ("flows", "add", *files)):
        printed = ringfence(workspace, *command)
        assert printed.exit_code == 2
        assert "odd.csv" in printed.output
        assert "nowhere.csv" in printed.output
        assert "2 wrong rows left out" in printed.output
    told = data(workspace, "simulate", *(word for file in files for word in ("--flows", file)), status=2)
    assert (told["window"]["flows"], told["wrong"]) == (1, 2)
    assert ringfence(workspace, "simulate", "--flows", files[0]).exit_code == 2
    assert ringfence(workspace, "simulate", "--flows", files[1]).exit_code == 2


def test_what_hosts_report_is_read_from_a_directory_by_every_command(workspace: Path) -> None:
    directory = reported(workspace)
    rows = data(workspace, "flows", "read", directory, "--format", "hosts", status=2)
    assert [row["source"] for row in rows] == ["hosts:web-1"]
    (added,) = data(workspace, "flows", "add", directory, "--format", "hosts", status=2)
    assert (added["read"], added["wrong"]) == (1, 2)
    told = data(workspace, "simulate", "--flows", directory, "--format", "hosts", status=2)
    assert (told["window"]["flows"], told["wrong"]) == (1, 2)
    printed = ringfence(workspace, "flows", "read", directory, "--format", "hosts").output
    assert "web-1: 1 flow between addresses that are not its own" in printed
    assert "web-2.json" in printed
    assert "1 flow, 2 wrong rows left out" in printed


def test_files_are_read_where_there_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "web-1.json").write_text(json.dumps(ANSWER))
    program = [sys.executable, "-m", "ringfence.cli", "flows", "read", "web-1.json", "--format", "hosts", "--json"]
    done = subprocess.run(program, cwd=tmp_path, text=True, capture_output=True, timeout=240)
    assert [row["source"] for row in json.loads(done.stdout)] == ["hosts:web-1", "hosts:web-1"]
    assert done.returncode == 0


def test_future_days_of_an_older_store_are_forgotten_and_counted_nowhere(workspace: Path) -> None:
    program = f"""
from datetime import UTC, datetime
from ringfence.flows.store import FlowStore
from ringfence.model.flows import Flow
far = datetime(2106, 2, 7, tzinfo=UTC)
FlowStore({str(workspace / ".ringfence/flows")!r}).add([Flow(1, 2, 3, 6, far, far)])
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=240)
    assert data(workspace, "flows", "add", str(workspace / "flows.csv"))[0]["new"] == 1
    told = data(workspace, "simulate")
    assert (told["window"]["flows"], told["wrong"]) == (1, 1)
    assert data(workspace, "simulate", "--strict", status=2)["wrong"] == 1
    assert "1 flow of the store cannot be and is left out" in ringfence(workspace, "flows", "window").output
    assert data(workspace, "flows", "forget", "--before", "1d") == {"days": 1}
    assert data(workspace, "simulate")["wrong"] == 0


def test_a_window_that_ends_before_it_begins_is_an_error_and_not_an_empty_answer(workspace: Path) -> None:
    done = ringfence(workspace, "flows", "window", "--since", "2026-11-23", "--until", "2026-11-22")
    assert done.exit_code == 2
    assert "--until 2026-11-22 is before --since 2026-11-23" in done.output


def test_a_window_says_what_was_refused_and_how_many_rows_it_does_not_show(workspace: Path) -> None:
    header = "client,server,port,protocol,first_seen,outcome,client_user\n"
    rows = [
        f"10.0.1.1,10.0.1.3,{port},tcp,2026-11-24T06:00:00Z,{outcome},alice\n"
        for port, outcome in ((8443, "answered"), (22, "refused"), (23, "refused"))
    ]
    (workspace / "scan.csv").write_text(header + "".join(rows), encoding="utf-8")
    data(workspace, "flows", "add", str(workspace / "scan.csv"))
    window = ("flows", "window", "--since", "2026-11-24")

    told = data(workspace, *window, "--limit", "2")
    shown = ringfence(workspace, *window, "--limit", "2").output
    single = ringfence(workspace, *window, "--by", "flow").output

    assert isinstance(told, dict)
    assert [row["outcome"] for row in told["rows"]] == ["refused", "refused"]
    assert told["more"] == 1
    assert "1 more (--limit)" in shown
    assert shown.count("refused") == single.count("refused") == 2
    assert "alice" in single
    assert "more" not in single


def test_how_many_directions_are_no_more_than_a_guess_is_said(workspace: Path) -> None:
    header = "client,server,port,protocol,first_seen,direction_by\n"
    ends = ["10.0.1.1,10.0.1.4", "10.0.1.1,10.0.1.3", "10.0.1.2,192.0.2.9"]
    (workspace / "ntp.csv").write_text(
        header + "".join(f"{pair},123,udp,2026-11-24T06:00:00Z,guess\n" for pair in ends), encoding="utf-8"
    )
    data(workspace, "flows", "add", str(workspace / "ntp.csv"))
    since = ("--since", "2026-11-24")
    for command in (("flows", "window"), ("simulate",), ("plan",)):
        told = ringfence(workspace, *command, *since).output
        assert "1 flow may run the other way: its direction is guessed" in told
    assert data(workspace, "suggest", *since)["window"]["guesses"] == 1
    window = data(workspace, "flows", "window", *since, "--by", "flow")
    rows = window["rows"]
    assert window["guesses"] == 1
    assert sorted((row["client"], row["server"], row["direction_by"]) for row in rows) == [
        ("10.0.1.2", "192.0.2.9", "guess"),
        ("10.0.1.3", "10.0.1.1", "peers"),
        ("10.0.1.4", "10.0.1.1", "peers"),
    ]


def test_flows_are_read_where_the_inventory_cannot_be(workspace: Path) -> None:
    (workspace / "inventory/hosts.yml").write_text("all: {hosts: [}\n")
    log = workspace / "vpc.log"
    log.write_text("2 1 eni-1 10.0.1.1 10.0.1.3 40000 443 6 3 300 1795500000 1795500060 ACCEPT OK\n")
    shown = ringfence(workspace, "flows", "read", str(log), "--format", "vpc")
    assert shown.exit_code == 0
    assert "1 flow" in shown.output
    assert "the inventory cannot be read, so nothing is known of the hosts" in shown.output
    wrong = ringfence(workspace, "flows", "read", str(log), "--format", "vpc", "--since", "tomorrow")
    assert wrong.exit_code == 2
