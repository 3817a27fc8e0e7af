"""What stands while the inventory changes: names, addresses and labels go, come, and go to others."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.model.emergencies import HostState, Kind
from ringfence.model.errors import InputErrors
from ringfence.operations.check import check
from ringfence.operations.emergencies import doubtful, standing_problems
from ringfence.operations.emergency_moves import moved
from ringfence.operations.execution import Execution
from ringfence.operations.refresh import refresh
from ringfence.operations.release import release
from ringfence.presenting.emergency_view import carried_lines

from tests.unit.cli_shop import FILES, NOW, ringfence, shop, write
from tests.unit.emergency_hosts import HostsInMemory, isolate, permit, verdict

INVENTORY = "inventory/hosts.yml"
WEB_1 = "    web-1: {ansible_host: 10.0.1.1, vm: {role: web}}\n"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


@pytest.fixture
def hosts() -> HostsInMemory:
    return HostsInMemory()


def _becomes(directory: Path, line: str) -> None:
    """Let another line stand for web-1 in the inventory."""
    write(directory, INVENTORY, FILES[INVENTORY].replace(WEB_1, line))


def _told(directory: Path) -> str:
    return "\n".join(problem.message for problem in moved(Estate(directory)))


@pytest.mark.parametrize("what", ["web-1", "10.0.1.1/32"])
def test_a_host_that_got_another_name_stays_isolated_on_itself(tmp_path: Path, hosts: HostsInMemory, what: str) -> None:
    order = isolate(shop(tmp_path), hosts, what).order
    _becomes(tmp_path, WEB_1.replace("web-1", "shop-web-1"))
    assert verdict(tmp_path, "shop-web-1", "10.9.9.9", "tcp/443")[0] == "deny"
    refresh(Estate(tmp_path), [], Execution(runner=hosts))
    assert hosts.kernels["shop-web-1"][order.id].isolates
    assert not hosts.kernels["web-2"][order.id].isolates


def test_a_host_that_comes_into_an_isolated_network_is_isolated(tmp_path: Path, hosts: HostsInMemory) -> None:
    order = isolate(shop(tmp_path), hosts, "10.0.9.0/24").order
    _becomes(tmp_path, WEB_1 + "    new-1: {ansible_host: 10.0.9.9}\n")
    refresh(Estate(tmp_path), [], Execution(runner=hosts))
    assert hosts.kernels["new-1"][order.id].isolates


def test_who_shares_an_address_with_one_that_is_gone_is_not_isolated(tmp_path: Path, hosts: HostsInMemory) -> None:
    both = "ringfence_addresses: [{}, 10.0.1.9], vm: {{role: web}}"
    shop(tmp_path)
    shared = f"    web-3: {{ansible_host: 10.0.1.8, {both.format('10.0.1.8')}}}\n"
    _becomes(tmp_path, f"    web-1: {{ansible_host: 10.0.1.1, {both.format('10.0.1.1')}}}\n{shared}")
    order = isolate(tmp_path, hosts).order
    _becomes(tmp_path, shared)
    refresh(Estate(tmp_path), [], Execution(runner=hosts))
    assert not hosts.kernels["web-3"][order.id].isolates


def test_nothing_is_told_where_nothing_changed(tmp_path: Path, hosts: HostsInMemory) -> None:
    isolate(shop(tmp_path), hosts, "10.0.1.0/31")
    isolate(tmp_path, hosts, "db-1", keep=("10.0.1.3",))
    permit(tmp_path, hosts, "2h", "web-2", "api-1", "ssh")
    assert _told(tmp_path) == ""
    write(tmp_path, "labels.yml", "labels: []\n")  # labels are another thing
    assert _told(tmp_path) == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (WEB_1.replace("10.0.1.1", "10.0.1.77"), "web-1 now has 10.0.1.77, which quarantine {} does not cut off"),
        (
            WEB_1.replace("web-1", "other").replace("1.1", "1.1, ringfence_addresses: [10.0.1.8]"),
            "no source names web-1 any more",
        ),
        (
            WEB_1.replace("10.0.1.1", "10.0.1.77") + WEB_1.replace("web-1", "innocent"),
            "10.0.1.1 of web-1 now belongs to innocent, and quarantine {} still cuts it off",
        ),
        ("", "no source names web-1 any more, and quarantine {} still cuts it off at 10.0.1.1"),
    ],
)
def test_addresses_that_are_cut_off_for_nothing_or_not_at_all_are_told(
    tmp_path: Path, hosts: HostsInMemory, line: str, said: str
) -> None:
    order = isolate(shop(tmp_path), hosts).order
    _becomes(tmp_path, line)
    assert said.format(order.title.removeprefix("quarantine ")) in _told(tmp_path)
    messages = [problem.message for problem in moved(Estate(tmp_path))]
    estate = Estate(tmp_path)
    assert set(messages) <= {one.message for one in standing_problems(estate)}
    assert set(messages) <= {one.message for one in check(estate).problems}


def test_words_that_mean_more_by_now_are_told(tmp_path: Path, hosts: HostsInMemory) -> None:
    isolate(shop(tmp_path), hosts, "role=web")
    _becomes(tmp_path, WEB_1 + "    web-7: {ansible_host: 10.0.1.7, vm: {role: web}}\n")
    assert "'role=web' now also means web-7, which quarantine" in _told(tmp_path)


def test_a_permission_that_opens_something_to_a_stranger_is_told(tmp_path: Path, hosts: HostsInMemory) -> None:
    permit(shop(tmp_path), hosts, "2h", "web-1", "db-1", "ssh")
    _becomes(tmp_path, WEB_1.replace("10.0.1.1", "10.0.1.77") + WEB_1.replace("web-1", "innocent"))
    told = _told(tmp_path)
    assert "web-1 now has 10.0.1.77, which permission" in told
    assert "10.0.1.1 of web-1 now belongs to innocent, and permission" in told


def test_answers_about_the_files_alone_say_what_stands_beside_them(tmp_path: Path, hosts: HostsInMemory) -> None:
    order = isolate(shop(tmp_path), hosts).order
    for words in (("check",), ("impact", "web-1", "--label", "role=api"), ("hygiene",), ("lint",), ("suggest",)):
        told = ringfence(tmp_path, *words).stderr
        assert f"beside them stands quarantine {order.id} (web-1)" in told, words
    assert f"quarantine {order.id} (" in ringfence(tmp_path, "blast", "web-1").stderr
    assert order.id not in ringfence(tmp_path, "blast", "db-1").stderr
    write(tmp_path, f"emergencies/{order.id}.json", "{}")
    assert ringfence(tmp_path, "lint").exit_code != 2


def test_a_host_that_the_inventory_does_not_name_is_told_and_excused(tmp_path: Path, hosts: HostsInMemory) -> None:
    order = isolate(shop(tmp_path), hosts).order
    _becomes(tmp_path, "")
    hosts.unnamed = {"web-1"}
    left = release(Estate(tmp_path), order.id, Kind.QUARANTINE, Execution(runner=hosts))
    assert (left.missing, left.reasons) == (("web-1",), {"web-1": "the inventory does not name it"})
    assert f"ringfence release {order.id} --excuse web-1" in "".join(line.text for line in carried_lines(left))
    with pytest.raises(InputErrors):
        release(Estate(tmp_path), order.id, Kind.QUARANTINE, Execution(runner=hosts), excused=["web-77"])
    done = release(Estate(tmp_path), order.id, Kind.QUARANTINE, Execution(runner=hosts), excused=["web-1"])
    assert (done.exit_status, set(done.order.hosts.values())) == (0, {HostState.RELEASED})
    assert doubtful(Estate(tmp_path)) == []
