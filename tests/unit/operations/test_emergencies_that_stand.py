"""Emergencies that stand, and what comes later: new hosts, other people and commands, guardrails, drafts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.estate.emergencies import update_order
from ringfence.estate.listening import Listener
from ringfence.model.emergencies import HostState, Kind
from ringfence.model.errors import InputError
from ringfence.model.picture import GroupKind, PictureGroup, PolicyState, Sign
from ringfence.model.problems import Problem
from ringfence.operations import draft
from ringfence.operations.draft import AddRule
from ringfence.operations.emergencies import emergencies, standing_problems
from ringfence.operations.emergency_hosts import lay_down, variables_of
from ringfence.operations.emergency_turns import seen_at_hosts, wait_for_others
from ringfence.operations.execution import Execution
from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.info import info
from ringfence.operations.picture import PictureRequest, cell_flows, picture
from ringfence.operations.quarantine import QuarantineRequest, quarantine, quarantine_of
from ringfence.operations.refresh import refresh
from ringfence.operations.release import release
from ringfence.operations.simulate import simulate
from ringfence.rollout import PlaybookResult
from ringfence.rollout.runs import RUNS, no_run_begins
from ringfence.wire.run_files import lives, working_on_a_host

from tests.unit.cli_shop import NOW, shop, write
from tests.unit.emergency_hosts import GUARDRAIL, HostsInMemory, isolate, permit, verdict


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


@pytest.fixture
def hosts() -> HostsInMemory:
    return HostsInMemory()


def test_a_host_that_is_added_or_made_anew_is_told_of_what_stands_when_it_is_next_reached(
    tmp_path: Path, hosts: HostsInMemory
) -> None:
    shop(tmp_path)
    hosts.silent = {"db-1"}
    order = isolate(tmp_path, hosts).order
    write(
        tmp_path,
        "inventory/more.yml",
        "all: {hosts: {new-1: {ansible_host: 10.0.9.9, ringfence_addresses: [10.0.9.9]}}}\n",
    )
    assert emergencies(Estate(tmp_path)).new == {order.id: ("new-1",)}
    hosts.silent, hosts.kernels["api-1"] = set(), {}  # from an image that knows nothing of it

    class Heard(Listener):
        def __init__(self) -> None:
            self.said: list[str] = []

        def problems(self, problems: Sequence[Problem]) -> None:
            self.said += [one.message for one in problems]

    heard = Heard()
    info(Estate(tmp_path), (), Execution(heard, runner=hosts))
    assert [one for one in heard.said if order.id in one] == [
        f"api-1, db-1, new-1 lack quarantine {order.id} ({order.who}, because scans), which stands"
    ]
    refresh(Estate(tmp_path), ("new-1", "api-1"), Execution(runner=hosts))
    assert set(hosts.kernels["new-1"]) == set(hosts.kernels["api-1"]) == {order.id}
    known = Estate(tmp_path).standing()[0].hosts
    assert (known["new-1"], known["db-1"]) == (HostState.HELD, HostState.UNKNOWN)
    assert emergencies(Estate(tmp_path)).new == {}
    assert set(release(Estate(tmp_path), order.id, Kind.QUARANTINE, Execution(runner=hosts)).well) == set(known)


def test_what_kernels_are_read_to_hold_is_known_from_then_on(tmp_path: Path, hosts: HostsInMemory) -> None:
    shop(tmp_path)
    hosts.silent = {"db-1"}
    order = isolate(tmp_path, hosts).order
    # a playbook has told one host, another one came back from an older image, a third is released but for its kernel
    hosts.silent, hosts.kernels["db-1"], hosts.kernels["api-1"] = set(), dict(hosts.kernels["web-1"]), {}
    info(Estate(tmp_path), (), Execution(runner=hosts))
    states = Estate(tmp_path).standing()[0].hosts
    assert (states["db-1"], states["api-1"], states["web-1"]) == (HostState.HELD, HostState.UNKNOWN, HostState.HELD)

    release(Estate(tmp_path), order.id, Kind.QUARANTINE, Execution(runner=hosts))
    hosts.kernels["web-2"] = dict.fromkeys([order.id])  # type: ignore[arg-type]
    info(Estate(tmp_path), (), Execution(runner=hosts))
    (kept,) = Estate(tmp_path).emergencies()
    assert kept.released
    assert [name for name, state in kept.hosts.items() if state is HostState.HELD] == ["web-2"]


def test_of_two_who_work_on_one_emergency_none_undoes_what_the_other_did(tmp_path: Path, hosts: HostsInMemory) -> None:
    shop(tmp_path)
    order = isolate(tmp_path, hosts).order
    (mine,) = Estate(tmp_path).standing()
    release(Estate(tmp_path), order.id, Kind.QUARANTINE, Execution(runner=hosts))
    with pytest.raises(InputError, match="released"):
        lay_down(Estate(tmp_path), mine, {}, Execution(runner=hosts))
    kept = update_order(tmp_path, mine, {"late-1": HostState.HELD})
    assert kept.released
    assert kept.hosts["web-1"] is HostState.RELEASED
    again = release(Estate(tmp_path), order.id, Kind.QUARANTINE, Execution(runner=hosts))
    assert hosts.asked[-1] == ("release", ("late-1",))
    assert again.exit_status == 0


def test_an_end_waits_for_others_for_a_while_and_then_goes_on_with_a_warning(
    tmp_path: Path, hosts: HostsInMemory
) -> None:
    order = isolate(shop(tmp_path), hosts).order
    state = tmp_path / ".ringfence"
    with seen_at_hosts(state, order) as seen:
        assert lives(seen["ringfence_run"])
        (told,) = wait_for_others(state, order, Execution(), patience=0)
    assert "one of them may hold it again" in told.message
    assert not wait_for_others(state, order, Execution(), patience=0)


def test_an_end_waits_for_the_playbook_that_somebody_runs_with_the_variables_too(
    tmp_path: Path, hosts: HostsInMemory
) -> None:
    estate = Estate(shop(tmp_path))
    cut = quarantine_of(estate, QuarantineRequest(("web-1",), (), "scans"))
    given = variables_of(estate, cut.order, cut.entries)
    state, seen = tmp_path / ".ringfence", str(given["ringfence_seen"])
    assert not wait_for_others(state, cut.order, Execution(), patience=0)
    with working_on_a_host(seen):
        assert wait_for_others(state, cut.order, Execution(), patience=0)
    # one that runs later is seen as well, until the end has reached every host
    hosts.silent = {"db-1"}
    release(Estate(tmp_path), cut.order.id, Kind.QUARANTINE, Execution(runner=hosts))
    assert Path(seen).is_dir()
    hosts.silent = set()
    release(Estate(tmp_path), cut.order.id, Kind.QUARANTINE, Execution(runner=hosts))
    assert not Path(seen).exists()
    with working_on_a_host(seen):
        pass  # as on another machine


def test_names_are_looked_up_by_one_command_at_a_time_as_all_that_changes_hosts(
    tmp_path: Path, hosts: HostsInMemory
) -> None:
    estate = Estate(shop(tmp_path))
    given: list[Mapping[str, object]] = []

    def told(*words: object, **more: object) -> PlaybookResult:
        given.append(words[2])  # type: ignore[arg-type]
        return hosts(*words, **more)  # type: ignore[arg-type]

    refresh(estate, ("web-1",), Execution(runner=told))
    assert given[0]["ringfence_run"] == str(estate.history.state / RUNS)
    with no_run_begins(estate.history.state), pytest.raises(InputError, match="just beginning, or hosts are being"):
        refresh(estate, ("web-1",), Execution(runner=told))
    assert len(given) == 1


def test_a_disk_that_is_full_stops_nobody_from_being_isolated(tmp_path: Path, hosts: HostsInMemory) -> None:
    order = isolate(shop(tmp_path), hosts).order
    (tmp_path / "file").write_text("")
    with seen_at_hosts(tmp_path / "file", order) as seen:
        assert seen == {}


def test_the_map_of_held_files_and_draft_says_what_explain_says(tmp_path: Path, hosts: HostsInMemory) -> None:
    shop(tmp_path)
    isolate(tmp_path, hosts, "api-1")
    estate, states = Estate(tmp_path), (PolicyState.FILES, PolicyState.DRAFT)
    flows = FlowSelection([tmp_path / "flows.csv"])
    assert verdict(tmp_path, "web-1", "api-1", "tcp/8443")[0] == "deny"
    allow = {"from": {"role": "web"}, "to": {"role": "api"}, "allow": "tcp/1"}
    draft.change(estate, AddRule("policy/shop.yml", allow, {"scope": {"app": "shop"}}))
    found = picture(estate, PictureRequest(flows, states=states))
    web, api = (PictureGroup(GroupKind.LABELS, ("prod", "shop", role)) for role in ("web", "api"))
    cell = cell_flows(estate, PictureRequest(flows, states=states), web, api)
    for state in states:
        assert {(one.name.split(" ")[0], one.sign) for one in cell.rules[state]} == {("quarantine", Sign.DENIED)}
    with simulate(estate, flows) as simulated:
        counts = simulated.simulation.categories
    denied = sum(counts[one].flows for one in counts if one.value.endswith("denied"))
    assert found.totals[PolicyState.FILES][Sign.DENIED].flows == denied


def test_a_jump_host_is_isolated_after_those_behind_it_and_released_before_them(
    tmp_path: Path, hosts: HostsInMemory
) -> None:
    shop(tmp_path)
    jump = "all: {hosts: {db-1: {ansible_ssh_common_args: -J web-1}}}\n"
    write(tmp_path, "inventory/zz-jump.yml", jump)
    estate = Estate(tmp_path)
    cut = quarantine_of(estate, QuarantineRequest(("web-1",), (), "scans"))
    assert cut.behind == {"web-1": ("db-1",)}
    order = quarantine(estate, cut, Execution(runner=hosts)).order
    first, last = (names for _, names in hosts.asked)
    assert ("db-1" in first, "web-1" in first, last) == (True, False, ("web-1",))
    assert quarantine_of(estate, QuarantineRequest(("web-1",), ("db-1",), "scans")).behind == {}
    assert release(estate, order.id, Kind.QUARANTINE, Execution(runner=hosts)).exit_status == 0
    assert hosts.asked[2] == ("release", ("web-1",))


def test_a_guardrail_that_comes_after_a_permission_is_told_with_every_plan(
    tmp_path: Path, hosts: HostsInMemory
) -> None:
    shop(tmp_path)
    order = permit(tmp_path, hosts, "2h", "web-1", "db-1", "ssh").order
    assert len(standing_problems(Estate(tmp_path))) == 1
    write(tmp_path, "policy/guardrails.yml", GUARDRAIL)
    _, guarded = standing_problems(Estate(tmp_path))
    assert "the guardrail 'nobody reaches the database by ssh' denies web-1 to db-1 now" in guarded.message
    assert guarded.remedy == f"ringfence end {order.id}"


def test_a_plan_offers_to_isolate_again_only_where_hosts_do_not_hold_it(tmp_path: Path, hosts: HostsInMemory) -> None:
    shop(tmp_path)
    order = isolate(tmp_path, hosts).order
    [told] = standing_problems(Estate(tmp_path))
    assert told.remedy == f"ringfence release {order.id}"
    update_order(tmp_path, order, {"db-1": HostState.UNKNOWN})
    [told] = standing_problems(Estate(tmp_path))
    assert told.remedy == f"'ringfence quarantine {order.id}' reaches hosts that do not hold it yet"
