"""An estate with a draft worth making: two environments, and a dev host that reads the production database."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli_shop import NOW, ringfence, shop

CLOCK = {"SOURCE_DATE_EPOCH": NOW}
INVENTORY = """\
all:
  vars: {ringfence_labels: {app: shop}}
  children:
    prod:
      vars: {vm: {env: prod}}
      hosts:
        api-1: {ansible_host: 10.0.1.3, vm: {env: prod, role: api}}
        db-1: {ansible_host: 10.0.1.4, vm: {env: prod, role: db}}
        web-1: {ansible_host: 10.0.1.1, vm: {env: prod, role: web}}
        web-2: {ansible_host: 10.0.1.2, vm: {env: prod, role: web}}
    dev:
      hosts:
        dev-api-1: {ansible_host: 10.0.2.3, vm: {env: dev, role: api}}
        dev-db-1: {ansible_host: 10.0.2.4, vm: {env: dev, role: db}}
        dev-old-1: {ansible_host: 10.0.2.9, vm: {env: dev}}
"""
POLICY = """\
scope: {app: shop}
rules:
  - name: web to api
    from: {role: web}
    to: {role: api}
    allow: tcp/8443
  # agreed with Kim
  - name: any host to databases
    from: {}
    to: {role: db}
    allow: postgresql
---
enforce:
  - where: {role: web}
    mode: observe
  - where: {env: dev}
    mode: {inbound: selective}
  - where: any
    mode: full
"""
GUARDRAILS = """\
tier: guardrail
rules:
  - name: nobody logs into databases from outside
    from: internet
    to: {role: db}
    deny: ssh
"""
FLOWS = """\
client,server,port,protocol,connections,outcome,first_seen
10.0.1.1,10.0.1.3,8443,tcp,61000,answered,2026-11-24T06:00:00Z
10.0.1.2,10.0.1.3,8443,tcp,1000,answered,2026-11-24T06:00:00Z
10.0.1.3,10.0.1.4,5432,tcp,340,answered,2026-11-24T06:10:00Z
10.0.1.1,10.0.1.4,6379,tcp,4,answered,2026-11-24T06:20:00Z
10.0.2.3,10.0.1.4,5432,tcp,52,answered,2026-11-24T06:30:00Z
10.0.2.9,10.0.1.4,5432,tcp,9,answered,2026-11-24T06:30:00Z
10.0.2.3,10.0.2.4,5432,tcp,20,answered,2026-11-24T06:00:00Z
10.0.2.3,10.0.2.9,9000,tcp,3,answered,2026-11-24T06:00:00Z
203.0.113.7,10.0.1.1,443,tcp,70000,answered,2026-11-24T06:00:00Z
10.0.9.9,10.0.1.1,443,tcp,7,answered,2026-11-24T06:00:00Z
10.0.2.4,10.0.1.4,22,tcp,2,refused,2026-11-24T06:00:00Z
"""
FILES = {
    "inventory/hosts.yml": INVENTORY,
    "labels.yml": "labels:\n  - role: vm.role\n  - env: vm.env\n",
    "policy/shop.yml": POLICY,
    "policy/guardrails.yml": GUARDRAILS,
    "flows.csv": FLOWS,
    "policy/tests/shop.yml": """\
tests:
  - name: the shop works
    from: {role: web, env: prod}
    to: {role: api, env: prod}
    service: tcp/8443
    expect: allow
""",
}


def drawn(directory: Path, changed: dict[str, str] | None = None) -> Path:
    """Write the estate and keep its flows."""
    shop(directory, {**FILES, **(changed or {})})
    kept = ringfence(directory, "flows", "add", str(directory / "flows.csv"))
    assert kept.exit_code == 0, kept.output
    return directory
