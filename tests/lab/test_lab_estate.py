"""The demo estate talks as it says, the wrong included, on machines and on namespaces."""

from __future__ import annotations

import time

import pytest
from ringfence.lab.estate import WRONG, shop
from ringfence.lab.session import Lab
from ringfence.lab.spec import Kind

from tests.lab_fixtures import MakeLab

pytestmark = pytest.mark.lab

KINDS = [pytest.param("machines", marks=pytest.mark.machines), "namespaces"]


def standing(lab: Lab, host: str) -> set[tuple[str, int]]:
    """Return the address and port of every far end that the host has a connection to."""
    shown = lab.exec(host, ["ss", "-Htn", "state", "established"]).stdout
    ends = (line.split()[3].rpartition(":") for line in shown.splitlines())
    return {(address.strip("[]"), int(port)) for address, _, port in ends}


@pytest.mark.parametrize("kind", KINDS)
def test_every_conversation_of_the_shop_stands_in_both_families(kind: Kind, make_lab: MakeLab) -> None:
    lab = make_lab(shop(mixed=True), kind)
    addresses = {host.name: host.addresses for host in lab.hosts()}
    expected = {
        (host.name, address, int(talk.port.removeprefix("tcp/")))
        for host in lab.hosts()
        for unit in host.units
        for talk in unit.talks
        for address in addresses[talk.host]
        if talk.port.startswith("tcp/") and talk.port != "tcp/22"
    }
    assert all((wrong.source, addresses[wrong.target][0], 5432) in expected for wrong in WRONG)
    deadline = time.monotonic() + 120
    seen: set[tuple[str, str, int]] = set()
    while not expected <= seen:
        assert time.monotonic() < deadline, f"conversations that do not stand: {expected - seen}"
        seen |= {(name, *end) for name in addresses for end in standing(lab, name)}
        time.sleep(0.5)


def test_the_listener_of_a_service_belongs_to_its_unit_and_user(make_lab: MakeLab) -> None:
    lab = make_lab([host for host in shop() if host.name == "db-1"], "machines")
    shown = lab.exec("db-1", ["systemctl", "show", "-P", "MainPID", "postgresql.service"]).stdout.strip()
    assert f"pid={shown}," in lab.exec("db-1", ["ss", "-Hltnp", "sport", "=", "5432"]).stdout
    assert lab.exec("db-1", ["ps", "-o", "user=", "-p", shown]).stdout.strip() == "postgres"
