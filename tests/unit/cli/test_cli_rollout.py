"""What apply and verify say where a host, or Ansible itself, does not do what it should."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from click.testing import Result
from ringfence.plan import Held, find, read_state, write_state

from tests.hostile_host import HostileHost
from tests.unit.cli_shop import ringfence, shop

SETTINGS = 'control: {from: [10.0.0.0/24, "fd00::/64"], port: 22}\nwaves: [10]\n'
# Ansible is two processes above what a host of the local connection runs.
KILLS_ANSIBLE = "cat >/dev/null; kill -9 $(ps -o ppid= -p $PPID) $PPID"


class Estate:
    """A shop whose web-1 answers what a test says, and whose other hosts refuse, being this very machine."""

    def __init__(self, directory: Path) -> None:
        """Write the workspace, and plan."""
        self.host = HostileHost(
            directory / "host", variables={"ringfence_addresses": ["10.0.1.1"], "vm": {"role": "web"}}
        )
        (directory / "host/hosts.json").rename(directory / "host/inventory")
        inventory = (directory / "host/inventory").read_text()
        self.workspace = shop(directory / "shop", {"ringfence.yml": SETTINGS, "inventory/hosts.yml": inventory})
        (self.workspace / "policy/tests/shop.yml").unlink()
        (self.workspace / "policy/shop.yml").write_text("enforce:\n  - where: any\n    mode: full\n")
        made = self.run("plan", "--no-flows")
        assert made.exit_code == 0, made.output
        self.plan = find(self.workspace / "plans", "latest")

    def run(self, *arguments: str) -> Result:
        """Run the command as a person would, now."""
        return ringfence(self.workspace, *arguments, env={"SOURCE_DATE_EPOCH": str(int(time.time()))})


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Estate:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Estate(tmp_path)


def test_where_ansible_was_killed_apply_says_so_and_the_way_on_with_the_same_limit(estate: Estate) -> None:
    estate.host.runs(KILLS_ANSIBLE)

    result = estate.run("apply", "latest", "--limit", "web-1")

    assert result.exit_code == 3
    assert "web-1: interrupted: Ansible ended (status " in result.output
    name = estate.plan.name
    assert f"keep what waits: ringfence confirm {name} --limit web-1" in result.output
    assert f"take it back now: ringfence rollback {name} --limit web-1" in result.output
    assert f"go on: ringfence apply {name} --limit web-1" in result.output


def test_a_host_that_answers_nonsense_is_a_line_of_verify_and_no_traceback(estate: Estate) -> None:
    estate.host.prints("ringfence:ruleset=zzz\n")

    result = estate.run("verify", "latest")

    assert result.exit_code == 3
    assert "web-1: unknown: this host's answer is not valid: ruleset is 'zzz', which is not a digest" in result.output
    assert f"plan {estate.plan.name}: 0/1 hosts proven" in result.output


def test_a_plan_asks_no_host_twice_that_said_nothing_of_use(estate: Estate) -> None:
    estate.host.prints("ringfence:sequence=99999999999999999999999999\n")

    result = estate.run("plan", "--rebase", "--no-flows")

    assert result.exit_code == 3
    assert "1 host does not say what it holds: web-1: this host's answer is not valid: sequence is" in result.output


def test_a_shell_that_says_nothing_takes_away_nothing_that_is_known_of_its_host(estate: Estate) -> None:
    held = {"web-1": Held(ruleset="a" * 64, sequence=1, seen="2026-11-24T07:00:00Z")}
    write_state(estate.workspace, held)
    estate.host.prints("Welcome\n")

    verified = estate.run("verify", "latest")

    assert verified.exit_code == 3
    assert "web-1: unknown: this host's answer is not valid: it does not say what it holds" in verified.output
    assert read_state(estate.workspace) == held
    assert estate.run("plan", "--rebase", "--no-flows").exit_code == 3
    assert read_state(estate.workspace) == held


def test_what_was_proven_is_told_also_where_it_cannot_be_kept(estate: Estate) -> None:
    estate.host.prints("ringfence:table=absent\n")
    (estate.workspace / ".ringfence/state.json").mkdir(parents=True)

    result = estate.run("verify", "latest")

    assert "  this host holds no plan: it is open" in result.output
    assert f"plan {estate.plan.name}: 0/1 hosts proven" in result.output
    assert (
        "state.json: warning: this record of what hosts hold cannot be read: this is not a regular file"
        in result.output
    )


def test_a_warning_of_a_run_is_shown_with_its_host(estate: Estate) -> None:
    estate.host.prints("ringfence:changed=no\nringfence:state=confirmed\nringfence:warning=the history was cut\n")

    result = estate.run("apply", "latest")

    assert "web-1: the history was cut" in result.output


def test_what_a_cache_of_facts_holds_is_none_of_a_runs_variables(estate: Estate) -> None:
    estate.host.prints("ringfence:refused=busy\nringfence:reason=no\n")
    cache = estate.workspace / ".ringfence/facts"
    settings = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(cache)}
    (estate.host.directory / "inventory").rename(estate.host.inventory)
    journal = estate.workspace / "elsewhere"
    fact = {"ansible.builtin.set_fact": {"ringfence_journal": str(journal), "cacheable": True}}
    estate.host.play([fact], settings=settings)

    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        result = estate.run("apply", "latest")

    assert "web-1: refused: no" in result.output
    assert not journal.exists()
