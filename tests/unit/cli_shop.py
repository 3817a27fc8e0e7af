"""A small shop as a workspace on disk, and the command run on it, for tests of the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner, Result
from ringfence.cli import main

FILES = {
    "ringfence.yml": 'control: {from: [10.0.0.0/24, "fd00::/64"], port: 22}\nwaves: [1, 2]\n',
    "labels.yml": "labels:\n  - role: vm.role\n",
    "inventory/hosts.yml": """\
all:
  vars: {ringfence_labels: {app: shop, env: prod}}
  hosts:
    api-1: {ansible_host: 10.0.1.3, vm: {role: api}}
    db-1: {ansible_host: 10.0.1.4, vm: {role: db}, ringfence_addresses: [10.0.1.4, "fd00::4"]}
    web-1: {ansible_host: 10.0.1.1, vm: {role: web}}
    web-2: {ansible_host: 10.0.1.2, vm: {role: web}}
""",
    "policy/shop.yml": """\
scope: {app: shop}
rules:
  - name: web to api
    from: {role: web}
    to: {role: api}
    allow: tcp/8443
  - name: api to database
    from: {role: api, process: {unit: shop-api.service}}
    to: {role: db}
    allow: postgresql
---
enforce:
  - where: {role: web}
    mode: observe
  - where: any
    mode: full
""",
    "policy/tests/shop.yml": """\
tests:
  - name: the shop works
    from: {role: web}
    to: {role: api}
    service: tcp/8443
    expect: allow
invariants:
  - name: the database is reached by the api only
    from: {not: {role: api}}
    to: {role: db}
    expect: deny
""",
    "flows.csv": """\
client,server,port,protocol,connections,first_seen
10.0.1.1,10.0.1.3,8443,tcp,10,2026-11-24T06:00:00Z
10.0.1.1,10.0.1.4,5432,tcp,4,2026-11-24T06:00:00Z
""",
}
NOW = "1795503600"  # 2026-11-24T07:00:00Z


def shop(directory: Path, changed: Mapping[str, str] | None = None) -> Path:
    """Write the shop into a directory, with `changed` files in place of its own."""
    for name, text in {**FILES, **(changed or {})}.items():
        write(directory, name, text)
    return directory


def write(directory: Path, name: str, text: str) -> None:
    """Write one file of a workspace."""
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def ringfence(
    directory: Path, *arguments: str, env: Mapping[str, str] | None = None, given: str | None = None
) -> Result:
    """Run the command on a workspace, with what is `given` to its questions; only an exit status may come out of it."""
    told = {"SOURCE_DATE_EPOCH": NOW, **(env or {})}
    result = CliRunner().invoke(main, [*arguments, "--workspace", str(directory)], input=given, env=told)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.output
    return result


def data(directory: Path, *arguments: str, status: int = 0) -> object:
    """Return what a command prints with `--json`."""
    result = ringfence(directory, *arguments, "--json")
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)
