"""The overview, part by part: what is kept first, then what the inventory, the compiler and the flows say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ringfence.model.errors import RingfenceError
from ringfence.model.problems import Severity
from ringfence.operations.overview import (
    assets_summary,
    draft_summary,
    kept_assets,
    policy_summary,
    rollout_summary,
    traffic_of,
)

from ringfence_tui.engine.questions import Questions
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.engine.telling import Telling
from ringfence_tui.screens.overview.model import Broken, Collected, CollectRequest, Done, Findings, Part, Wrong

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.overview import EmergenciesSummary, TrafficSummary
    from ringfence.model.problems import Problem


def show(session: EngineSession, _request: None, tell: Tell) -> Done:
    """Tell every part as it is known; one that cannot be had is told as Broken, and the others come all the same."""
    estate = session.fresh()
    parts: tuple[tuple[str, Callable[[], Part | None]], ...] = (
        ("kept", lambda: kept_assets(kept) if (kept := session.kept()) is not None else None),
        ("emergencies", lambda: _emergencies(estate)),
        ("rollout", lambda: rollout_summary(estate)),
        ("assets", lambda: assets_summary(estate)),
        ("check", lambda: _findings(estate)),
        ("draft", lambda: draft_summary(estate)),
        ("policy", lambda: policy_summary(estate)),
        ("traffic", lambda: _traffic(session, estate, tell)),
    )
    for name, made in parts:
        try:
            part = made()
        except (RingfenceError, OSError) as error:
            if tell.cancel.wanted:
                raise
            part = None if name in {"kept", "check"} else Broken(name, _wrong(error))
        if part is not None:
            tell(part)
    return Done()


def _traffic(session: EngineSession, estate: Estate, tell: Tell) -> TrafficSummary:
    from ringfence_tui.engine.judging import judged_week

    with judged_week(session, tell) as judged:
        return traffic_of(estate, judged)


def _emergencies(estate: Estate) -> EmergenciesSummary:
    from ringfence.operations.emergencies import emergencies_summary  # loads much: what is kept is told before

    return emergencies_summary(estate)


def _findings(estate: Estate) -> Findings:
    """Return the problems of files and inventory that are known without compiling."""
    from ringfence.language import check_references
    from ringfence.operations.damaged_state import damaged_state  # loads much: what is kept is told before

    workspace, found = estate.workspace, estate.survey()
    problems = [
        *damaged_state(estate),
        *workspace.problems,
        *found.problems,
        *check_references(workspace.mentions, found.snapshot),
    ]
    return Findings(tuple(wrong_of(problem) for problem in problems))


def wrong_of(problem: Problem) -> Wrong:
    """Return a problem as screens show it."""
    place = str(problem.place) if problem.place else ""
    return Wrong(place, problem.message, problem.remedy or "", problem.severity is Severity.ERROR)


def _wrong(error: RingfenceError | OSError) -> tuple[Wrong, ...]:
    if isinstance(error, OSError):
        return (Wrong(str(error.filename or ""), error.strerror or str(error), "may you read and write it?"),)
    errors: tuple[RingfenceError, ...] = tuple(getattr(error, "errors", (error,)))
    return tuple(Wrong(str(one.place or ""), one.message, one.remedy or "") for one in errors)


def collect(session: EngineSession, request: CollectRequest, tell: Tell) -> Collected:
    """Ask the hosts who talks to whom, and keep it."""
    from ringfence.operations import collect as collecting
    from ringfence.operations.passwords import Passwords

    session.writable("keep flows")
    heard = Telling(tell)
    asked = collecting.CollectRequest(times=request.times, every=request.every)
    with Passwords(request.become, request.vault).offered():
        done = collecting.collect(session.anew(heard), asked, session.execution(tell, heard))
    return Collected(done.added.read, done.added.new, tuple(sorted(done.silent.items())), tuple(heard.warnings))


QUESTIONS: Questions = {"show": show, "collect": collect}
