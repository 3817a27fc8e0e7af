"""Guardrails are asked of whole tables: a permission between ends of many addresses costs no question for each pair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ringfence.analysis import explain as explaining
from ringfence.estate import Estate
from ringfence.model.errors import InputError
from ringfence.operations.allow_for import PermissionRequest, permission_of

from tests.unit.cli_shop import NOW, shop

MANY = [f"10.1.0.{number}" for number in range(1, 61)]
HOSTS = f"""\
all:
  vars: {{ringfence_labels: {{app: shop, env: prod}}}}
  hosts:
    web-1: {{vm: {{role: web}}, ringfence_addresses: {MANY}}}
    db-1: {{ansible_host: 10.2.0.1, vm: {{role: db}}, ringfence_addresses: [10.2.0.1, 10.2.0.2, "fd00::2"]}}
"""
GUARDS = """\
tier: guardrail
rules:
  - name: one address alone
    from: {cidr: 10.1.0.60}
    to: {role: db}
    deny: tcp/23
  - name: nobody by ssh
    from: any
    to: {role: db}
    deny: ssh
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return the pairs of addresses that answers were made for, as they are made."""
    found: list[object] = []
    real = explaining._answers

    def counted(*given: Any) -> object:
        found.append(given[2:4])
        return real(*given)

    monkeypatch.setattr(explaining, "_answers", counted)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)
    return found


def permitted(directory: Path, source: str, service: str) -> bool:
    estate = Estate(shop(directory, {"inventory/hosts.yml": HOSTS, "policy/guard.yml": GUARDS}))
    try:
        return bool(permission_of(estate, PermissionRequest("1h", source, "role=db", service, "looks")).entries)
    except InputError as error:
        refused = error
    assert "the guardrail" in refused.message
    assert str(refused.place).startswith("policy/guard.yml:")
    return False


def test_each_address_is_asked_about_and_no_pair_by_itself(tmp_path: Path, asked: list[object]) -> None:
    assert permitted(tmp_path, "web-1", "tcp/5432")
    assert not permitted(tmp_path, "web-1", "tcp/23")
    assert not permitted(tmp_path, "10.1.0.0/24", "tcp/1-1000")
    assert not permitted(tmp_path, "10.1.0.0/24", "ssh")
    assert len(asked) < 10
    # 10.1.0.60 is one of its addresses, and no other part of the network is guarded
    assert permitted(tmp_path, "10.1.0.64/26", "tcp/23")
    # a control path comes before every guardrail
    assert permitted(tmp_path, "10.0.0.77", "ssh")
