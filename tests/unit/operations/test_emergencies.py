"""Quarantine, release and permissions for a while, from the question before to what kernels hold after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.model.emergencies import HostState, Kind
from ringfence.model.errors import InputError, InputErrors
from ringfence.operations.emergencies import Choice, emergencies, standing_problems
from ringfence.operations.execution import Execution
from ringfence.operations.explain import explain
from ringfence.operations.quarantine import QuarantineRequest, quarantine_of
from ringfence.operations.reach import reach
from ringfence.operations.release import release
from ringfence.rollout import PlaybookResult

from tests.unit.cli_shop import FILES, NOW, ringfence, shop, write
from tests.unit.emergency_hosts import GUARDRAIL, HostsInMemory, isolate, permit, verdict


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


@pytest.fixture
def hosts() -> HostsInMemory:
    return HostsInMemory()


def test_the_isolated_and_every_enforced_peer_hold_a_quarantine(tmp_path: Path, hosts: HostsInMemory) -> None:
    done = isolate(shop(tmp_path), hosts, keep=("api-1",))

    (entry,) = hosts.kernels["web-1"].values()
    (peer,) = hosts.kernels["db-1"].values()
    assert (entry.isolates, entry.kept, entry.why) == (True, ("10.0.1.3",), "scans")
    assert (peer.isolates, peer.remote) == (False, ("10.0.1.1",))
    assert "api-1" not in hosts.kernels
    assert (done.exit_status, done.well) == (0, ("db-1", "web-1", "web-2"))
    assert hosts.asked == [("quarantine", ("web-1", "db-1", "web-2"))]  # the isolated first


def test_answers_name_the_quarantine_on_both_sides_and_in_every_mode(tmp_path: Path, hosts: HostsInMemory) -> None:
    before = verdict(shop(tmp_path), "web-1", "api-1", "tcp/8443")
    order = isolate(tmp_path, hosts).order

    said = f"quarantine {order.id} ({order.who}, because scans)"
    assert before[0] == "allow"
    assert verdict(tmp_path, "web-1", "api-1", "tcp/8443") == ("deny", said, said)
    assert verdict(tmp_path, "web-1", "203.0.113.9", "tcp/443")[:2] == ("deny", said)  # web-1 observes
    assert verdict(tmp_path, "web-2", "api-1", "tcp/8443")[0] == "allow"
    rows = list(reach(Estate(tmp_path), "role=web", "role=api"))
    assert {row.client for row in rows} == {"web-2"}
    (_, place) = (side.place for side in explain(Estate(tmp_path), "web-1", "api-1", "tcp/8443").sides)
    assert str(place) == f"emergencies/{order.id}.json:1"


def test_whom_it_keeps_is_judged_by_the_policy(tmp_path: Path, hosts: HostsInMemory) -> None:
    isolate(shop(tmp_path), hosts, keep=("role=api",))
    assert verdict(tmp_path, "web-1", "api-1", "tcp/8443") == ("allow", "web to api", "web to api")
    assert verdict(tmp_path, "web-1", "db-1", "tcp/5432")[0] == "deny"


def test_what_was_not_reached_is_tried_again_by_its_id_and_released_until_it_is(
    tmp_path: Path, hosts: HostsInMemory
) -> None:
    hosts.silent = {"db-1"}
    partial = isolate(shop(tmp_path), hosts)
    assert (partial.exit_status, partial.missing, partial.reasons["db-1"]) == (4, ("db-1",), "no route to host")

    hosts.silent = {"api-1"}
    assert isolate(tmp_path, hosts, partial.order.id).missing == ("api-1",)
    assert partial.order.id in hosts.kernels["db-1"]

    left = release(Estate(tmp_path), partial.order.id, Kind.QUARANTINE, Execution(runner=hosts))
    assert (left.exit_status, left.missing) == (4, ("api-1",))
    assert [one.id for one in emergencies(Estate(tmp_path)).orders] == [partial.order.id]
    assert verdict(tmp_path, "web-1", "api-1", "tcp/8443")[0] == "allow"

    hosts.silent, hosts.asked = set(), []
    for _ in range(2):
        done = release(Estate(tmp_path), partial.order.id, Kind.QUARANTINE, Execution(runner=hosts))
        assert (done.exit_status, set(done.order.hosts.values())) == (0, {HostState.RELEASED})
    assert hosts.asked == [("release", ("api-1",))]
    assert not any(hosts.kernels.values())
    assert emergencies(Estate(tmp_path)).orders == ()
    assert len(emergencies(Estate(tmp_path), Choice(every=True)).orders) == 1


def test_a_host_that_did_not_take_it_is_asked_by_the_release_all_the_same(tmp_path: Path, hosts: HostsInMemory) -> None:
    hosts.lying = {"db-1"}
    done = isolate(shop(tmp_path), hosts)
    assert done.missing == ("db-1",)
    hosts.asked.clear()
    release(Estate(tmp_path), done.order.id, Kind.QUARANTINE, Execution(runner=hosts))
    assert "db-1" in {host for _name, some in hosts.asked for host in some}


def test_what_ends_by_itself_is_no_answer_after_its_end(
    tmp_path: Path, hosts: HostsInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = isolate(shop(tmp_path), hosts, within="4h")
    assert done.order.ends == int(NOW) + 4 * 3600
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(done.order.ends - 1))
    assert verdict(tmp_path, "web-1", "api-1", "tcp/8443")[0] == "deny"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(done.order.ends))
    assert verdict(tmp_path, "web-1", "api-1", "tcp/8443")[0] == "allow"
    with pytest.raises(InputError, match="has ended by itself"):
        isolate(tmp_path, hosts, done.order.id)


def test_plans_are_made_without_emergencies(tmp_path: Path, hosts: HostsInMemory) -> None:
    before = Estate(shop(tmp_path)).compilation.tables["web-1"].digest
    order = isolate(tmp_path, hosts).order
    (said,) = standing_problems(Estate(tmp_path))
    assert said.message.startswith(f"quarantine {order.id} (")
    assert Estate(tmp_path).compilation.tables["web-1"].digest == before
    assert Estate(tmp_path).in_force().tables["web-1"].digest != before


def test_broken_files_stop_no_quarantine_where_assets_were_kept(tmp_path: Path, hosts: HostsInMemory) -> None:
    Estate(shop(tmp_path)).keep_snapshot()
    write(tmp_path, "policy/shop.yml", "rules: [")
    assert isolate(tmp_path, hosts).well == ("api-1", "db-1", "web-1", "web-2")
    assert isolate(tmp_path, hosts, "role=api").exit_status == 0


@pytest.mark.parametrize(
    ("request_made", "said"),
    [
        (QuarantineRequest(("web-9",), (), "x"), "web-9"),
        (QuarantineRequest(("web-1", "web-9"), (), "x"), "web-9"),
        (QuarantineRequest(("web-1",), (), " "), "reason"),
        (QuarantineRequest(("role=web",), ("web-1",), "x"), "isolated and kept"),
    ],
)
def test_what_means_nobody_or_has_no_reason_is_refused(
    tmp_path: Path, request_made: QuarantineRequest, said: str
) -> None:
    with pytest.raises((InputError, InputErrors), match=said):
        quarantine_of(Estate(shop(tmp_path)), request_made)
    assert not (tmp_path / "emergencies").exists()


def test_a_permission_opens_the_service_on_both_ends_until_it_ends(
    tmp_path: Path, hosts: HostsInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(tmp_path)
    done = permit(tmp_path, hosts, "2h", "web-2", "db-1", "postgresql")
    (out,) = next(iter(hosts.kernels["web-2"].values())).grants
    (into,) = next(iter(hosts.kernels["db-1"].values())).grants
    assert (out.direction, out.protocol, out.ports, out.remote) == ("out", 6, ((5432, 5432),), ("10.0.1.4", "fd00::4"))
    assert (into.direction, into.remote) == ("in", ("10.0.1.2",))
    assert verdict(tmp_path, "web-2", "db-1", "tcp/5432") == ("allow", done.order.title, done.order.title)
    assert verdict(tmp_path, "web-2", "db-1", "tcp/22")[0] == "deny"
    isolate(tmp_path, hosts, "web-2")
    assert verdict(tmp_path, "web-2", "db-1", "tcp/5432")[0] == "deny"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(done.order.ends))
    assert done.order.id not in {one.id for one in Estate(tmp_path).standing()}


@pytest.mark.parametrize("service", ["tcp/0", "udp/53, tcp/0", "sctp/0"])
def test_port_0_is_no_port_to_let_through(tmp_path: Path, hosts: HostsInMemory, service: str) -> None:
    with pytest.raises(InputError, match="names port 0, which no connection has"):
        permit(shop(tmp_path), hosts, "2h", "web-1", "db-1", service)
    assert permit(tmp_path, hosts, "2h", "web-1", "db-1", "tcp").exit_status == 0


@pytest.mark.parametrize("guarded", [True, False])
def test_a_permission_may_be_for_as_many_as_one_names(tmp_path: Path, hosts: HostsInMemory, guarded: bool) -> None:
    many = "".join(f"    v{number}: {{ansible_host: 10.7.0.{number}, vm: {{role: many}}}}\n" for number in range(1, 31))
    files = {"inventory/hosts.yml": FILES["inventory/hosts.yml"] + many}
    if guarded:
        files["policy/guardrail.yml"] = GUARDRAIL.replace("role: db", "role: many")
    shop(tmp_path, files)
    if guarded:
        with pytest.raises(InputError, match="the guardrail 'nobody reaches the database by ssh' denies"):
            permit(tmp_path, hosts, "2h", "role=many", "role=many", "ssh")
    assert len(permit(tmp_path, hosts, "2h", "role=many", "role=many", "tcp/7").well) == 30


def test_guardrails_hold_unless_the_workspace_lets_emergencies_through(tmp_path: Path, hosts: HostsInMemory) -> None:
    shop(tmp_path, {"policy/guard.yml": GUARDRAIL})
    with pytest.raises(InputError, match="nobody reaches the database by ssh") as refused:
        permit(tmp_path, hosts, "2h", "web-2", "db-1", "ssh")
    assert str(refused.value.place).startswith("policy/guard.yml:3")
    assert permit(tmp_path, hosts, "2h", "web-2", "db-1", "postgresql").exit_status == 0
    write(tmp_path, "ringfence.yml", FILES["ringfence.yml"] + "emergencies: {pass_guardrails: true}\n")
    assert permit(tmp_path, hosts, "2h", "web-2", "db-1", "ssh").exit_status == 0


@pytest.mark.parametrize("denied", ["{cidr: 198.51.100.128/25}", "internet", "{cidr: 198.51.100.255}"])
def test_a_guardrail_holds_for_every_part_of_a_network(tmp_path: Path, hosts: HostsInMemory, denied: str) -> None:
    guard = GUARDRAIL.replace("from: any", f"from: {denied}")
    shop(tmp_path, {"policy/guard.yml": guard})
    within = "10.0.0.0-203.0.113.9" if denied == "internet" else "198.51.100.0/24"
    with pytest.raises(InputError, match="nobody reaches the database by ssh"):
        permit(tmp_path, hosts, "2h", within, "db-1", "ssh")
    assert permit(tmp_path, hosts, "2h", "10.7.0.0/24", "db-1", "ssh").exit_status == 0


def test_a_file_that_is_no_emergency_is_named_with_the_way_out(tmp_path: Path, hosts: HostsInMemory) -> None:
    order = isolate(shop(tmp_path), hosts).order
    path = tmp_path / f"emergencies/{order.id}.json"
    written = json.loads(path.read_text())
    wrongs: list[dict[str, object]] = [{"ends": "soon"}, {"id": "q-00000000"}, {"kind": "permission"}, {"more": 1}]
    wrongs += [{name: 10**length} for name in ("since", "ends", "released_at") for length in (12, 18, 30)]
    wrongs += [{"ends": 5}, {"ends": int(NOW) + 31 * 86400}, {"who": "x" * 201}, {"why": "x" * 501}]
    wrongs += [{name: f"a{sign}b"} for name in ("who", "why") for sign in ("\x1b[31m", "\n", "\u202e")]
    for wrong in wrongs:
        path.write_text(json.dumps(written | wrong))
        with pytest.raises(InputErrors, match="this is not an emergency") as refused:
            Estate(tmp_path).standing()
        assert str(refused.value.place) == f"emergencies/{order.id}.json:1"


def test_more_than_a_host_takes_is_refused_before_anything_is_kept(tmp_path: Path, hosts: HostsInMemory) -> None:
    shop(tmp_path)
    many = f"{{cidr: [{', '.join(f'10.{one // 250}.{one % 250}.200' for one in range(2500))}]}}"
    for keep in ((), ("role=db", many)):
        with pytest.raises(InputError, match="cannot take it: more than 2000 networks"):
            isolate(tmp_path, hosts, "web-1" if keep else many, keep=keep)
    assert not (tmp_path / "emergencies").exists()


def test_what_hosts_hold_is_told_where_the_workspace_takes_nothing_any_more(
    tmp_path: Path, hosts: HostsInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(tmp_path)
    place = tmp_path / "emergencies"

    def full(*given: object, **more: object) -> PlaybookResult:
        place.rename(tmp_path / "away")
        place.write_text("")
        return hosts(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("ringfence.rollout.run_playbook", full)
    done = ringfence(tmp_path, "quarantine", "web-1", "--because", "scans", "--yes")
    assert done.exit_code == 0, done.output
    assert "4/4 hosts hold it" in done.output
    assert "is not kept" in done.output


def test_how_hosts_find_their_neighbours_is_in_no_quarantine(tmp_path: Path) -> None:
    estate = Estate(shop(tmp_path))
    for what in ("fe80::/10", "fe80::1", "ff02::/16"):
        with pytest.raises(InputError, match="no address of a host"):
            quarantine_of(estate, QuarantineRequest((what,), (), "x"))
    cut = quarantine_of(estate, QuarantineRequest(("f000::/4",), (), "x"))
    assert cut.entries["web-1"].remote[-1] == "fec0::/10"


def test_the_command_shows_what_it_cuts_asks_and_tells_by_its_status_what_is_left(
    tmp_path: Path, hosts: HostsInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringfence.rollout.run_playbook", hosts)
    ringfence(shop(tmp_path), "flows", "add", str(tmp_path / "flows.csv"))
    unasked = ringfence(tmp_path, "quarantine", "web-1", "--because", "scans")
    assert unasked.exit_code == 2
    assert "web-1 → api-1  tcp/8443  10 times" in unasked.output
    assert not hosts.kernels
    hosts.silent = {"db-1"}
    done = ringfence(tmp_path, "quarantine", "web-1", "--because", "scans", "--yes")
    assert done.exit_code == 4, done.output
    assert "3/4 hosts hold it (read back from the kernel)" in done.output
    assert "db-1: no route to host" in done.output
    (name,) = {one for kernel in hosts.kernels.values() for one in kernel}
    listed = ringfence(tmp_path, "emergencies")
    assert name in listed.output
    assert "3/4 hold" in listed.output
    hosts.silent = set()
    assert ringfence(tmp_path, "release", name).exit_code == 0
    assert "nothing stands" in ringfence(tmp_path, "emergencies").output
    assert ringfence(tmp_path, "release", name).exit_code == 0
    assert ringfence(tmp_path, "end", name).exit_code == 2


def test_the_playbook_does_the_same_by_the_variables_that_the_command_prints(tmp_path: Path) -> None:
    told = json.loads(ringfence(shop(tmp_path), "quarantine", "web-1", "--because", "scans", "--variables").stdout)
    (order,) = Estate(tmp_path).standing()
    entries = told["ringfence_emergency"]
    assert sorted(entries) == told["ringfence_hosts"].split(":") == ["api-1", "db-1", "web-1", "web-2"]
    assert entries["web-1"].splitlines()[1:] == ["element isolated all"]
    assert entries["db-1"].splitlines()[1:] == ["element quarantined 10.0.1.1"]
    assert set(order.hosts.values()) == {HostState.UNKNOWN}
    assert told["ringfence_control"] == {"from": ["10.0.0.0/24", "fd00::/64"], "port": 22}


def test_a_workspace_without_its_file_releases_it_everywhere(tmp_path: Path, hosts: HostsInMemory) -> None:
    order = isolate(shop(tmp_path), hosts).order
    (tmp_path / f"emergencies/{order.id}.json").unlink()
    execution = Execution(runner=hosts)
    with pytest.raises(InputError, match="has no emergency"):
        release(Estate(tmp_path), order.id, Kind.QUARANTINE, execution)
    assert release(Estate(tmp_path), order.id, Kind.QUARANTINE, execution, everywhere=True).exit_status == 0
    assert not any(hosts.kernels.values())
