"""How the lab's tests are shared out: those that share a lab run in one process, the longest begin first."""

from __future__ import annotations

from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

HERE = Path(__file__).parent
# Files that take a minute or more, the longest first: what begins last keeps all others waiting.
LONG = (
    "test_fault_matrix.py",
    "test_demo.py",
    "test_mixed_enforcers.py",
    "test_apply_and_return.py",
    "test_apply_large_rootless.py",
    "test_apply_waves.py",
    "test_application_journey.py",
    "test_readme_walk.py",
    "test_apply_beside_firewalls.py",
    "test_estate_of_many_sources.py",
    "test_nftables_machines.py",
    "test_iptables_machines.py",
    "test_apply_processes.py",
    "test_apply_standing_flows.py",
    "test_lab_machines.py",
)


# A file of many labs, one for each enforcer, which the names of its tests begin with.
BY_ENFORCER = "test_fault_matrix.py"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Share tests out by their labs; with `--dist loadgroup` pytest-xdist 3.8 does nothing of it beside pytest 9.2."""
    return ByLab(config, log) if config.getvalue("dist") == "loadgroup" else None


class ByLab(LoadScopeScheduling):
    """Gives all tests that share a lab to one process, and the next lab only where the last test of one begins.

    pytest-xdist gives the next out earlier: it would wait behind two tests while another process has nothing to do.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)

    def _reschedule(self, node: WorkerController) -> None:
        if not self.workqueue or self._pending_of(self.assigned_work[node]) < 2:
            super()._reschedule(node)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the lab's tests."""
    places = [number for number, item in enumerate(items) if HERE in item.path.parents]
    own = sorted((items[number] for number in places), key=rank)
    for number, item in zip(places, own, strict=True):
        items[number] = item


def rank(item: pytest.Item) -> int:
    """Return the place of a test's file among the long ones, or behind them all."""
    return LONG.index(item.path.name) if item.path.name in LONG else len(LONG)


def group(nodeid: str) -> str:
    """Return what shares a lab: a file's tests, those of the fault matrix by their enforcer."""
    file, _, test = nodeid.partition("::")
    enforcer = test.partition("[")[2].partition("-")[0]
    return f"{file} {enforcer}" if file.endswith(BY_ENFORCER) else file
