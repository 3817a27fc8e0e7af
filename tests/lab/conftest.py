"""How the lab's tests are shared out: those that share a lab run in one process, the longest begin first."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Files that take a minute or more, the longest first: what begins last keeps all others waiting.
LONG = (
    "test_fault_matrix.py",
    "test_apply_and_return.py",
    "test_apply_waves.py",
    "test_demo.py",
    "test_mixed_enforcers.py",
    "test_readme_walk.py",
    "test_application_journey.py",
    "test_apply_beside_firewalls.py",
    "test_apply_large_rootless.py",
    "test_estate_of_many_sources.py",
    "test_nftables_machines.py",
    "test_iptables_machines.py",
    "test_apply_processes.py",
    "test_apply_standing_flows.py",
    "test_lab_machines.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort the lab's tests, and give each the group that `--dist loadgroup` runs in one process."""
    places = [number for number, item in enumerate(items) if HERE in item.path.parents]
    own = sorted((items[number] for number in places), key=rank)
    for number, item in zip(places, own, strict=True):
        if config.pluginmanager.hasplugin("xdist"):
            item.add_marker(pytest.mark.xdist_group(group(item)))
        items[number] = item


def rank(item: pytest.Item) -> int:
    """Return the place of a test's file among the long ones, or behind them all."""
    return LONG.index(item.path.name) if item.path.name in LONG else len(LONG)


def group(item: pytest.Item) -> str:
    """Return what shares a lab: a file's tests, those of the fault matrix by their enforcer."""
    given = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return f"{item.path.stem} {given['enforcer']}" if "enforcer" in given else item.path.stem
