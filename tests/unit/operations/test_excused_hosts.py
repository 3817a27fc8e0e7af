"""A rollout goes on without a host that fails where a person excused it, before it began or while it runs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hostile_host import HostileHost
from tests.unit.cli_shop import ringfence, shop

SETTINGS = 'control: {from: [10.0.0.0/24, "fd00::/64"], port: 22}\nwaves: [1]\n'


class Fleet:
    """Two hosts in two waves, which answer nothing but a failure, once they are let."""

    def __init__(self, directory: Path) -> None:
        """Write the workspace, and plan."""
        host = HostileHost(directory / "host")
        written = json.loads(host.inventory.read_text())["all"]["hosts"]["web-1"]
        hosts = {
            name: {**written, "ringfence_addresses": [address], "vm": {"role": "web"}}
            for name, address in (("web-1", "10.0.1.1"), ("web-2", "10.0.1.2"))
        }
        inventory = json.dumps({"all": {"hosts": hosts}})
        self.workspace = shop(directory / "shop", {"ringfence.yml": SETTINGS, "inventory/hosts.yml": inventory})
        (self.workspace / "policy/tests/shop.yml").unlink()
        (self.workspace / "policy/shop.yml").write_text("enforce:\n  - where: any\n    mode: full\n")
        assert ringfence(self.workspace, "plan", "--no-flows", env=now()).exit_code == 0
        (self.plan,) = (self.workspace / "plans").iterdir()
        (self.first,), (self.second,) = json.loads((self.plan / "plan.json").read_text())["waves"]
        self.asked, self.let = directory / "asked", directory / "let"
        host.runs(f"echo asked >>{self.asked}; while [ ! -e {self.let} ]; do sleep 0.1; done; exit 1")

    def events(self, host: str) -> list[str]:
        """Return what the journal has of a host."""
        lines = (self.plan / "journal.jsonl").read_text().splitlines()
        return [one["event"] for one in map(json.loads, lines) if one["host"] == host]


def now() -> dict[str, str]:
    return {"SOURCE_DATE_EPOCH": str(int(time.time()))}


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 240
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return Fleet(tmp_path)


def test_without_an_excuse_a_failure_ends_the_rollout(fleet: Fleet) -> None:
    fleet.let.touch()

    done = ringfence(fleet.workspace, "apply", "latest", env=now())

    assert done.exit_code == 3, done.output
    assert f"{fleet.second}: not begun" in done.output
    assert fleet.events(fleet.second) == []


def test_an_excuse_from_the_beginning_lets_the_next_wave_begin(fleet: Fleet) -> None:
    fleet.let.touch()

    done = ringfence(fleet.workspace, "apply", "latest", "--excuse", fleet.first, env=now())

    assert done.exit_code == 3, done.output
    assert f"{fleet.first}: failed" in done.output
    assert f"{fleet.second}: failed" in done.output
    assert "0/2 hosts hold it" in done.output
    assert fleet.events(fleet.first) == ["started", "failed", "excused"]
    assert fleet.events(fleet.second) == ["started", "failed"]


def test_an_excuse_for_a_run_that_works_lets_it_go_on(fleet: Fleet) -> None:
    command = [sys.executable, "-m", "ringfence.cli", "apply", "latest", "--workspace", str(fleet.workspace)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    until(fleet.asked.exists)

    excused = ringfence(fleet.workspace, "attach", "--excuse", fleet.first)
    assert excused.exit_code == 0, excused.output
    assert f"goes on without {fleet.first}" in excused.output
    fleet.let.touch()
    said, _ = running.communicate(timeout=120)

    assert running.returncode == 3, said
    assert fleet.events(fleet.first) == ["started", "failed", "started", "failed", "excused"]
    assert fleet.events(fleet.second) == ["started", "failed"]
    refused = ringfence(fleet.workspace, "attach", "--excuse", fleet.first)
    assert refused.exit_code == 2
    assert "has ended" in refused.output
