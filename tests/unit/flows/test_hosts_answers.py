"""A host speaks of itself alone: its file's name and its own addresses bound what its answer can say."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ringfence.flows.readers import read
from ringfence.flows.readers.hosts import ARRIVED, MOST_CONNECTIONS, read_collected, read_hosts
from ringfence.flows.reading import Reading
from ringfence.model.addresses import point_of

HOSTS = {
    "web-1": frozenset({point_of("10.0.0.1"), point_of("fd00::1")}),
    "db-1": frozenset({point_of("10.0.0.3")}),
}
SEEN = "2026-11-24T07:00:00Z"


def row(client: str, server: str, **more: object) -> dict[str, object]:
    return {"client": client, "server": server, "port": 443, "protocol": "tcp", "direction": "out", **more}


def answer(*rows: object, **more: object) -> str:
    return json.dumps({"observed": SEEN, "flows": list(rows), **more})


def seen(path: Path) -> tuple[list[tuple[str, int]], Reading]:
    reading = Reading(hosts=HOSTS)
    return [(flow.source, flow.client) for flow in read(path, "hosts", reading)], reading


OWN = row("10.0.0.1", "192.0.2.9")


def test_flows_between_others_are_left_out_in_one_line_a_host(tmp_path: Path) -> None:
    forged = [row("10.0.0.7", "10.0.0.3", port=port) for port in range(50)]
    (tmp_path / "web-1.json").write_text(answer(OWN, row("192.0.2.9", "10.0.0.1"), *forged))
    flows, reading = seen(tmp_path)
    assert len(flows) == 2
    assert reading.bad == 50
    assert [problem.message for problem in reading.problems] == [
        "web-1: 50 flows between addresses that are not its own"
    ]


def test_loopback_is_every_hosts_own(tmp_path: Path) -> None:
    (tmp_path / "web-1.json").write_text(answer(row("127.0.0.1", "127.0.0.1"), row("127.0.0.1", "10.0.0.3")))
    flows, reading = seen(tmp_path)
    assert (len(flows), reading.bad) == (1, 1)


@pytest.mark.parametrize("inside", ["inventory_hostname", "host"])
def test_a_name_inside_an_answer_never_wins_over_the_file_it_came_in(tmp_path: Path, inside: str) -> None:
    path = tmp_path / "web-1.json"
    path.write_text(answer(OWN, row("10.0.0.9", "10.0.0.3"), **{inside: "db-1"}))
    for place in (tmp_path, path):
        flows, reading = seen(place)
        assert [source for source, _ in flows] == ["hosts:web-1"]
        assert reading.bad == 1


def test_a_host_whose_name_no_file_can_have_is_known_by_the_digest_of_its_name(tmp_path: Path) -> None:
    odd = "rack 1/web"
    for name, told in ((odd, odd), ("rack 2/web", odd)):
        path = tmp_path / f"{hashlib.sha256(name.encode()).hexdigest()}.json"
        path.write_text(answer(OWN, inventory_hostname=told))
    reading = Reading(hosts={**HOSTS, odd: HOSTS["web-1"]})
    assert [flow.source for flow in read(tmp_path, "hosts", reading)] == [f"hosts:{odd}"]
    assert reading.bad == 1, "the other file is named after another host than it says"


def test_an_answer_that_pretends_to_be_a_collection_of_hosts_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "web-1.json"
    path.write_text(json.dumps({"db-1": json.loads(answer(row("10.0.0.9", "10.0.0.3")))}))
    for place in (tmp_path, path):
        flows, reading = seen(place)
        assert flows == []
        assert "'db-1' stands in the file of web-1" in reading.problems[0].message


def test_a_file_of_several_hosts_says_whose_each_answer_is(tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    parts = {"web-1": json.loads(answer(OWN)), "db-1": json.loads(answer(OWN))}
    path.write_text(json.dumps(parts))
    flows, reading = seen(path)
    assert [source for source, _ in flows] == ["hosts:web-1"]
    assert reading.problems[0].message.startswith("db-1: 1 flow between addresses")


def test_a_file_of_a_host_that_the_inventory_does_not_know_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "ghost.json").write_text(answer(OWN, OWN))
    flows, reading = seen(tmp_path)
    assert (flows, reading.bad) == ([], 2)
    assert "no host of the inventory is called 'ghost'" in reading.problems[0].message


@pytest.mark.parametrize("observed", ["0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "1970-01-01", "x" * 5000, 7, []])
def test_a_time_that_no_clock_says_costs_that_hosts_answer(tmp_path: Path, observed: object) -> None:
    (tmp_path / "web-1.json").write_text(json.dumps({"observed": observed, "flows": [OWN]}))
    (tmp_path / "db-1.json").write_text(answer(row("10.0.0.3", "192.0.2.1")))
    flows, reading = seen(tmp_path)
    if observed == []:  # the file's own time stands in
        assert len(flows) == 2
        return
    assert [source for source, _ in flows] == ["hosts:db-1"]
    assert reading.bad == 1
    assert len(reading.problems[0].message) < 400


def test_counts_of_a_host_are_bounded(tmp_path: Path) -> None:
    counts = (MOST_CONNECTIONS + 1, -1, 10**30, "1e9", 1.5, True, [])
    (tmp_path / "web-1.json").write_text(answer(*(row("10.0.0.1", "10.0.0.3", connections=one) for one in counts)))
    flows, reading = seen(tmp_path)
    assert flows == []
    assert reading.bad == len(counts)
    assert len(reading.problems) == 4, "the first three are told, the others counted"


def test_what_else_lies_in_the_directory_costs_itself_alone(tmp_path: Path) -> None:
    (tmp_path / "web-1.json").write_text(answer(OWN))
    (tmp_path / "db-1.json").write_text('{"flows": [')
    (tmp_path / "empty.json").touch()
    (tmp_path / "nowhere.json").symlink_to("nothing")
    (tmp_path / "list.json").write_text("[1, 2]")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "zip.json").write_bytes(b"PK\x03\x04")
    (tmp_path / ".hidden.json").write_text("x")
    (tmp_path / "README.md").write_text("x")
    (tmp_path / "old").mkdir()
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    flows, reading = seen(tmp_path)
    assert [source for source, _ in flows] == ["hosts:web-1"]
    told = {Path(problem.place.file).name for problem in reading.problems if problem.place}
    assert told == {path.name for path in tmp_path.iterdir()} - {"web-1.json", ".hidden.json"}
    assert reading.bad == 7


def test_a_clock_that_is_wrong_is_said_and_the_time_of_this_machine_taken(tmp_path: Path) -> None:
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    clocks = {"web-1": "2026-11-24T15:00:00Z", "db-1": "2026-11-24T11:20:00Z"}
    rows = {"web-1": OWN, "db-1": row("10.0.0.3", "192.0.2.1")}
    told = [{host: {"observed": at, ARRIVED: noon.isoformat(), "flows": [rows[host]]}} for host, at in clocks.items()]
    path = tmp_path / "told"
    path.write_text("".join(json.dumps(one) + "\n" for one in told))
    for reader, times in ((read_collected, {noon}), (read_hosts, {noon, noon - timedelta(minutes=40)})):
        reading = Reading(hosts=HOSTS, observed=noon)
        assert {flow.first_seen for flow in reader(path, reading)} == times
        assert "web-1: its clock is 180 minutes ahead of this machine's" in reading.problems[0].message
        assert ["40 minutes behind" in one.message for one in reading.problems[1:]] == [True] * (len(times) == 1)
