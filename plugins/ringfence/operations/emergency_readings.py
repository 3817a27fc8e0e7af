"""What `info` and `verify` read of emergencies in kernels, kept: a playbook or a colleague may have told hosts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ringfence.estate.directory import current_time
from ringfence.estate.emergencies import update_order
from ringfence.model.emergencies import HostState
from ringfence.model.errors import RingfenceError
from ringfence.model.problems import Problem, Severity
from ringfence.operations.emergency_newcomers import told_ids

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.emergencies import Order
    from ringfence.rollout import HostResult


def keep_readings(estate: Estate, told: Mapping[str, HostResult]) -> list[Problem]:
    """Keep which hosts were read to hold an emergency, and which of them do not hold any more what stands.

    Only `release` and `end` find that a host holds one no more: a command that began before may still tell it.
    """
    held = {name: ids for name, host in told.items() if (ids := told_ids(host)) is not None}
    now = current_time().timestamp()
    try:
        for order in estate.emergencies() if held else ():
            over = bool(order.ends) and now >= order.ends
            if states := {} if over else _changed(order, held, stands=order.stands(now)):
                update_order(estate.directory, order, states)
    except RingfenceError as error:
        first = getattr(error, "errors", (error,))[0]
        message = f"what hosts hold of emergencies is not kept: {first.message}"
        return [Problem(Severity.WARNING, message, first.place, first.remedy)]
    return []


def _changed(order: Order, held: Mapping[str, frozenset[str]], *, stands: bool) -> dict[str, HostState]:
    states = {}
    for name, ids in held.items():
        state = order.hosts.get(name)
        if order.id in ids and state is not HostState.HELD:
            states[name] = HostState.HELD
        elif order.id not in ids and stands and state is HostState.HELD:
            states[name] = HostState.UNKNOWN
    return states
