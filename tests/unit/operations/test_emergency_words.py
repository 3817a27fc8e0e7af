"""What a person is told of emergencies: what hosts may not hold, what was not asked, what cannot be isolated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ringfence.estate import Estate, Listener
from ringfence.model.emergencies import HostState, Kind
from ringfence.model.errors import InputError, Place
from ringfence.model.problems import Problem, Severity
from ringfence.operations.allow_for import PermissionRequest, permission_of
from ringfence.operations.cut_flows import cut_flows
from ringfence.operations.execution import Execution
from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.quarantine import QuarantineRequest, quarantine_of
from ringfence.operations.release import release
from ringfence.operations.run_process import Recording
from ringfence.operations.runs import follow
from ringfence.presenting.emergency_view import carried_lines, cut_lines, permission_lines
from ringfence.rollout.runs import END_FILE, RunFacts, begin_run, write_whole

from tests.unit.cli_shop import FILES, NOW, ringfence, shop, write
from tests.unit.emergency_hosts import HostsInMemory, isolate, permit

ANSWERS = [
    ("explain", "web-1", "db-1", "tcp/5432"),
    ("reach", "--from", "web-1"),
    ("simulate",),
    ("blast", "web-1"),
    ("map",),
    ("draft", "effect"),
]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


@pytest.fixture
def hosts() -> HostsInMemory:
    return HostsInMemory()


@pytest.mark.parametrize("words", ANSWERS)
def test_answers_name_the_hosts_that_may_not_hold_what_they_go_by(
    tmp_path: Path, hosts: HostsInMemory, words: tuple[str, ...]
) -> None:
    ringfence(shop(tmp_path), "flows", "add", str(tmp_path / "flows.csv"))
    hosts.silent = {"db-1"}
    order = isolate(tmp_path, hosts).order
    said = ringfence(tmp_path, *words).stderr
    assert f"{order.title} stands, and is not known to be held by db-1" in said
    assert f"ringfence quarantine {order.id}" in said

    release(Estate(tmp_path), order.id, Kind.QUARANTINE, Execution(runner=hosts))
    said = ringfence(tmp_path, *words).stderr
    assert f"{order.title} was ended, and may still be held by db-1" in said
    assert f"ringfence release {order.id}" in said

    hosts.silent = set()
    release(Estate(tmp_path), order.id, Kind.QUARANTINE, Execution(runner=hosts))
    assert "quarantine" not in ringfence(tmp_path, *words).stderr


def test_a_release_that_asks_no_host_claims_no_reading(tmp_path: Path, hosts: HostsInMemory) -> None:
    order = isolate(shop(tmp_path), hosts).order
    release(Estate(tmp_path), order.id, Kind.QUARANTINE, Execution(runner=hosts))
    again = release(Estate(tmp_path), order.id, Kind.QUARANTINE, Execution(runner=hosts))
    (line,) = (one.text for one in carried_lines(again))
    assert line == f"{order.id}: none of 4 hosts was asked: each is known not to hold it, or was excused"


@pytest.mark.parametrize("what", ["127.0.0.1", "::1", "224.0.0.5", "fe80::1", "ff02::1", "255.255.255.255"])
def test_what_is_no_address_of_a_host_cannot_be_isolated(tmp_path: Path, what: str) -> None:
    with pytest.raises(InputError, match=f"{what} is no address of a host"):
        quarantine_of(Estate(shop(tmp_path)), QuarantineRequest((what,), (), "scans"))


def test_isolating_where_ansible_comes_from_is_said_to_be_refused(tmp_path: Path) -> None:
    shop(tmp_path)
    whole = quarantine_of(Estate(tmp_path), QuarantineRequest(("10.0.0.0/16",), (), "scans"))
    assert whole.controls == ("10.0.0.0/24",)
    assert any("10.0.0.0/24 is where Ansible comes from" in line.text for line in cut_lines(whole))
    part = quarantine_of(Estate(tmp_path), QuarantineRequest(("10.0.0.7",), (), "scans"))
    assert part.controls == ()


def test_a_host_whose_connection_is_local_is_named_as_one_that_this_machine_would_stand_in_for(tmp_path: Path) -> None:
    hosts = FILES["inventory/hosts.yml"]
    local = hosts.replace("{ansible_host: 10.0.1.1,", "{ansible_host: 10.0.1.1, ansible_connection: local,")
    shop(tmp_path, {"inventory/hosts.yml": f"{local}    localhost: {{ansible_connection: local}}\n"})
    cut = quarantine_of(Estate(tmp_path), QuarantineRequest(("web-1",), (), "scans"))
    assert cut.local == ("web-1",)
    assert cut.data()["told_to_this_machine"] == ["web-1"]
    (said,) = [line.text for line in cut_lines(cut) if "this machine" in line.text]
    assert said.startswith("  web-1: 'ansible_connection' is local")

    write(tmp_path, "inventory/hosts.yml", hosts)
    assert quarantine_of(Estate(tmp_path), QuarantineRequest(("web-1",), (), "scans")).local == ()


def test_reach_names_what_stands_about_the_assets_that_it_is_asked_about(tmp_path: Path, hosts: HostsInMemory) -> None:
    shop(tmp_path)
    title = isolate(tmp_path, hosts).order.title
    for words in (("--from", "web-1"), ("--to", "web-1"), ("--from", "web-1", "--to", "db-1"), ()):
        assert f"{title} is about web-1, and decides before" in ringfence(tmp_path, "reach", *words).stderr, words
    assert title not in ringfence(tmp_path, "reach", "--from", "web-2").stderr
    assert title in ringfence(tmp_path, "blast", "web-1").stderr


def test_what_two_isolated_ends_sent_each_other_is_told_once(tmp_path: Path) -> None:
    ringfence(shop(tmp_path), "flows", "add", str(tmp_path / "flows.csv"))
    cut = quarantine_of(Estate(tmp_path), QuarantineRequest(("web-1", "api-1"), (), "scans"))
    seen = cut_flows(Estate(tmp_path), cut.order, FlowSelection())
    ends = [(one.isolated, one.peer, one.service) if one.to else (one.peer, one.isolated, one.service) for one in seen]
    assert ("web-1", "api-1", "tcp/8443") in ends
    assert len(ends) == len(set(ends))


def test_hosts_with_one_reason_share_a_line(tmp_path: Path, hosts: HostsInMemory) -> None:
    hosts.silent = {"db-1", "web-2"}
    done = isolate(shop(tmp_path), hosts)
    assert "  db-1, web-2: no route to host" in [line.text for line in carried_lines(done)]


def test_what_a_run_says_beside_its_events_is_told_by_whoever_follows_it(tmp_path: Path) -> None:
    estate = Estate(shop(tmp_path))
    assert ringfence(tmp_path, "plan", "--no-flows").exit_code == 0
    plan = next((tmp_path / "plans").iterdir()).name
    run, _locks = begin_run(estate.history.state, RunFacts("alice", "", plan, "2026-11-24T07:00:00Z", (), ()))
    problem = Problem(Severity.WARNING, "db-1 lacks it", Place("emergencies/q.json", 1), "ringfence quarantine q")
    recording = Recording(run.path / "events.jsonl")
    recording.note("q-1a2b3c4d stands: web-1 holds it now as well")
    recording.problems([problem])
    write_whole(run.path / END_FILE, {"status": "successful", "hosts": [], **recording.words()})
    for lock in _locks:
        import os

        os.close(lock)
    heard: list[object] = []

    class Heard(Listener):
        def note(self, text: str) -> None:
            heard.append(text)

        def problems(self, problems: Sequence[Problem]) -> None:
            heard.extend(problems)

    follow(estate, run, Execution(Heard()))
    assert heard == ["q-1a2b3c4d stands: web-1 holds it now as well", problem]


def test_a_host_that_was_never_reached_is_not_known_to_hold_it(tmp_path: Path) -> None:
    ringfence(shop(tmp_path), "quarantine", "web-1", "--because", "scans", "--variables")
    (order,) = Estate(tmp_path).standing()
    assert set(order.hosts.values()) == {HostState.UNKNOWN}
    assert "is not known to be held by api-1, db-1, web-1, web-2" in ringfence(tmp_path, *ANSWERS[0]).stderr


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("all", "every asset is 'any'"),
        ("web-*", "names have no patterns"),
        ("web-1,web-2", "[{asset: web-1}, {asset: web-2}]"),
        ("web-1 web-2", "[{asset: web-1}, {asset: web-2}]"),
        ("role=web env=prod", "role=web,env=prod"),
        ("10.0.0.999", "'10.0.0.999' is not a valid address, network or range"),
        ("10.0.0.1:443", "write '10.0.0.1' alone; a port is part of a service"),
        ("printer-of-nobody", "ringfence assets lists"),
    ],
)
def test_what_people_write_elsewhere_is_answered_with_how_it_is_written_here(
    tmp_path: Path, text: str, remedy: str
) -> None:
    said = ringfence(shop(tmp_path), "quarantine", text, "--because", "scans")
    assert said.exit_code == 2
    assert remedy in said.stderr
    assert ringfence(tmp_path, "reach", "--from", "[{asset: web-1}, {asset: web-2}]").exit_code == 0


def test_a_permission_of_a_host_to_itself_is_refused(tmp_path: Path) -> None:
    shop(tmp_path)
    with pytest.raises(InputError, match="db-1 reaches itself over loopback"):
        permission_of(Estate(tmp_path), PermissionRequest("2h", "db-1", "db-1", "tcp/5432", "a backup"))


def passing(directory: Path, *words: str) -> list[str]:
    """Return what is said of what passes without a permission, for people."""
    found = permission_of(Estate(directory), PermissionRequest("2h", *words, "ticket"))
    assert [one["to"] for one in found.data()["passing_anyway"]] == [one.server for one in found.passing]  # type: ignore[attr-defined]
    return [line.text for line in permission_lines(found) if "passes without it" in line.text]


def test_a_permission_for_what_passes_anyway_says_so_and_by_what(tmp_path: Path, hosts: HostsInMemory) -> None:
    shop(tmp_path)
    (line,) = passing(tmp_path, "web-1", "api-1", "tcp/8443")
    assert "'web to api' (policy/shop.yml:3:5)" in line
    # what only a process may, and what is denied, is what permissions are for
    assert passing(tmp_path, "api-1", "db-1", "postgresql") == []
    assert passing(tmp_path, "web-1", "db-1", "postgresql") == []
    assert len(passing(tmp_path, "role=web", "api-1", "tcp/8443")) == 2
    # an end that only observes, and a permission that stands
    (line,) = passing(tmp_path, "192.0.2.7", "web-1", "ssh")
    assert "web-1 only observes" in line
    permit(tmp_path, hosts, "2h", "web-1", "db-1", "postgresql")
    (line,) = passing(tmp_path, "web-1", "db-1", "postgresql")
    assert "permission p-" in line
