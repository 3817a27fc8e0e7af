"""What a workspace knows of quarantines and permissions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from ringfence.analysis.emergency_members import of_now
from ringfence.estate.directory import current_time
from ringfence.estate.emergencies import order_data
from ringfence.model.emergencies import EmergencyEnd, HostState, Kind
from ringfence.model.errors import InputError
from ringfence.model.overview import EmergenciesSummary, EmergencySummary
from ringfence.model.problems import Problem, Severity
from ringfence.operations.emergency_ends import known
from ringfence.operations.emergency_moves import moved
from ringfence.operations.emergency_newcomers import newcomers
from ringfence.operations.execution import Execution
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.estate.listening import Listener
    from ringfence.model.emergencies import Order
    from ringfence.operations.waiting_requests import Waiting


class State(StrEnum):
    """What a list of emergencies is of: those that stand, those that do not any more, requests that wait."""

    STANDING = "standing"
    ENDED = "ended"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Emergencies:
    """Emergencies, the newest last, at a time in seconds since 1970.

    `new` are, by the id of a quarantine that stands, hosts that were added since and were not told of it yet. `waiting`
    are requests that were not given.
    """

    orders: tuple[Order, ...]
    now: float
    new: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        listed = [
            {**order_data(order), "stands": order.stands(self.now), "new": list(self.new.get(order.id, ()))}
            for order in self.orders
        ]
        return {"emergencies": listed, "requests": [one.data() for one in self.waiting]}


@dataclass(frozen=True, slots=True)
class Choice:
    """Which emergencies are listed: about whom or on which hosts, of one kind, in one state, begun since a time.

    Without `state`, what stands and what was released and may still be held by a host; with `every` all there ever was.
    """

    every: bool = False
    what: tuple[str, ...] = ()
    kind: Kind | None = None
    state: State | None = None
    since: str = ""


def emergencies(estate: Estate, choice: Choice | None = None, execution: Execution | None = None) -> Emergencies:
    """Return what is chosen. Raise InputErrors for a selector that is not valid or means nobody."""
    from ringfence.operations.flow_selection import time_of
    from ringfence.operations.waiting_requests import waiting_requests

    choice, listener = choice or Choice(), (execution or Execution()).listener
    now = current_time().timestamp()
    since = time_of(choice.since, estate.now).timestamp() if choice.since else 0
    found = estate.emergencies() if choice.state is not State.WAITING else ()
    waiting: tuple[Waiting, ...] = ()
    if choice.kind is not Kind.QUARANTINE and choice.state in (None, State.WAITING):
        waiting, problems = waiting_requests(estate)
        listener.problems(problems)
    about = _about(estate, choice.what, listener) if choice.what else None
    listed = tuple(
        one
        for one in found
        if choice.kind in (None, one.kind)
        and one.since >= since
        and (about is None or about(one))
        and _in_state(one, choice, now)
    )
    asked = tuple(one for one in waiting if one.request.asked >= since and (about is None or about(one.order)))
    listener.problems(moved(estate, [one for one in listed if one.stands(now)]))
    kept = {one.id for one in listed}
    new = {name: hosts for name, hosts in newcomers(estate).items() if name in kept}
    return Emergencies(listed, now, new, asked)


def _in_state(order: Order, choice: Choice, now: float) -> bool:
    if choice.state is not None:
        return order.stands(now) is (choice.state is State.STANDING)
    return choice.every or order.stands(now) or _left(order, now)


def _about(estate: Estate, what: tuple[str, ...], listener: Listener) -> Callable[[Order], bool]:
    """Return whether an emergency is about what some selectors mean, or is carried by one of these as a host.

    An asset that is gone is found by its name, which emergencies keep.
    """
    kept = {name for one in estate.emergencies() for name in (*one.first.names, *one.second.names, *one.hosts)}
    gone = {one for one in what if one in kept}
    rest = [one for one in what if one not in gone]
    end = known(estate, listener).end(rest) if rest else EmergencyEnd()
    names, addresses = gone | end.names, end.outside

    def about(order: Order) -> bool:
        whom = {*order.first.names, *order.second.names, *order.hosts}
        return bool(names & whom) or addresses.meets(order.first.addresses | order.second.addresses)

    return about


def standing_problems(estate: Estate) -> list[Problem]:
    """Return what a plan says of what stands: it is carried by hosts beside their tables, and by which it is not."""
    problems = []
    new = newcomers(estate)
    for order in estate.standing():
        held = sorted(name for name, state in order.hosts.items() if state is HostState.HELD)
        message = f"{order.title} stands on {first_few(held) or 'no host'}; this plan leaves it as it is"
        remedy = f"ringfence {order.kind.ending} {order.id}"
        if order.kind is Kind.QUARANTINE and (len(held) < len(order.hosts) or new.get(order.id)):
            remedy = f"'ringfence quarantine {order.id}' reaches hosts that do not hold it yet"
        problems.append(Problem(Severity.WARNING, message, order.place, remedy))
        if order.kind is Kind.PERMISSION and (guard := _guard(estate, order)):
            message = f"{guard.message} now, and {order.title} still lets it through"
            problems.append(Problem(Severity.WARNING, message, guard.place, remedy))
    return problems + moved(estate)


def standing_words(estate: Estate) -> str:
    """Return what stands beside the files, for an answer that is about these alone; empty for nothing."""
    titles = [f"{one.kind} {one.id} ({first_few(one.first.said)})" for one in estate.standing()]
    verb = "stands" if len(titles) == 1 else "stand"
    return (
        f"this is about the files alone; beside them {verb} {first_few(titles)}: ringfence emergencies"
        if titles
        else ""
    )


def standing_about(estate: Estate, names: Collection[str] | None) -> Iterator[str]:
    """Yield what stands about some assets, None for all, in an answer where the decision alone would not show it."""
    for order in estate.standing():
        present = of_now(order, estate.snapshot.assets)
        meant = present.first.names | present.second.names
        about = sorted(meant if names is None else meant & set(names))
        if about or names is None:
            whom = first_few(about or (*order.first.said, *order.second.said))
            yield f"{order.title} is about {whom}, and decides before the policy"


def doubtful(estate: Estate) -> list[Problem]:
    """Return where hosts may differ from answers, which take what stands for held and what was released for gone."""
    problems = []
    for order, stands, names in _as_known(estate):
        if not names:
            continue
        hosts = first_few(names)
        if stands:
            message = (
                f"{order.title} stands, and is not known to be held by {hosts}: what this says may not be so there"
            )
            again = f"ringfence quarantine {order.id}" if order.kind is Kind.QUARANTINE else "give a new permission"
            remedy = f"{again}, or ringfence {order.kind.ending} {order.id}"
        else:
            message = f"{order.title} was ended, and may still be held by {hosts}: what this says may not be so there"
            remedy = f"ringfence {order.kind.ending} {order.id}"
        problems.append(Problem(Severity.WARNING, message, order.place, remedy))
    return problems


def emergencies_summary(estate: Estate) -> EmergenciesSummary:
    """Return what stands and what may be held although it is over, the newest first."""
    found = [
        EmergencySummary(
            kind=str(order.kind),
            id=order.id,
            whom=first_few(order.first.said),
            who=order.who,
            since=order.since,
            held=sum(state is HostState.HELD for state in order.hosts.values()),
            over=not stands,
            doubtful=tuple(names),
        )
        for order, stands, names in _as_known(estate)
        if stands or names
    ]
    return EmergenciesSummary(tuple(sorted(found, key=lambda one: -one.since)))


def _as_known(estate: Estate) -> Iterator[tuple[Order, bool, list[str]]]:
    """Yield emergencies, whether they stand, and the hosts that are not known to hold or not to hold them, as meant."""
    now = current_time().timestamp()
    for order in estate.emergencies():
        stands = order.stands(now)
        if stands or _left(order, now):
            meant = HostState.HELD if stands else HostState.RELEASED
            yield order, stands, sorted(name for name, state in order.hosts.items() if state is not meant)


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
