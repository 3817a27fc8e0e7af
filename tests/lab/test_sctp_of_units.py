"""SCTP packets and units: the kernel sees the unit that sends one, and never the unit that one is sent to.

This kernel may have no SCTP of its own, so INIT chunks (RFC 9260) go through raw sockets. On their way in a packet's
socket is looked for among those of TCP and UDP alone, so an endpoint of the kernel's would be no better off.
"""

from __future__ import annotations

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers.nftables.reader import read_ruleset
from ringfence.enforcers.nftables import Features, render, unsupported
from ringfence.lab.session import Lab
from ringfence.lab.spec import HostSpec
from ringfence.model.addresses import EVERY_ADDRESS
from ringfence.model.rules import Mode
from ringfence.model.tables import Cell, DirectionTable, ProcessClass, VerdictTable

from tests.conformance.agent import packet_of
from tests.lab.rollouts import wait_until
from tests.lab_fixtures import MakeLab
from tests.table_factory import direction_table, service_map

pytestmark = [pytest.mark.lab, pytest.mark.machines]
LISTEN = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_RAW, 132) as raw, open("/run/seen", "w", buffering=1) as seen:
    print("ready", file=seen)
    while True:
        data = raw.recv(65535)
        print(int.from_bytes(data[22:24], "big"), file=seen)
"""
SEND = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_RAW, 132) as raw:
    raw.sendto(bytes.fromhex(sys.argv[2]), (sys.argv[1], 0))
"""
EVERYTHING = direction_table({}, service_map("any"))
MODERN = Features(nft=(1, 0, 6), kernel=(6, 1))


def said(lab: Lab, host: str, *argv: str, given: str | None = None) -> str:
    done = lab.exec(host, list(argv), input=given)
    assert done.returncode == 0, f"{host}: {' '.join(argv)}: {done.stderr}"
    return done.stdout


def of_unit(inside: tuple[str, ...], others: tuple[str, ...]) -> DirectionTable:
    """Return a direction that allows raw.service some services, and every other process some."""
    classes = ((None, service_map(*others)), ("raw.service", service_map(*inside)))
    cells = tuple(Cell(EVERY_ADDRESS, ProcessClass(unit), EVERY_ADDRESS, services) for unit, services in classes)
    return DirectionTable(Mode.FULL, cells, ("raw.service",))


def enforce(lab: Lab, host: str, table: VerdictTable, direction: str) -> None:
    """Load a table whose units know the cgroup of raw.service, which runs."""
    element = f'{{ "system.slice/raw.service" : goto {direction}_u0 }}'
    more = f"add element inet ringfence units_{direction}_2 {element}\n"
    said(lab, host, "sh", "-ec", "cat >/run/table.nft; nft -f /run/table.nft", given=render(table) + more)


def run_unit(lab: Lab, host: str, *argv: str) -> None:
    """Start raw.service anew."""
    lab.exec(host, ["systemctl", "stop", "raw.service"])
    said(lab, host, "systemd-run", "--quiet", "--collect", "--unit=raw.service", *argv)


def send(lab: Lab, server: str, port: int) -> None:
    """Send an INIT from the client, by whatever process."""
    said(lab, "client", "python3", "-c", SEND, server, init(port))


def init(port: int) -> str:
    return packet_of({"id": 45000, "protocol": 132, "port": port, "shape": "short"}, 2).hex()


def seen(lab: Lab, port: int) -> bool:
    """Return whether an INIT for a port arrived, which is sent before another that always does."""
    wait_until(lambda: "7" in said(lab, "server", "cat", "/run/seen").split())
    return str(port) in said(lab, "server", "cat", "/run/seen").split()


def test_a_units_sctp_is_seen_on_the_way_out_and_not_on_the_way_in(make_lab: MakeLab) -> None:
    lab = make_lab([HostSpec("server", "trixie"), HostSpec("client", "bookworm")], "machines")
    address = next(spec.addresses[0] for spec in lab.hosts() if spec.name == "server")
    run_unit(lab, "server", "python3", "-c", LISTEN)
    wait_until(lambda: "ready" in lab.exec("server", ["cat", "/run/seen"]).stdout)

    # in: what the unit may is denied, what others may passes, whoever listens
    inbound = VerdictTable(of_unit(("sctp/9003",), ("sctp/7",)), EVERYTHING)
    enforce(lab, "server", inbound, "in")
    send(lab, address, 9003)
    send(lab, address, 7)
    assert not seen(lab, 9003)
    listing = said(lab, "server", "nft", "-nn", "-y", "list", "table", "inet", "ringfence")
    remembered = read_ruleset(listing)["filled"]["remembered"]  # type: ignore[index]
    denied = [(entry["protocol"], entry["port"]) for entry in remembered if entry["effect"] == "deny"]
    assert denied == [(132, 9003)]
    (told,) = unsupported(inbound, MODERN)
    assert "the unit of an SCTP listener cannot be matched" in told

    # out: the unit may, others may not
    said(lab, "server", "nft", "delete", "table", "inet", "ringfence")
    outbound = VerdictTable(EVERYTHING, of_unit(("sctp/9004",), ("sctp/7",)))
    lab.exec("client", ["mkfifo", "/run/go"])
    run_unit(lab, "client", "python3", "-c", "open('/run/go').read()\n" + SEND, address, init(9004))
    enforce(lab, "client", outbound, "out")
    lab.exec("client", ["sh", "-c", "echo >/run/go"])
    wait_until(lambda: "9004" in said(lab, "server", "cat", "/run/seen").split())
    assert lab.exec("client", ["python3", "-c", SEND, address, init(9004)]).returncode == 1
    assert unsupported(outbound, MODERN) == []
