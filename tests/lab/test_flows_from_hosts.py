"""What real hosts report of their flows, from the module to the verdict of a simulation."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ringfence.analysis.simulate import simulate
from ringfence.analysis.simulate_judge import Category
from ringfence.compiler import compile_policy
from ringfence.flows.readers import read
from ringfence.flows.reading import Reading
from ringfence.flows.store import FlowStore
from ringfence.lab.session import Lab
from ringfence.model.addresses import point_of
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.errors import Place
from ringfence.model.rules import Action, Enforcement, Mode, Peer, Policy, Process, Rule, Settings
from ringfence.model.selectors import ANY, AssetNamed
from ringfence.model.services import parse_service

ECHO = 7000
PLAYBOOK = """
- hosts: all
  gather_facts: false
  become: true
  tasks:
    - ringfence.core.linux_flows_info:
        flows_directory: "{{ flows }}"
"""
CLIENT = (
    "import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2]))); print(1, flush=True); s.recv(1)"
)
SOCKET_UNIT = """
[Socket]
ListenStream=7100
[Install]
WantedBy=sockets.target
"""
SERVICE_UNIT = """
[Service]
ExecStart=/bin/sleep 600
"""


@contextmanager
def standing(lab: Lab, client: str, address: str, *, unit: str | None = None) -> Iterator[None]:
    """Hold a connection to the echo service of an address open from a host, in a unit of its own where one is named."""
    command = ["python3", "-c", CLIENT, address, str(ECHO)]
    if unit is not None:
        command = ["systemd-run", "--pipe", "--quiet", f"--unit={unit}", *command]
    process = subprocess.Popen(
        lab.exec_command(client, command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        yield
    finally:
        if unit is not None:
            lab.exec(client, ["systemctl", "stop", unit])
        process.kill()
        process.wait()


def collected(lab: Lab, directory: Path, **variables: str) -> Mapping[str, dict[str, list[dict[str, object]]]]:
    """Run the module on every host as its documentation shows, and return what each reported."""
    playbook = directory / "collect.yml"
    playbook.write_text(PLAYBOOK)
    (directory / "flows").mkdir(exist_ok=True)
    # Labs share addresses: a connection that another lab's Ansible left open must not be taken for this one's.
    mark = hashlib.sha256(str(lab.directory).encode()).hexdigest()[:8]
    master = f"%(directory)s/{mark}-%%C"
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(lab.inventory_path), str(playbook)]
    result = subprocess.run(
        [*command, "-e", json.dumps({"flows": str(directory / "flows"), "ansible_control_path": master, **variables})],
        capture_output=True,
        text=True,
        timeout=600,
        cwd=Path(__file__).parents[2],
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return {path.stem: json.loads(path.read_text()) for path in (directory / "flows").iterdir()}


def snapshot(lab: Lab) -> Snapshot:
    assets = [Asset(host.name, tuple(sorted(map(point_of, host.addresses)))) for host in lab.hosts()]
    return Snapshot(tuple(sorted(assets, key=lambda asset: asset.name)), datetime.now(UTC))


def allow(source: Peer, destination: Peer) -> Policy:
    """Return a policy that allows the echo service between two peers alone, enforced in full."""
    rule = Rule(
        "0000000a",
        "echo",
        Place("policy.yml", 1),
        (source,),
        (destination,),
        Action.ALLOW,
        parse_service(f"tcp/{ECHO}"),
    )
    return Policy((rule,), (Enforcement(ANY, Mode.FULL, Mode.FULL, Place("policy.yml", 9)),))


@pytest.mark.lab
@pytest.mark.machines
def test_flows_of_machines_are_judged_with_the_processes_of_both_ends(machines: Lab, tmp_path: Path) -> None:
    addresses = {host.name: host.addresses for host in machines.hosts()}
    with ExitStack() as stack:
        for address in addresses["trixie"]:
            stack.enter_context(standing(machines, "bookworm", address, unit=f"reader@{':' in address:d}.service"))
        stack.enter_context(standing(machines, "bullseye", addresses["trixie"][0]))
        reports = collected(machines, tmp_path)
    listeners = {
        (one["protocol"], one["port"]): (one["unit"], one["user"])
        for one in reports["trixie"]["listeners"]
        if one["port"] == ECHO
    }
    assert listeners == {("tcp", ECHO): ("echo.service", "echo"), ("udp", ECHO): ("echo.service", "echo")}
    for report in reports.values():
        assert str(report["units"]["echo.service"]["path"]).endswith("system.slice/echo.service")  # type: ignore[call-overload]

    estate = snapshot(machines)
    store = FlowStore(tmp_path / "store")
    reading = Reading()
    store.add(read(tmp_path / "flows", "hosts", reading), [estate])
    assert reading.bad == 0
    policy = allow(
        Peer(AssetNamed("bookworm"), Process(units=("reader@1.service", "reader@0.service"))),
        Peer(AssetNamed("trixie"), Process(units=("echo.service",))),
    )
    tables = compile_policy(estate, policy, Settings()).tables
    with store.window() as window:
        judged = [one for one in simulate(tables, estate, window).flows() if one.flow.port == ECHO]
        allowed = [one for one in judged if one.verdict.category is Category.STILL_ALLOWED]
        denied = [one for one in judged if one.verdict.category is Category.NEWLY_DENIED]
        assert {(one.client_asset, one.flow.client_unit, one.flow.server_unit) for one in allowed} == {
            ("bookworm", "reader@0.service", "echo.service"),
            ("bookworm", "reader@1.service", "echo.service"),
        }
        assert {(one.client_asset, one.server_asset) for one in denied} == {("bullseye", "trixie")}
        assert not any(one.verdict.depends for one in judged)


@pytest.mark.lab
@pytest.mark.machines
@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_a_listener_of_a_socket_unit_names_the_unit_that_packet_filters_see(
    machines: Lab, tmp_path: Path, release: str
) -> None:
    for name, text in (("waits.socket", SOCKET_UNIT), ("waits.service", SERVICE_UNIT)):
        machines.exec(release, ["tee", f"/etc/systemd/system/{name}"], input=text)
    try:
        machines.exec(release, ["systemctl", "daemon-reload"])
        assert machines.exec(release, ["systemctl", "start", "waits.socket", "waits.service"]).returncode == 0
        listeners = {one["port"]: one for one in collected(machines, tmp_path)[release]["listeners"]}
        assert (listeners[7100]["unit"], listeners[7100]["socket_unit"]) == ("waits.service", "waits.socket")
        assert listeners[ECHO]["socket_unit"] is None
    finally:
        machines.exec(release, ["systemctl", "stop", "waits.socket", "waits.service"])
        machines.exec(release, ["rm", "/etc/systemd/system/waits.socket", "/etc/systemd/system/waits.service"])
        machines.exec(release, ["systemctl", "daemon-reload"])


@pytest.mark.lab
def test_a_namespace_host_reports_its_own_connections_and_units_alone(namespaces: Lab, tmp_path: Path) -> None:
    server = next(host for host in namespaces.hosts() if host.name == "n2")
    with ExitStack() as stack:
        for address in server.addresses:
            stack.enter_context(standing(namespaces, "n1", address))
        reports = collected(namespaces, tmp_path)
        by_shell = collected(namespaces, tmp_path, ansible_python_interpreter="/nonexistent")
    for name, report in by_shell.items():
        assert report["read_by"] == "shell"
        # ssh's own connection is another one
        for key in ("addresses", "listeners", "conntrack"):
            assert report[key] == reports[name][key], (name, key)
        own = [[row for row in told["flows"] if row["port"] == ECHO] for told in (report, reports[name])]
        assert own[0] == own[1], name
        assert set(report["units"]) >= {"echo.service"} & set(reports[name]["units"])
    seen = {
        name: {(flow["direction"], flow["server"]) for flow in report["flows"] if flow["port"] == ECHO}
        for name, report in reports.items()
    }
    assert seen["n1"] == {("out", address) for address in server.addresses}
    assert seen["n2"] == {("in", address) for address in server.addresses}
    assert seen["n3"] == seen["n4"] == set()
    for name, report in reports.items():
        own = {address for host in namespaces.hosts() if host.name == name for address in host.addresses}
        assert own <= set(report["addresses"])  # type: ignore[arg-type]
        assert {one["port"] for one in report["listeners"] if one["unit"] == "echo.service"} <= {ECHO}
