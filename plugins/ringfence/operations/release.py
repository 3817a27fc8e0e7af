"""Ending an emergency before its time, on every host that may hold it; again, as often as hosts were not reached."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.estate.directory import current_time
from ringfence.model.emergencies import HostState, Kind
from ringfence.model.errors import InputError
from ringfence.operations.emergency_hosts import Carried, lift
from ringfence.operations.execution import Execution
from ringfence.operations.quarantine import order_called

if TYPE_CHECKING:
    from ringfence.estate import Estate


def release(estate: Estate, name: str, kind: Kind, execution: Execution | None = None) -> Carried:
    """Return what the kernels of an emergency's hosts hold after its end.

    A host that was read to be without it is not asked again, so this can be repeated until all are. Raise InputError
    where the workspace has no such emergency, or one of another kind.
    """
    estate.hurry()
    order = order_called(estate, name)
    if order.kind is not kind:
        verb = "release" if order.kind is Kind.QUARANTINE else "end"
        raise InputError(f"{name} is a {order.kind}", order.place, f"ringfence {verb} {name}")
    hosts = [host for host, state in order.hosts.items() if state is not HostState.RELEASED]
    if not order.released:
        order = replace(order, released=int(current_time().timestamp()))
    return lift(estate, order, hosts, execution or Execution())
