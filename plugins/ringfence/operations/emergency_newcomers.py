"""Hosts that lack a quarantine that stands: added since, not reached, made anew, or taken back to an older image."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.estate.listening import SILENT
from ringfence.model.emergencies import HostState, Kind, Order
from ringfence.model.errors import RingfenceError
from ringfence.model.problems import Problem, Severity
from ringfence.operations.emergency_ends import Known
from ringfence.operations.emergency_hosts import Carried, carry
from ringfence.operations.emergency_moves import moved
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.operations.execution import Execution
    from ringfence.rollout import HostResult
    from ringfence.wire.emergency_lines import Emergency


def carry_over(estate: Estate, hosts: Collection[str], execution: Execution) -> None:
    """Have hosts that were just reached hold every quarantine that stands; the listener hears what came of it.

    All of them are told, also those that held it once: one of them may have been made anew. What fails here changes
    nothing of what was done before, so it is told and not raised.
    """
    quiet = replace(execution, listener=SILENT)
    problems: list[Problem] = []
    try:
        for order, entries in _wanted(estate, hosts):
            known = {name for name, state in order.hosts.items() if state is HostState.HELD}
            done = carry(estate, order, entries, quiet)
            new = sorted(set(entries) & set(done.well) - known)
            if new:
                execution.listener.note(f"{order.id} stands: {first_few(new)} {_hold(new)} it now as well")
            problems += _left_without(done, entries)
    except RingfenceError as error:
        problems.append(Problem(Severity.WARNING, error.message, error.place, error.remedy))
    execution.listener.problems(problems)


def lacking(estate: Estate, told: Mapping[str, HostResult]) -> list[Problem]:
    """Return which of the hosts that told what they hold lack a quarantine, and whom one meets no more."""
    held = {name: ids for name, host in told.items() if (ids := told_ids(host)) is not None}
    problems = []
    try:
        for order, entries in _wanted(estate, held):
            if without := sorted(name for name in entries if order.id not in held[name]):
                problems.append(_problem(order, without))
    except RingfenceError as error:
        problems.append(Problem(Severity.WARNING, error.message, error.place, error.remedy))
        return problems
    return problems + moved(estate)


def newcomers(estate: Estate) -> dict[str, tuple[str, ...]]:
    """Return, by the id of a quarantine that stands, the enforced hosts that have a part in it and were never told.

    Nothing where the inventory cannot be read.
    """
    try:
        return {
            order.id: new
            for order, entries in _wanted(estate)
            if (new := tuple(sorted(set(entries) - set(order.hosts))))
        }
    except RingfenceError:
        return {}


def _wanted(estate: Estate, hosts: Collection[str] | None = None) -> Iterator[tuple[Order, dict[str, Emergency]]]:
    """Yield every quarantine that stands with what those of some hosts, None for all, are given that have a part in it.

    Where none stands nothing is loaded for it.
    """
    standing = [order for order in estate.standing() if order.kind is Kind.QUARANTINE]
    if not standing or (hosts is not None and not hosts):
        return
    chosen = None if hosts is None else set(hosts)
    workspace = estate.workspace
    known = Known(estate.enforcers[0], workspace.definitions, workspace.settings)
    for order in standing:
        every, _enforced = known.entries(order)
        entries = {name: entry for name, entry in every.items() if chosen is None or name in chosen}
        if entries:
            yield order, entries


def _left_without(done: Carried, entries: Mapping[str, Emergency]) -> list[Problem]:
    without = [name for name in done.missing if name in entries]
    return [_problem(done.order, without)] if without else []


def _problem(order: Order, without: Collection[str]) -> Problem:
    verb = "lacks" if len(without) == 1 else "lack"
    message = f"{first_few(sorted(without))} {verb} {order.title}, which stands"
    remedy = f"ringfence quarantine {order.id}; where a playbook has released it: ringfence release {order.id}"
    return Problem(Severity.WARNING, message, order.place, remedy)


def _hold(names: Collection[str]) -> str:
    return "holds" if len(names) == 1 else "hold"


def told_ids(host: HostResult) -> frozenset[str] | None:
    """Return the ids that a host said its kernel holds, None where it said nothing."""
    held = host.result.get("held")
    told = (held if isinstance(held, Mapping) else host.result).get("emergency")
    if not isinstance(told, list):
        return None
    return frozenset(str(one["id"]) for one in told if isinstance(one, Mapping) and one.get("held") is True)
