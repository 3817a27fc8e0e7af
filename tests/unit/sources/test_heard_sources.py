"""Sources heard while they are asked: each begins and ends, and what the inventory says stays the same to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.estate import Estate, Listener
from ringfence.model.source_steps import SourceStage, SourceStep, last_steps
from ringfence.operations.discover import discover
from ringfence.operations.execution import Execution
from ringfence.rollout.cancellation import Cancelled
from ringfence.sources import ansible_inventory
from ringfence.sources.ansible_inventory import read_inventory

from tests.unit.cli_shop import ringfence

WRITTEN = {
    "ringfence.yml": "control: {from: [10.0.0.0/24]}\n",
    "inventory/10-static.yml": "all: {hosts: {web-1: {ansible_host: 10.0.0.1}, web-2: {}}}\n",
    "inventory/20-cloud.sh": """#!/bin/sh
test -e "$(dirname "$0")/../down" && { echo "the cloud does not answer" >&2; exit 1; }
echo '{"_meta": {"hostvars": {"vm-1": {"ansible_host": "10.0.0.7"}}}, "shop": {"hosts": ["vm-1", "web-1"]}}'
""",
    "inventory/30-old.ini": "[db]\ndb-1 ansible_host=10.0.0.9\n",
    "inventory/40-groups.yml": "plugin: ansible.builtin.constructed\ngroups: {ones: \"'1' in inventory_hostname\"}\n",
    "inventory/group_vars/shop.yml": "role: web\n",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    for name, text in WRITTEN.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "inventory/20-cloud.sh").chmod(0o755)
    return tmp_path


class Heard(Listener):
    """Keeps what it hears, and that nothing of it came late."""

    def __init__(self) -> None:
        self.steps: list[SourceStep] = []

    def source(self, step: SourceStep) -> None:
        """Keep a step."""
        self.steps.append(step)


def test_each_source_begins_and_ends_with_its_hosts_and_nothing_else_differs(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings = []
    parsed = ansible_inventory._parsed
    monkeypatch.setattr(ansible_inventory, "_parsed", lambda path: listings.append(path.read_bytes()) or parsed(path))
    steps: list[SourceStep] = []
    before = set(Path("/proc/self/fd").iterdir())
    heard = read_inventory([workspace / "inventory"], workspace, hear=steps.append)
    assert set(Path("/proc/self/fd").iterdir()) == before

    assert heard == read_inventory([workspace / "inventory"], workspace)
    assert listings[0] == listings[1]
    assert [(Path(one.source).name, one.stage, one.hosts) for one in steps] == [
        ("10-static.yml", SourceStage.BEGAN, 0),
        ("10-static.yml", SourceStage.ENDED, 2),
        ("20-cloud.sh", SourceStage.BEGAN, 0),
        ("20-cloud.sh", SourceStage.ENDED, 2),
        ("30-old.ini", SourceStage.BEGAN, 0),
        ("30-old.ini", SourceStage.ENDED, 1),
        ("40-groups.yml", SourceStage.BEGAN, 0),
        ("40-groups.yml", SourceStage.ENDED, 0),
    ]
    assert {one.source.partition("/")[0] for one in steps} == {"inventory"}


def test_discovery_tells_which_source_failed_and_why_and_the_others_go_on(workspace: Path) -> None:
    discover(Estate(workspace))
    (workspace / "down").touch()
    heard = Heard()
    found = discover(Estate(workspace), execution=Execution(heard))

    assert last_steps(heard.steps) == found.files
    cloud = next(one for one in found.files if one.source == "inventory/20-cloud.sh")
    assert cloud.stage is SourceStage.FAILED
    assert "non-zero exit code 1" in cloud.why
    assert [one.stage for one in found.files].count(SourceStage.ENDED) == 3
    assert not found.removed


def test_what_a_listener_raises_ends_the_question(workspace: Path) -> None:
    def leave(_step: SourceStep) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        read_inventory([workspace / "inventory"], workspace, hear=leave)


def test_the_command_prints_a_line_for_each_source_and_what_came(workspace: Path) -> None:
    done = ringfence(workspace, "discover", "--look")
    assert done.exit_code == 0
    assert "inventory/20-cloud.sh: 2 hosts in " in done.stderr
    assert "4 assets new: db-1, vm-1, web-1, web-2" in done.stdout
    assert "no snapshot is kept" in done.stdout
