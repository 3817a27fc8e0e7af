"""Emergencies on the same assets, and what a person is told who names the wrong thing."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.model.emergencies import Kind, Order
from ringfence.model.errors import InputError
from ringfence.operations.allow_for import Permission, PermissionRequest, permission_of
from ringfence.operations.cut_flows import cut_flows
from ringfence.operations.emergency_hosts import Carried
from ringfence.operations.execution import Execution
from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.quarantine import QuarantineRequest, quarantine, quarantine_of
from ringfence.operations.release import release
from ringfence.presenting.emergency_view import carried_lines, cut_lines, permission_lines

from tests.unit.cli_shop import NOW, shop, write
from tests.unit.emergency_hosts import HostsInMemory


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


@pytest.fixture
def hosts() -> HostsInMemory:
    return HostsInMemory()


def isolate(directory: Path, hosts: HostsInMemory, *what: str, keep: tuple[str, ...] = ()) -> Order:
    estate = Estate(directory)
    cut = quarantine_of(estate, QuarantineRequest(what, keep, "scans"))
    return quarantine(estate, cut, Execution(runner=hosts)).order


def released(directory: Path, hosts: HostsInMemory, name: str) -> Carried:
    return release(Estate(directory), name, Kind.QUARANTINE, Execution(runner=hosts))


def permission(directory: Path, *words: str) -> Permission:
    return permission_of(Estate(directory), PermissionRequest("2h", *words, "broken index"))


def test_one_quarantine_isolates_all_that_are_named(tmp_path: Path, hosts: HostsInMemory) -> None:
    order = isolate(shop(tmp_path), hosts, "web-1", "role=db", "203.0.113.7")
    assert order.first.names == {"web-1", "db-1"}
    assert order.first.said == ("web-1", "role=db", "203.0.113.7")
    assert {name for name, held in hosts.kernels.items() if held[order.id].isolates} == {"web-1", "db-1"}


def test_a_second_quarantine_and_a_release_say_what_else_isolates(tmp_path: Path, hosts: HostsInMemory) -> None:
    one = isolate(shop(tmp_path), hosts, "web-1")
    cut = quarantine_of(Estate(tmp_path), QuarantineRequest(("role=web",), (), "spreads"))
    assert f"  web-1 is isolated by {one.id} already, which stands on its own" in [line.text for line in cut_lines(cut)]
    assert cut.data()["already"] == {one.id: ["web-1"]}
    two = isolate(tmp_path, hosts, "role=web")

    done = released(tmp_path, hosts, two.id)
    assert done.data()["isolated_besides"] == {one.id: ["web-1"]}
    assert [line.text for line in carried_lines(done)][-2:] == [
        f"  web-1 is still isolated by {one.id}",
        f"  → ringfence release {one.id}",
    ]
    assert released(tmp_path, hosts, one.id).besides == {}


def test_a_permission_under_a_quarantine_says_so(tmp_path: Path, hosts: HostsInMemory) -> None:
    order = isolate(shop(tmp_path), hosts, "web-1", keep=("db-1",))
    assert permission(tmp_path, "web-1", "db-1", "postgresql").stopped == {}
    stopped = permission(tmp_path, "web-1", "api-1", "ssh")
    assert stopped.data()["stopped_by"] == {order.id: ["web-1"]}
    text = f"  web-1 is isolated by {order.id}, which stands above this: nothing from or to it passes until"
    text = f"{text} 'ringfence release {order.id}'"
    assert text in [line.text for line in permission_lines(stopped)]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"within": "2h"}, "so --for cannot change it"),
        ({"why": "more"}, "so --because cannot change it"),
        ({"keep": ("db-1",), "within": "2h"}, "so --keep and --for cannot change it"),
    ],
)
def test_words_that_would_change_what_stands_are_refused(
    tmp_path: Path, hosts: HostsInMemory, changed: dict[str, str], said: str
) -> None:
    order = isolate(shop(tmp_path), hosts, "web-1")
    with pytest.raises(InputError, match=said):
        quarantine_of(Estate(tmp_path), QuarantineRequest((order.id,), **changed))  # type: ignore[arg-type]  # by name


def test_an_id_goes_with_no_other_word(tmp_path: Path, hosts: HostsInMemory) -> None:
    order = isolate(shop(tmp_path), hosts, "web-1")
    with pytest.raises(InputError, match="cannot be combined"):
        quarantine_of(Estate(tmp_path), QuarantineRequest(("web-2", order.id), (), "x"))


@pytest.mark.parametrize("named", ["web-1", "role=web"])
def test_a_release_by_the_name_of_an_asset_names_the_quarantine(
    tmp_path: Path, hosts: HostsInMemory, named: str
) -> None:
    order = isolate(shop(tmp_path), hosts, "role=web")
    with pytest.raises(InputError, match=f"'{named}' is not the id of an emergency; quarantine {order.id}") as raised:
        released(tmp_path, hosts, named)
    assert raised.value.remedy == f"ringfence release {order.id}"


def test_the_broken_file_of_another_emergency_stops_neither_quarantine_nor_release(
    tmp_path: Path, hosts: HostsInMemory
) -> None:
    order = isolate(shop(tmp_path), hosts, "web-1")
    write(tmp_path, "emergencies/q-00000000.json", "<<<<<<< HEAD")
    assert released(tmp_path, hosts, order.id).exit_status == 0
    assert isolate(tmp_path, hosts, "web-2").hosts


def test_the_way_that_stays_open_is_not_said_to_be_cut(tmp_path: Path) -> None:
    shop(tmp_path)
    flows = """\
client,server,port,protocol,connections,first_seen
10.0.0.5,10.0.1.1,22,tcp,6,2026-11-24T06:00:00Z
10.0.0.5,10.0.1.1,80,tcp,5,2026-11-24T06:00:00Z
10.0.9.9,10.0.1.1,22,tcp,4,2026-11-24T06:00:00Z
10.0.1.1,10.0.0.5,22,tcp,3,2026-11-24T06:00:00Z
"""
    write(tmp_path, "flows.csv", flows)
    estate = Estate(tmp_path)
    order = quarantine_of(estate, QuarantineRequest(("web-1",), (), "scans")).order
    seen = cut_flows(estate, order, FlowSelection([tmp_path / "flows.csv"]))
    assert [(one.peer, one.service, one.to) for one in seen] == [
        ("10.0.0.5", "tcp/80", False),
        ("10.0.9.9", "tcp/22", False),
        ("10.0.0.5", "tcp/22", True),
    ]
