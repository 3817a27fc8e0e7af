"""What a workspace knows of quarantines and permissions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringfence.estate.directory import current_time
from ringfence.estate.emergencies import order_data
from ringfence.model.emergencies import HostState, Kind
from ringfence.model.errors import InputError
from ringfence.model.problems import Problem, Severity
from ringfence.operations.emergency_newcomers import newcomers
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.emergencies import Order


@dataclass(frozen=True, slots=True)
class Emergencies:
    """Emergencies, the newest last, at a time in seconds since 1970.

    `new` are, by the id of a quarantine that stands, hosts that were added since and were not told of it yet.
    """

    orders: tuple[Order, ...]
    now: float
    new: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        listed = [
            {**order_data(order), "stands": order.stands(self.now), "new": list(self.new.get(order.id, ()))}
            for order in self.orders
        ]
        return {"emergencies": listed}


def emergencies(estate: Estate, *, every: bool = False) -> Emergencies:
    """Return what stands, and what was released and may still be held by a host; with `every` all there ever was."""
    now = current_time().timestamp()
    found = estate.emergencies()
    listed = tuple(one for one in found if every or one.stands(now) or _left(one, now))
    return Emergencies(listed, now, newcomers(estate))


def standing_problems(estate: Estate) -> list[Problem]:
    """Return what a plan says of what stands: it is carried by hosts beside their tables, and by which it is not."""
    problems = []
    for order in estate.standing():
        held = sorted(name for name, state in order.hosts.items() if state is HostState.HELD)
        message = f"{order.title} stands on {first_few(held) or 'no host'}; this plan leaves it as it is"
        again = f"'ringfence quarantine {order.id}' reaches hosts that do not hold it yet"
        remedy = again if order.kind is Kind.QUARANTINE else f"ringfence end {order.id}"
        problems.append(Problem(Severity.WARNING, message, order.place, remedy))
        if order.kind is Kind.PERMISSION and (guard := _guard(estate, order)):
            message = f"{guard.message} now, and {order.title} still lets it through"
            problems.append(Problem(Severity.WARNING, message, guard.place, remedy))
    return problems


def doubtful(estate: Estate) -> list[Problem]:
    """Return where hosts may differ from answers, which take what stands for held and what was released for gone."""
    now = current_time().timestamp()
    problems = []
    for order in estate.emergencies():
        wanted = HostState.HELD if order.stands(now) else HostState.RELEASED
        hosts = first_few(sorted(name for name, state in order.hosts.items() if state is not wanted))
        if wanted is HostState.RELEASED and not _left(order, now):
            continue
        if wanted is HostState.HELD and hosts:
            message = (
                f"{order.title} stands, and is not known to be held by {hosts}: what this says may not be so there"
            )
            again = f"ringfence quarantine {order.id}" if order.kind is Kind.QUARANTINE else "give a new permission"
            remedy = f"{again}, or ringfence {order.kind.ending} {order.id}"
        elif hosts:
            message = f"{order.title} was ended, and may still be held by {hosts}: what this says may not be so there"
            remedy = f"ringfence {order.kind.ending} {order.id}"
        else:
            continue
        problems.append(Problem(Severity.WARNING, message, order.place, remedy))
    return problems


def _guard(estate: Estate, order: Order) -> InputError | None:
    """Return the guardrail that stands against a permission by now: it was asked when that was given, and not since."""
    from ringfence.operations.allow_for import refuse_guarded

    try:
        refuse_guarded(estate, order)
    except InputError as error:
        return error
    return None


def _left(order: Order, now: float) -> bool:
    """Return whether a host may still hold what was released: what ends by itself has ended there too."""
    over = order.ends and now >= order.ends
    return not over and any(state is not HostState.RELEASED for state in order.hosts.values())
