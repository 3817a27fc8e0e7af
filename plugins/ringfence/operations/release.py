"""Ending an emergency before its time, on every host that may hold it; again, as often as hosts were not reached."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.estate.directory import current_time
from ringfence.estate.emergencies import kept_order, update_order
from ringfence.model.emergencies import ID, EmergencyEnd, HostState, Kind, Order
from ringfence.model.errors import InputError
from ringfence.operations.drive import refuse_unknown
from ringfence.operations.emergency_ends import known, who_asks
from ringfence.operations.emergency_hosts import Carried, lift
from ringfence.operations.emergency_jumps import jumps_of
from ringfence.operations.emergency_overlaps import isolated_besides
from ringfence.operations.emergency_turns import forget_playbooks
from ringfence.operations.execution import Execution
from ringfence.operations.quarantine import order_called
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.estate import Estate


def release(
    estate: Estate,
    name: str,
    kind: Kind,
    execution: Execution | None = None,
    *,
    everywhere: bool = False,
    excused: Collection[str] = (),
) -> Carried:
    """Return what the kernels of an emergency's hosts hold after its end.

    A host that was read to be without it is not asked again, so this can be repeated until all are. With `everywhere`
    every host is asked that enforces, also where the workspace knows nothing of it. The `excused`, which are gone for
    good, count as without it and are not asked. Raise InputError where the workspace has none of this id, or one of
    another kind, and InputErrors for excused hosts that it does not name.
    """
    estate.hurry()
    execution = execution or Execution()
    order = _everywhere(estate, name, kind, execution) if everywhere else order_called(estate, name, kind)
    if order.kind is not kind:
        raise InputError(f"{name} is a {order.kind}", order.place, f"ringfence {order.kind.ending} {name}")
    refuse_unknown(excused, order.hosts, order.id)
    order = replace(order, hosts={**order.hosts, **dict.fromkeys(excused, HostState.RELEASED)})
    hosts = [host for host, state in order.hosts.items() if state is not HostState.RELEASED]
    if not order.released:
        order = replace(order, released=int(current_time().timestamp()), released_by=who_asks())
    if excused:
        execution.listener.note(f"{first_few(sorted(excused))}: not asked, and taken not to hold {name} any more")
        order = update_order(estate.directory, order, dict.fromkeys(excused, HostState.RELEASED))
    done = lift(estate, order, hosts, execution, jumps_of(estate, order.first.names))
    if not done.missing:
        forget_playbooks(estate.history.state, order)
    return replace(
        done, unasked=not hosts, besides=isolated_besides(estate, done.order) if kind is Kind.QUARANTINE else {}
    )


def _everywhere(estate: Estate, name: str, kind: Kind, execution: Execution) -> Order:
    """Return an emergency with every host that enforces, of none of which it is known whether it holds it."""
    if not ID.fullmatch(name) or name[0] != kind[0]:
        raise InputError(f"'{name}' is no id of a {kind}", remedy="ringfence info says what hosts hold")
    known_here = kept_order(estate.directory, name)
    order = known_here or Order(name, kind, "", "given from another workspace", 0, EmergencyEnd())
    hosts = (one.name for one in known(estate, execution.listener).enforced())
    return replace(order, hosts={**order.hosts, **dict.fromkeys(hosts, HostState.UNKNOWN)})
