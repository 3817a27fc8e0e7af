"""A workspace of many hosts as files: one CSV, applications in environments, four rules for each, modes and flows."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

from .estate import ENVIRONMENTS, GAPS, ROLES, SCATTERED

APPLICATIONS = 50
ACROSS = 37
USUAL = (("web", "api", 8443), ("api", "db", 5432), ("worker", "db", 5432), ("worker", "api", 8080))
SHARED = """\
tier: guardrail
rules:
  - {name: dev never reaches prod, from: {env: dev}, to: {env: prod}, deny: any}
  - {name: nobody comes by telnet, from: any, to: any, deny: tcp/23}
---
rules:
  - {name: monitoring, from: {app: app00, role: worker, env: prod}, to: {all: []}, allow: tcp/9100}
  - {name: names, from: {all: []}, to: {app: app00, role: api, env: prod}, allow: [udp/53, tcp/53]}
"""
MODES = """\
enforce:
  - {where: {env: prod}, mode: full}
  - {where: {env: test}, mode: {inbound: full, outbound: observe}}
  - {where: any, mode: observe}
"""


def write_workspace(directory: Path, hosts: int) -> list[tuple[str, str, str, str, str]]:
    """Write a workspace of 600 combinations of labels, 241 rules and as many hosts; each makes a table of its own.

    Return name, address, app, env and role of each host.
    """
    chance = random.Random(1)
    (directory / "inventory").mkdir(parents=True)
    (directory / "policy").mkdir()
    (directory / "ringfence.yml").write_text("control: {from: [10.255.0.0/24]}\n")
    (directory / "ansible.cfg").write_text("[defaults]\n")
    (directory / "inventory/10-hosts.yml").write_text("plugin: ringfence.core.onprem\ntable: ../hosts.csv\n")
    (directory / "policy/00-shared.yml").write_text(SHARED.replace("{all: []}", "{app: {exists: true}}"))
    (directory / "policy/50-across.yml").write_text(_across(chance))
    (directory / "policy/90-enforcement.yml").write_text(MODES)
    for number in range(APPLICATIONS):
        (directory / f"policy/10-app{number:02}.yml").write_text(_inside(f"app{number:02}"))
    rows = _rows(hosts, chance)
    with (directory / "hosts.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "addresses", "app", "env", "role"))
        writer.writerows(rows)
    _write_flows(directory / "flows.csv", [row[1] for row in rows], chance)
    return rows


def _rows(hosts: int, chance: random.Random) -> list[tuple[str, str, str, str, str]]:
    """Return hosts, spread evenly: subnets of their own with gaps, some elsewhere."""
    rows, places = [], [(app, env) for app in range(APPLICATIONS) for env in ENVIRONMENTS]
    point, elsewhere = 10 << 24, (10 << 24) + (128 << 16)
    for number, (app, env) in enumerate(places):
        share = hosts * (number + 1) // len(places) - hosts * number // len(places)
        for host in range(share):
            role = ROLES[host * len(ROLES) // share]
            if chance.random() < SCATTERED:
                elsewhere += chance.randrange(1, 40)
                address = elsewhere
            else:
                while chance.random() < GAPS:
                    point += 1
                address, point = point, point + 1
            text = ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))
            rows.append((f"app{app:02}-{env}-{role}-{host:04}", text, f"app{app:02}", env, role))
        point = (point + 16 + 63) // 64 * 64
    return rows


def _inside(app: str) -> str:
    rules = [
        {"name": f"{app} {source} to {to}", "from": {"role": source}, "to": {"role": to}, "allow": f"tcp/{port}"}
        for source, to, port in USUAL
    ]
    return json.dumps({"scope": {"app": app}, "rules": rules}, indent=1) + "\n"


def _across(chance: random.Random) -> str:
    rules = []
    for number in range(ACROSS):
        source, to = (f"app{one:02}" for one in chance.sample(range(APPLICATIONS), 2))
        rules.append(
            {
                "name": f"across {number}",
                "from": {"app": source, "role": chance.choice(("api", "worker"))},
                "to": {"app": to, "role": "api"},
                "allow": f"tcp/{chance.randrange(8000, 9000)}",
            }
        )
    return json.dumps({"rules": rules}, indent=1) + "\n"


def _write_flows(path: Path, addresses: list[str], chance: random.Random) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("client", "server", "protocol", "port", "first_seen", "last_seen", "connections"))
        for _ in range(1000):
            client, server = chance.sample(addresses, 2)
            port = chance.choice(USUAL)[2]
            writer.writerow((client, server, "tcp", port, "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", 1))
