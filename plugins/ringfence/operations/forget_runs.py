"""Forgetting runs: never one that works, or one that a host may still wait on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.model.errors import InputError
from ringfence.operations.forgetting import Choice, Forgetting, Item, delete, forgetting
from ringfence.plan.journals import waiting
from ringfence.rollout.runs import RUNS, RunDirectory, no_run_begins, run_directories
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringfence.estate import Estate


def runs_to_forget(estate: Estate, choice: Choice) -> Forgetting:
    """Return which runs a choice lets go, and which it means that stay. Raise InputError for a wrong choice."""
    runs = run_directories(estate.history.state)
    items = [Item(one.id, one.began, one.size, one.path) for one in runs]
    return forgetting(items, choice, _needed(estate, runs), estate.now, "run")


def forget_runs(estate: Estate, choice: Choice, shown: Forgetting) -> Forgetting:
    """Delete what was shown, unless it is needed by now; return what was deleted and what was kept."""
    with no_run_begins(estate.history.state):
        now = runs_to_forget(estate, choice)
        done = Forgetting(now.still(shown), now.stays, now.named)
        delete(done.goes, estate.history.state / RUNS)
    return done


def _needed(estate: Estate, runs: Sequence[RunDirectory]) -> dict[str, str]:
    """Return why runs stay, by their names: of the runs of a plan, a host waits on the last that had it."""
    why: dict[str, str] = {}
    hosts = {digest[:12]: set(names) for digest, names in waiting(estate.directory, estate.plans, estate.now).items()}
    for run in reversed(runs):
        open_hosts = hosts.get(run.short_plan, set()) & _hosts(run)
        if open_hosts:
            hosts[run.short_plan] -= open_hosts
            why[run.id] = f"its plan may wait for its confirmation on {first_few(sorted(open_hosts))}"
        if run.lives():
            why[run.id] = "it is running"
        elif run.at_hosts():
            why[run.id] = "its Ansible still works on a host"
    return why


def _hosts(run: RunDirectory) -> set[str]:
    try:
        return set(run.facts().hosts)
    except InputError:
        return set()  # a damaged run says nothing of hosts
