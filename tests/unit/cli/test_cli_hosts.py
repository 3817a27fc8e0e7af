"""info, refresh and remove: what is asked of hosts without a plan."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile_host import HostileHost
from tests.unit.cli_shop import data, ringfence, shop

MEMBERS = """\
\tset denied_default_in4 {
\t\ttype ipv4_addr . inet_proto . inet_service
\t\telements = { 10.0.0.9 . tcp . 22 expires 59m counter packets 3 bytes 180 }
\t}
"""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HostileHost:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    variables = {"ringfence_addresses": ["10.0.1.1"], "vm": {"role": "web"}}
    host = HostileHost(tmp_path / "host", variables=variables)
    shop(tmp_path / "shop", {"inventory/hosts.yml": host.inventory.read_text()})
    (tmp_path / "shop/policy/tests/shop.yml").unlink()
    return host


def test_info_shows_the_denials_that_a_host_recorded_by_rule(tmp_path: Path, host: HostileHost) -> None:
    listing = f"table inet ringfence {{\n{MEMBERS}}}\n"
    host.prints(f"ringfence:table=present\nringfence:begin listing\n{listing}ringfence:end listing\n")

    told = data(tmp_path / "shop", "info", "role=web")
    shown = ringfence(tmp_path / "shop", "info", "--denials")

    (one,) = told["hosts"]  # type: ignore[index, call-overload]
    (denial,) = one["denials"]
    assert (denial["rule"], denial["peer"], denial["port"], denial["packets"]) == ("default", "10.0.0.9", 22, 3)
    assert "no rule allows it" in shown.output
    assert "tcp/22" in shown.output
    assert "1/1 hosts answered" in shown.output


def test_remove_names_what_goes_and_does_nothing_before_a_yes(tmp_path: Path, host: HostileHost) -> None:
    asked = tmp_path / "asked"
    host.runs(f"cat >/dev/null; touch {asked}")

    result = ringfence(tmp_path / "shop", "remove", "web-1")

    assert result.exit_code == 2
    assert "web-1: the table, the boot unit and the state of Ringfence will be removed" in result.output
    assert "Remove Ringfence from 1 host?" in result.output
    assert "standard input is at its end" in result.output
    assert "--yes" in result.output
    assert not asked.exists()

    command = [sys.executable, "-m", "ringfence.cli", "remove", "web-1"]
    refused = subprocess.run(
        command, cwd=tmp_path / "shop", input="n\n", capture_output=True, text=True, check=False, timeout=240
    )
    assert (refused.returncode, "nothing was removed" in refused.stderr) == (1, True)
    assert not asked.exists()


def test_remove_takes_no_host_that_is_not_named(tmp_path: Path, host: HostileHost) -> None:
    assert ringfence(tmp_path / "shop", "remove").exit_code == 2
    assert ringfence(tmp_path / "shop", "remove", "web-9", "--yes").exit_code == 2


def test_names_of_hosts_mean_all_of_them_and_other_words_narrow_each_other(tmp_path: Path, host: HostileHost) -> None:
    workspace = tmp_path / "shop"
    (workspace / "inventory/50-more.yml").write_text(
        "all: {hosts: {web-2: {ansible_host: 127.0.0.1, ringfence_addresses: [10.0.1.2], vm: {role: web}}}}\n"
    )
    host.prints("ringfence:table=absent\n")

    named = data(workspace, "info", "web-1", "web-2", status=3)
    narrowed = data(workspace, "info", "role=web", "web-1")

    assert [one["host"] for one in named["hosts"]] == ["web-1", "web-2"]  # type: ignore[index, call-overload]
    assert [one["host"] for one in narrowed["hosts"]] == ["web-1"]  # type: ignore[index, call-overload]


def test_refresh_tells_of_a_host_that_does_not_answer(tmp_path: Path, host: HostileHost) -> None:
    host.runs("cat >/dev/null; exit 1")

    result = ringfence(tmp_path / "shop", "refresh", "web-1")

    assert result.exit_code == 3
    assert "0/1 hosts refreshed" in result.output
