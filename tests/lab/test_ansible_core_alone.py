"""A plan rolls out, is proven, goes back and is removed with ansible-core, the collection and the plan's directory."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import (
    COMMAND,
    application,
    order,
    parse_reply,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import load_plan
from ringfence.lab.spec import HostSpec

from tests.lab.ansible_core import make_environment
from tests.lab.rollouts import Rollouts, Wanted, digest_for
from tests.lab_fixtures import MakeLab, echo_unit

pytestmark = pytest.mark.lab
COLLECTION = Path(__file__).parents[2] / "collections/ansible_collections/ringfence/core"
HOSTS = ("n1", "n2")
OPEN, CLOSED = Wanted(), Wanted(allow={None: (1,)})
ABSENT = ("ringfence", "pydantic", "duckdb", "jmespath", "pyroaring", "ruamel", "click", "rich", "ansible_runner")


class Stock:
    """An execution environment: a virtual environment with ansible-core, and the collection below its home."""

    def __init__(self, home: Path, inventory: Path) -> None:
        self.home = home
        self.inventory = inventory
        self.python = make_environment(home / "environment")
        installed = home / ".ansible/collections/ansible_collections/ringfence/core"
        shutil.copytree(COLLECTION, installed, ignore=shutil.ignore_patterns("extensions", "__pycache__"))

    def run(self, *words: str | Path, directory: Path) -> subprocess.CompletedProcess[str]:
        """Run its Python with nothing of ours in the surroundings."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            [self.python, *words], env=environment, cwd=directory, capture_output=True, text=True, check=False
        )

    def play(self, name: str, plan: Path, *, named: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a playbook of the collection from within a plan's directory, with the plan unless it is not `named`."""
        given = ["-i", self.inventory, *(["-e", f"ringfence_plan={plan}"] if named else [])]
        return self.run("-m", "ansible", "playbook", *given, f"ringfence.core.{name}", directory=plan)


@pytest.fixture
def rollouts(make_lab: MakeLab, tmp_path: Path) -> Rollouts:
    lab = make_lab([HostSpec(name, units=(echo_unit(),)) for name in HOSTS], "namespaces")
    return Rollouts(lab, tmp_path)


@pytest.fixture
def stock(rollouts: Rollouts) -> Iterator[Stock]:
    """An execution environment in a home with a name so short that ssh's sockets fit below it."""
    with TemporaryDirectory(prefix="rf") as home:
        yield Stock(Path(home), rollouts.lab.inventory_path)


def alone(plan: Path, directory: Path) -> Path:
    """Return the plan's directory moved to where nothing else of its workspace is."""
    return plan.rename(directory / plan.name)


def wait_unconfirmed(rollouts: Rollouts, host: str, directory: Path) -> None:
    """Apply a plan to a host as a controller would that dies before it confirms."""
    plan = load_plan(str(directory))
    known = plan.host(host)
    values = {**application(plan, known), "seconds": "120"}
    sent = order("apply", values, plan.ruleset(known.ruleset, "nft"))
    done = subprocess.run([*rollouts.lab.ssh_command(host), COMMAND], input=sent, capture_output=True, check=False)
    reply = parse_reply(done.stdout.decode())
    assert done.returncode == 0, done.stderr
    assert not reply.last("refused"), reply


def test_a_plan_needs_ansible_core_and_its_own_directory_alone(
    rollouts: Rollouts, stock: Stock, tmp_path: Path
) -> None:
    apart = tmp_path / "apart"
    apart.mkdir()
    first = alone(rollouts.plan(dict.fromkeys(HOSTS, OPEN), waves=[["n1"], ["n2"]]), apart)
    second = alone(rollouts.plan(dict.fromkeys(HOSTS, CLOSED), expects=dict.fromkeys(HOSTS, digest_for(OPEN))), apart)
    for module in ABSENT:
        assert "No module named" in stock.run("-c", f"import {module}", directory=apart).stderr

    done = stock.play("rollout", first)
    assert done.returncode == 0, done.stdout + done.stderr
    assert stock.play("verify", first).returncode == 0

    wait_unconfirmed(rollouts, "n1", second)
    assert not rollouts.reaches("n1")
    done = stock.play("verify", first)
    assert done.returncode != 0
    assert "n1" in done.stdout
    refused = stock.play("rollback", first)
    assert refused.returncode != 0
    assert "is waiting for confirmation, not" in refused.stdout
    assert not rollouts.reaches("n1")
    done = stock.play("rollback", first, named=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rollouts.answers("n1")
    assert stock.play("verify", first).returncode == 0

    done = stock.play("rollout", second)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [rollouts.reaches(host) for host in HOSTS] == [False, False]
    assert stock.play("verify", second).returncode == 0
    assert stock.play("info", second).returncode == 0
    assert stock.play("remove", second).returncode == 0
    assert [rollouts.remains(host) for host in HOSTS] == ["", ""]
