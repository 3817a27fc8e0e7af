"""Forgetting plans: never one that hosts hold or may hold, that a run works with, or the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.estate.held_tables import known_records
from ringfence.operations.forgetting import Choice, Forgetting, Item, delete, forgetting
from ringfence.operations.plans import ListedPlan, list_plans
from ringfence.plan.artefact import parse_time
from ringfence.plan.journals import waiting
from ringfence.rollout.runs import no_run_begins, run_directories
from ringfence.wire.first_few import first_few
from ringfence.wire.plan_format import SHORT, TABLE_SUFFIX, TABLES, part_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringfence.estate import Estate


def plans_to_forget(estate: Estate, choice: Choice) -> Forgetting:
    """Return which plans a choice lets go, and which it means that stay. Raise InputError for a wrong choice."""
    plans = list_plans(estate)
    items = [
        Item(one.head.short, parse_time(one.head.created), one.head.size, one.directory.absolute()) for one in plans
    ]
    return forgetting(items, choice, _needed(estate, plans), estate.now, "plan")


def forget_plans(estate: Estate, choice: Choice, shown: Forgetting) -> Forgetting:
    """Delete what was shown, as far as nothing needs it now; return what went and what stayed."""
    with no_run_begins(estate.history.state):
        now = plans_to_forget(estate, choice)
        done = Forgetting(now.still(shown), now.stays, now.named)
        delete(done.goes, estate.plans)
    return done


def _needed(estate: Estate, plans: Sequence[ListedPlan]) -> dict[str, str]:
    """Return why plans stay, by their short names."""
    why: dict[str, str] = {}
    if plans:
        why[plans[-1].head.short] = "it is the newest"
    for plan, run in _unfinished_runs(estate).items():
        why[plan] = f"run {run} of it is not finished"
    for digest, waiters in waiting(estate.directory, estate.plans, estate.now).items():
        why[digest[:SHORT]] = f"it may wait for its confirmation on {first_few(waiters)}"
    holders: dict[str, list[str]] = {}
    tables: dict[str, list[str]] = {}
    for name, held in sorted(known_records(estate).items()):
        if held.plan:
            holders.setdefault(held.plan[:SHORT], []).append(name)
        if held.table:
            tables.setdefault(held.table, []).append(name)
    why |= {short: f"{_hold(hosts)} it" for short, hosts in holders.items()}
    kept = [one for one in reversed(plans) if one.head.short in why]
    for table, hosts in tables.items():
        file = part_name(TABLES, table, TABLE_SUFFIX)
        if any((one.directory / file).exists() for one in kept):
            continue
        # a host that was asked may hold a table of a plan that was made elsewhere, or whose directory is gone
        having = next((one for one in reversed(plans) if (one.directory / file).exists()), None)
        if having is not None:
            kept.append(having)
            why[having.head.short] = f"{_hold(hosts)} its table"
    return why


def _hold(hosts: Sequence[str]) -> str:
    return f"{first_few(hosts)} {'holds' if len(hosts) == 1 else 'hold'}"


def _unfinished_runs(estate: Estate) -> dict[str, str]:
    """Return the runs that work, and those behind the last one that came to its end, by their plans' short names."""
    found: dict[str, str] = {}
    ended = False
    for run in reversed(run_directories(estate.history.state)):
        end = run.end()
        cut_short = end is None or bool(end.get("interrupted"))
        ended = ended or not cut_short
        if run.lives() or (cut_short and not ended):
            found.setdefault(run.short_plan, run.id)
    return found
