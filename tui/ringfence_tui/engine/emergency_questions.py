"""Questions that every screen may ask of emergencies: what a quarantine would cut, to carry it out, to end it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from ringfence.model.emergencies import ID
from ringfence.model.errors import InputError
from ringfence.model.safe_text import clean_line

from ringfence_tui.emergency_views import (
    CutRequest,
    CutView,
    DoneView,
    DoRequest,
    LetThroughRequest,
    StandingView,
    Told,
)

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.operations.allow_for import Permission
    from ringfence.operations.emergency_hosts import Carried
    from ringfence.operations.execution import Execution
    from ringfence.operations.quarantine import Cut
    from ringfence.presenting import Line

    from ringfence_tui.engine.questions import Questions
    from ringfence_tui.engine.session import EngineSession, Tell

Shown = TypeVar("Shown", "Cut", "Permission")
# What was shown and not carried out yet, by id, and how many of that are remembered.
_PREPARED: dict[str, Cut | Permission] = {}
_MOST = 8
ORDERS = 2  # that a line names
NAMED = 3  # hosts of each


def cut(session: EngineSession, request: CutRequest, tell: Tell) -> CutView:
    """Return what a quarantine would cut, and remember it under its id. Raise InputErrors where it means nobody."""
    from ringfence.operations.cut_flows import cut_flows
    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.operations.quarantine import QuarantineRequest, quarantine_of
    from ringfence.presenting.emergency_view import cut_lines, seen_lines

    session.writable("isolate anything")
    estate, execution, flows = session.anew(), session.execution(tell), FlowSelection()
    why = "" if ID.fullmatch(request.what) else request.why  # what stands has its reason
    found = quarantine_of(estate, QuarantineRequest((request.what,), request.keep, why, request.within), execution)
    seen = cut_flows(estate, found.order, flows, execution)
    _prepare(found)
    lines = [*cut_lines(found), *seen_lines(seen, flows.words())]
    return CutView(found.order.id, (*_told(lines), *_doubtful(estate, found.order.id)))


def permission(session: EngineSession, request: LetThroughRequest, tell: Tell) -> CutView:
    """Return what a permission would let through, and remember it under its id.

    Raise InputErrors where it means nobody, a guardrail stands against it, or somebody else has to approve it.
    """
    from ringfence.operations.allow_for import PermissionRequest, permission_of
    from ringfence.presenting.emergency_view import permission_lines

    session.writable("let anything through")
    estate = session.anew()
    asked = PermissionRequest(request.within, request.client, request.server, request.service, request.why)
    found = permission_of(estate, asked, session.execution(tell))
    _prepare(found)
    return CutView(found.order.id, (*_told(permission_lines(found)), *_doubtful(estate, found.order.id)))


def quarantine(session: EngineSession, request: DoRequest, tell: Tell) -> DoneView:
    """Carry out a quarantine that was shown, and return what kernels hold. Raise InputError for what was not shown."""
    from ringfence.operations.quarantine import Cut
    from ringfence.operations.quarantine import quarantine as carried_out

    return _done(session, request, tell, "isolate anything", Cut, carried_out)


def allow_for(session: EngineSession, request: DoRequest, tell: Tell) -> DoneView:
    """Let through what was shown, and return what kernels hold. Raise InputError for what was not shown."""
    from ringfence.operations.allow_for import Permission
    from ringfence.operations.allow_for import allow_for as carried_out

    return _done(session, request, tell, "let anything through", Permission, carried_out)


def _done(
    session: EngineSession,
    request: DoRequest,
    tell: Tell,
    what: str,
    kind: type[Shown],
    carried_out: Callable[[Estate, Shown, Execution], Carried],
) -> DoneView:
    session.writable(what)
    found = _shown(request.id)
    assert isinstance(found, kind)
    return _asking(session, request, lambda estate: carried_out(estate, found, session.execution(tell)))


def _asking(session: EngineSession, request: DoRequest, order: Callable[[Estate], Carried]) -> DoneView:
    """Return what became of an order to hosts, which may ask for the passwords of a request."""
    from ringfence.operations.passwords import Passwords
    from ringfence.presenting.emergency_view import carried_lines

    with Passwords(request.passwords.become, request.passwords.vault).offered():
        done = order(session.anew())
    return DoneView(not done.missing, _told(carried_lines(done)))


def _prepare(found: Cut | Permission) -> None:
    while len(_PREPARED) >= _MOST:
        del _PREPARED[next(iter(_PREPARED))]
    _PREPARED[found.order.id] = found


def _shown(name: str) -> Cut | Permission:
    found = _PREPARED.pop(name, None)
    if found is None:
        raise InputError(f"{name} was not shown yet", remedy="ask for it again")
    return found


def _doubtful(estate: Estate, but: str) -> Told:
    """Return where hosts may not hold other emergencies, which this goes by."""
    from ringfence.operations.emergencies import doubtful

    return tuple((f"  ! {clean_line(one.message)}", "yellow") for one in doubtful(estate) if but not in one.message)


def release(session: EngineSession, request: DoRequest, tell: Tell) -> DoneView:
    """End an emergency on every host that may hold it, and return what kernels hold."""
    from ringfence.operations.quarantine import order_called
    from ringfence.operations.release import release as released

    def ended(estate: Estate) -> Carried:
        return released(estate, request.id, order_called(estate, request.id).kind, session.execution(tell))

    session.writable("release anything")
    return _asking(session, request, ended)


def standing(session: EngineSession, asset: str, _tell: Tell) -> StandingView:
    """Return what stands, the newest first, and before all others what is about an asset."""
    from ringfence.operations.emergencies import emergencies
    from ringfence.presenting.emergency_view import rows

    found = emergencies(session.fresh())
    lines = [clean_line(f"{row[0]}  {row[1]}, by {row[5]}, because {row[6]}") for row in rows(found.orders, found.now)]
    pairs = list(zip(found.orders, lines, strict=True))[::-1]
    pairs.sort(key=lambda pair: asset not in pair[0].first.names | pair[0].second.names)
    return StandingView(tuple(one.id for one, _ in pairs), tuple(line for _, line in pairs))


def doubt(session: EngineSession, _request: None, _tell: Tell) -> str:
    """Return which hosts may not hold what answers go by, and may still hold what was ended; empty for none."""
    estate = session.fresh()
    if not estate.emergencies():
        return ""
    from ringfence.operations.emergencies import emergencies_summary
    from ringfence.wire.first_few import first_few

    said = [
        clean_line(
            f"{one.kind} {one.id} was ended and may still be held by {first_few(one.doubtful, NAMED)}"
            if one.over
            else f"{one.kind} {one.id} is not known to be held by {first_few(one.doubtful, NAMED)}"
        )
        for one in emergencies_summary(estate).emergencies
        if one.doubtful
    ]
    more = f"; and {len(said) - ORDERS:,} more: ringfence emergencies" if len(said) > ORDERS else ""
    return f"what is shown may not be so: {'; '.join(said[:ORDERS])}{more}" if said else ""


def _told(lines: Iterable[Line]) -> Told:
    return tuple((clean_line(line.text), line.style or "") for line in lines)


QUESTIONS: Questions = {
    "cut": cut,
    "quarantine": quarantine,
    "permission": permission,
    "allow_for": allow_for,
    "release": release,
    "standing": standing,
    "doubt": doubt,
}
