"""The rollout's questions: plans, runs, and what somebody wants of one. In the engine process."""

from __future__ import annotations

import shlex
import threading
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.model.errors import InputError, RingfenceError

from ringfence_tui.clock import clock, date_and_clock
from ringfence_tui.engine.telling import Telling
from ringfence_tui.screens.rollout.model import Opening, PlanView
from ringfence_tui.screens.rollout.number_questions import denials, no_way_back, numbers
from ringfence_tui.screens.rollout.requests import Begin, MakePlan, Steer, WayBack
from ringfence_tui.screens.rollout.tones import spanned
from ringfence_tui.spans import Row, Span, Tone, row

if TYPE_CHECKING:
    from ringfence.operations.plans import ChosenPlan
    from ringfence.presenting.rollout_board import BoardHead

    from ringfence_tui.engine.questions import Questions
    from ringfence_tui.engine.session import EngineSession, Tell

# Lines of a diff that are shown: past these nobody reads them on a screen.
MOST_ROWS = 1_000
# Seconds between two changes of a board, and seconds after which one is told although no host changed.
EVERY = 0.25
ANYWAY = 1.0
# Hosts in one part of a change: a part of so many is read in some ten milliseconds.
MOST_HOSTS = 1_000
# Lines of a run's log that are shown, the newest.
LONGEST = 2_000  # letters of a reason in the log
LOG = 2_000


def opening(session: EngineSession, _request: None, _tell: Tell) -> Opening:
    """Return what there is to show: a run that works comes before a plan."""
    from ringfence.operations.plans import plan_names
    from ringfence.operations.runs import begun_runs

    estate = session.estate
    runs, _damaged = begun_runs(estate)
    living = next((one.directory.id for one in reversed(runs) if one.lives), "")
    newest = runs[-1].directory.id if runs else ""
    plan, why = None, ""
    if living:
        return Opening(living, newest)
    try:
        if plan_names(estate.plans):
            plan = plan_of(session, "latest")
        else:
            why = f"no plan was made yet: {_relative(estate.plans, session)}/ is empty"
    except RingfenceError as error:
        place = f"{_relative(Path(error.place.file), session)}: " if error.place else ""
        why = f"{place}{error.message}"
    of_plan = newest if plan is not None and runs and runs[-1].facts.plan == plan.digest else ""
    return Opening(living, newest, plan, why, of_plan)


def plan(session: EngineSession, request: str, _tell: Tell) -> PlanView:
    """Return a plan by its name."""
    return plan_of(session, request)


def make(session: EngineSession, request: MakePlan, tell: Tell) -> PlanView:
    """Make a plan of the files as they are now, or the one that goes back; tell progress."""
    from ringfence.operations.earlier_plan import earlier_plan
    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.operations.passwords import Passwords
    from ringfence.operations.plan import PlanRequest, make_plan

    session.writable("make a plan")
    heard = Telling(tell)
    estate = session.anew(heard)
    restore = earlier_plan(estate, request.back_from) if request.back_from else None
    asked = PlanRequest(flows=FlowSelection(), rebase=request.rebase, restore=restore)
    with Passwords(request.become, request.vault).offered():
        made = make_plan(estate, asked, session.execution(tell, heard))
    return plan_of(session, made.draft.plan.digest, heard.warnings)


def begin(session: EngineSession, request: Begin, _tell: Tell) -> str:
    """Begin a run and return its id. It is a process of its own: nothing that ends here ends it."""
    from ringfence.operations.apply import ApplyRequest
    from ringfence.operations.passwords import Passwords
    from ringfence.operations.runs import begin as begun

    session.writable("roll a plan out")
    asked = ApplyRequest(
        request.plan,
        limit=request.limit,
        excuse=request.excuse,
        renew=request.renew,
        confirm_within=request.confirm_within,
    )
    run, process = begun(session.anew(), asked, Passwords(request.become, request.vault))
    threading.Thread(target=process.wait, daemon=True, name=f"run {run.id}").start()  # else it stays a zombie
    return run.id


def follow(session: EngineSession, request: str, tell: Tell) -> BoardHead:
    """Tell the board of a run and what changes on it; return its head at the end.

    Who looks away stops this and not the run.
    """
    from ringfence.operations.runs import find_run, heard, last_words, listed_run
    from ringfence.presenting.rollout_fold import BoardFold

    run = find_run(session.estate, request)
    fold = BoardFold(run.facts().waves)
    told, before = 0.0, None
    for events in heard(run, lambda: tell.cancel.wanted):
        tell.check()
        for one in events:
            fold.take(one)
        now = time.monotonic()
        if now - told < EVERY or (not fold.changed and now - told < ANYWAY):
            continue
        listed = listed_run(run)
        if not listed.lives:
            continue  # the last look comes below, when all is read
        change = fold.change(listed)
        told = now
        if change.hosts or change.head != before:
            before = change.head
            for part in change.parts(MOST_HOSTS):
                tell(part)
    tell.check()
    change = fold.change(listed_run(run), run.end(), last_words(run))
    for part in change.parts(MOST_HOSTS):
        tell(part)
    return change.head


def steer(session: EngineSession, request: Steer, _tell: Tell) -> str:
    """Want something of a run; return what is going to happen."""
    from ringfence.operations.runs import find_run, refuse_ended

    session.writable("steer a run")
    run = find_run(session.estate, request.run)
    refuse_ended(run, request.excuse)
    run.steer(pause=request.pause, abort=request.abort, excuse=request.excuse)
    said = []
    if request.pause is not None:
        said.append("it pauses before its next wave" if request.pause else "it goes on")
    if request.abort:
        said.append("it is ending; what waits for its confirmation goes back by itself")
    if request.excuse:
        said.append(f"it goes on without {', '.join(request.excuse)} where that fails")
    return "; ".join(said)


def way_back(session: EngineSession, request: str, _tell: Tell) -> WayBack:
    """Return how a run can be rolled back while it goes on."""
    from ringfence.operations.run_rollback import way_back as found
    from ringfence.operations.runs import find_run

    way = found(session.estate, find_run(session.estate, request))
    return WayBack(way.run.id, way.plan)


def roll_back(session: EngineSession, request: str, _tell: Tell) -> WayBack:
    """Have a run end and be rolled back, by its own process: who asked for it may leave."""
    from ringfence.operations.run_rollback import roll_back_run
    from ringfence.operations.runs import find_run

    session.writable("roll a run back")
    way = roll_back_run(session.estate, find_run(session.estate, request))
    return WayBack(way.run.id, way.plan)


def log(session: EngineSession, request: str, tell: Tell) -> tuple[Row, ...]:
    """Return what a run told, a line an event, the newest last."""
    from ringfence.operations.runs import find_run, told_by

    run = find_run(session.estate, request)
    rows: list[Row] = []
    for one in told_by(run):
        tell.check()
        event = one.event
        if event.host:
            state, reason = event.result.get("state", ""), event.result.get("msg", "") if event.failed else ""
            tone = Tone.BAD if event.failed else Tone.PLAIN
            what = f"{event.step if event.kind == 'doing' else event.kind} {state}".strip()
            rows.append(
                row(
                    Span(f" {clock(one.time)}  ", Tone.DIM),
                    f"{event.host:<20} ",
                    Span(what, tone),
                    Span(f"  {_shortened(str(reason))}" if reason else "", Tone.DIM),
                )
            )
    earlier = len(rows) - LOG
    head = (row(Span(f" {earlier:,} earlier lines: ringfence attach {shlex.quote(run.id)}", Tone.DIM)),)
    return (*(head if earlier > 0 else ()), *rows[-LOG:])


def _shortened(reason: str) -> str:
    return reason if len(reason) <= LONGEST else f"{reason[:LONGEST]} … and {len(reason) - LONGEST:,} more letters"


def plan_of(session: EngineSession, name: str, warnings: list[str] | None = None) -> PlanView:
    """Return a plan as it is shown. Raise InputError where there is none of that name."""
    from ringfence.operations.plans import chosen_plan
    from ringfence.presenting.plan_view import difference, evidence_lines

    estate = session.estate
    chosen = chosen_plan(estate, name)
    made = chosen.plan
    changes = made.diff.get("changes")
    effects = (
        tuple((does, count) for does, count in changes.items() if isinstance(count, int))
        if isinstance(changes, dict)
        else ()
    )
    lines = difference(made, (), everything=False, more=f"ringfence show {made.short} --all")
    shown = tuple(spanned(line) for line in islice(lines, MOST_ROWS))
    return PlanView(
        digest=made.digest,
        number=made.sequence,
        made=made.created,
        valid_until=made.valid_until,
        hosts=len(made.hosts),
        changed=tuple(made.changed),
        waves=tuple(map(len, made.waves)),
        canary=made.canary.host if made.canary else "",
        left_out=len(made.left_out),
        signed=chosen.signed,
        restores=made.restores,
        stale=_stale(session, chosen),
        effects=effects,
        traffic=str(made.simulation.get("summary", "")),
        evidence=tuple(line.text for line in evidence_lines(made, date_and_clock)) if made.simulation else (),
        rows=shown,
        more=sum(1 for _ in lines),
        warnings=tuple(warnings or ()),
        no_way_back=no_way_back(estate, made.digest),
    )


def _relative(path: Path, session: EngineSession) -> Path:
    """Return a path as people write it in the workspace."""
    base = session.directory.absolute()
    return path.absolute().relative_to(base) if path.absolute().is_relative_to(base) else path


def _stale(session: EngineSession, chosen: ChosenPlan) -> str:
    from ringfence.operations.apply import ApplyRequest, checked_plan

    try:
        checked_plan(session.anew(), ApplyRequest(chosen.plan.digest))
    except InputError as error:
        return f"{error.message}: {error.remedy}" if error.remedy else error.message
    return ""


QUESTIONS: Questions = {
    "opening": opening,
    "plan": plan,
    "make": make,
    "begin": begin,
    "follow": follow,
    "steer": steer,
    "way_back": way_back,
    "roll_back": roll_back,
    "log": log,
    "numbers": numbers,
    "denials": denials,
}
