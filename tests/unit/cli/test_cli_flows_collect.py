"""Asking hosts for flows: those that cannot be reached are named with the reason."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli_shop import data, ringfence, shop

# RFC 6335: port 1 (tcpmux) has no listener on any machine that runs tests.
UNREACHED = "all: {hosts: {web-1: {ansible_host: 127.0.0.1, ansible_port: 1, ringfence_addresses: [10.0.1.1]}}}\n"


def test_a_host_that_does_not_tell_is_named_with_the_reason(tmp_path: Path) -> None:
    shop(tmp_path, {"inventory/hosts.yml": UNREACHED})

    result = ringfence(tmp_path, "flows", "collect")

    assert result.exit_code == 3
    assert "1 host did not tell: web-1" in result.output
    assert "Connection refused" in result.output
    told = data(tmp_path, "flows", "collect", status=3)
    assert isinstance(told, dict)
    assert told["silent"] == ["web-1"]
    assert "Connection refused" in told["reasons"]["web-1"]


def test_an_estate_without_a_workload_gets_no_plan(tmp_path: Path) -> None:
    shop(tmp_path, {"inventory/hosts.yml": "all: {hosts: {web-1: {ringfence_workload: false}}}\n"})
    for path in (tmp_path / "policy").rglob("*.yml"):
        path.unlink()

    result = ringfence(tmp_path, "plan")

    assert result.exit_code == 2
    assert "there is no workload to make a plan for" in result.output
