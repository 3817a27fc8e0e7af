"""The demo estate as a workspace whose hosts are not raised: the same shop, its habits of an hour as flows."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import yaml
from ringfence.lab.demonstration.workspace_files import write_workspace
from ringfence.lab.estate import shop
from ringfence.lab.spec import HostSpec, addressed
from ringfence.rollout.events import Event, EventKind
from ringfence.rollout.run_events import event_line
from ringfence.rollout.runs import EVENTS_FILE, PROCESS_FILE, RunDirectory, RunFacts, begin_run
from ringfence.wire.run_files import STEPS_FILE

NOW = "1780135200"  # 2026-05-30 10:00:00 UTC
HOUR, MINUTE = "2026-05-30T09:00:00Z", "2026-05-30T09:59"
CUSTOMERS = ("203.0.113.7", "198.51.100.23")
FIELDS = ("client", "server", "port", "protocol", "connections", "outcome", "first_seen", "client_unit", "server_unit")
STEP = "Apply the plan and confirm it"


def written(parent: Path) -> Path:
    """Write the workspace, keep its flows, and return its directory."""
    hosts = addressed(shop())
    directory = parent / "ringfence-demo"
    lab = parent / "lab.yml"
    lab.write_text(yaml.safe_dump({"all": {"vars": {}, "hosts": {host.name: _variables(host) for host in hosts}}}))
    write_workspace(directory, lab, hosts, processes=True, first_look=True)
    flows = parent / "flows.csv"
    with flows.open("w", newline="") as file:
        csv.writer(file).writerows([FIELDS, *_habits(hosts)])
    command = [sys.executable, "-m", "ringfence.cli", "flows", "add", str(flows), "--workspace", str(directory)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return directory


def begun(workspace: Path, plan: str, waves: tuple[tuple[str, ...], ...]) -> tuple[RunDirectory, tuple[int, int]]:
    """Begin a run that nothing carries out; it lives by its locks. The canary and two hosts more have confirmed."""
    hosts = tuple(name for wave in waves for name in wave)
    facts = RunFacts("kim", "9c1e" + "0" * 36, plan, "2026-05-30T09:59:20Z", hosts, waves)
    run, locks = begin_run(workspace / ".ringfence", facts)
    (run.path / PROCESS_FILE).write_text("4711\n")
    done = {"state": "confirmed", "changed": True}
    canary, first = waves[0][0], waves[1]
    events = [(21, EventKind.STARTED, 1, canary, {}), (26, EventKind.DONE, 1, canary, done)]
    events += [(27, EventKind.STARTED, 2, name, {}) for name in first]
    events += [(33, EventKind.DONE, 2, name, done) for name in first[:2]]
    lines = [
        event_line(Event(kind, play, STEP, host, result), f"{MINUTE}:{second}.000000+00:00")
        for second, kind, play, host, result in events
    ]
    (run.path / STEPS_FILE).write_text(f'{{"host": "{first[2]}", "step": "loads", "time": "{MINUTE}:34+00:00"}}\n')
    (run.path / EVENTS_FILE).write_text("".join(lines))
    return run, locks


def _variables(host: HostSpec) -> dict[str, object]:
    given = {"ansible_host": host.addresses[0], "ringfence_addresses": list(host.addresses)}
    return {**given, "ringfence_labels": dict(host.labels)}


def _habits(hosts: list[HostSpec]) -> list[tuple[object, ...]]:
    addresses = {host.name: host.addresses[0] for host in hosts}
    listening = {(host.name, port): unit.name for host in hosts for unit in host.units for port in unit.listens}
    rows: list[tuple[object, ...]] = []
    for host in hosts:
        for unit in host.units:
            for talk in unit.talks:
                protocol, port = talk.port.split("/")
                server = listening.get((talk.host, talk.port), "ssh.service")
                count = int(3600 / talk.every)
                ends = (addresses[host.name], addresses[talk.host], port, protocol)
                rows.append((*ends, count, "answered", HOUR, unit.name, server))
    web = [(name, addresses[name]) for name in ("web-1", "web-2")]
    rows += [
        (one, address, 443, "tcp", 900, "answered", HOUR, "", listening[name, "tcp/443"])
        for one in CUSTOMERS
        for name, address in web
    ]
    return rows
