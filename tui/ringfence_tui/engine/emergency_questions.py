"""Questions that every screen may ask of emergencies: what a quarantine would cut, to carry it out, to end it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ringfence.model.emergencies import ID
from ringfence.model.errors import InputError
from ringfence.model.safe_text import clean_line

from ringfence_tui.emergency_views import CutRequest, CutView, DoneView, DoRequest, StandingView, Told

if TYPE_CHECKING:
    from ringfence.operations.quarantine import Cut
    from ringfence.presenting import Line

    from ringfence_tui.engine.questions import Questions
    from ringfence_tui.engine.session import EngineSession, Tell

# Quarantines that were shown and not carried out yet, by id, and how many of them are remembered.
_PREPARED: dict[str, Cut] = {}
_MOST = 8


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
    while len(_PREPARED) >= _MOST:
        del _PREPARED[next(iter(_PREPARED))]
    _PREPARED[found.order.id] = found
    return CutView(found.order.id, _told([*cut_lines(found), *seen_lines(seen, flows.words())]))


def quarantine(session: EngineSession, request: DoRequest, tell: Tell) -> DoneView:
    """Carry out what was shown, and return what kernels hold. Raise InputError for what was not shown."""
    from ringfence.operations.passwords import Passwords
    from ringfence.operations.quarantine import quarantine as carried_out
    from ringfence.presenting.emergency_view import carried_lines

    session.writable("isolate anything")
    found = _PREPARED.pop(request.id, None)
    if found is None:
        raise InputError(f"{request.id} was not shown yet", remedy="ask for it again")
    given = request.passwords
    with Passwords(given.become, given.vault).offered():
        done = carried_out(session.anew(), found, session.execution(tell))
    return DoneView(not done.missing, _told(carried_lines(done)))


def release(session: EngineSession, request: DoRequest, tell: Tell) -> DoneView:
    """End an emergency on every host that may hold it, and return what kernels hold."""
    from ringfence.operations.passwords import Passwords
    from ringfence.operations.quarantine import order_called
    from ringfence.operations.release import release as released
    from ringfence.presenting.emergency_view import carried_lines

    session.writable("release anything")
    estate, given = session.anew(), request.passwords
    with Passwords(given.become, given.vault).offered():
        done = released(estate, request.id, order_called(estate, request.id).kind, session.execution(tell))
    return DoneView(not done.missing, _told(carried_lines(done)))


def standing(session: EngineSession, asset: str, _tell: Tell) -> StandingView:
    """Return what stands, the newest first, and before all others what is about an asset."""
    from ringfence.operations.emergencies import emergencies
    from ringfence.presenting.emergency_view import rows

    found = emergencies(session.fresh())
    lines = [clean_line(f"{row[0]}  {row[1]}, by {row[5]}, because {row[6]}") for row in rows(found.orders, found.now)]
    pairs = list(zip(found.orders, lines, strict=True))[::-1]
    pairs.sort(key=lambda pair: asset not in pair[0].first.names | pair[0].second.names)
    return StandingView(tuple(one.id for one, _ in pairs), tuple(line for _, line in pairs))


def _told(lines: Iterable[Line]) -> Told:
    return tuple((clean_line(line.text), line.style or "") for line in lines)


QUESTIONS: Questions = {"cut": cut, "quarantine": quarantine, "release": release, "standing": standing}
