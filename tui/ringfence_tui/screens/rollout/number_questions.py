"""The numbers of a run: what is kept, and what its hosts tell when they are asked. In the engine process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.model.errors import InputError

from ringfence_tui.engine.telling import Telling
from ringfence_tui.screens.rollout.numbers import Numbers
from ringfence_tui.screens.rollout.requests import AskDenials

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.operations.run_numbers import RunNumbers

    from ringfence_tui.engine.session import EngineSession, Tell


def numbers(session: EngineSession, request: str, _tell: Tell) -> Numbers:
    """Return the numbers of a run, without asking anybody."""
    from ringfence.operations.run_numbers import run_numbers
    from ringfence.operations.runs import find_run

    run = find_run(session.estate, request)
    return _shown(run.id, run_numbers(session.estate, run), no_way_back(session.estate, run.facts().plan))


def denials(session: EngineSession, request: AskDenials, tell: Tell) -> Numbers:
    """Ask the hosts of a run what they denied since they got its table; return its numbers with that."""
    from ringfence.operations.passwords import Passwords
    from ringfence.operations.run_numbers import ask_denials, run_numbers
    from ringfence.operations.runs import find_run

    heard = Telling(tell)
    estate = session.anew(heard)
    run = find_run(estate, request.run)
    with Passwords(request.become, request.vault).offered():
        ask_denials(estate, run, session.execution(tell, heard))
    return _shown(run.id, run_numbers(estate, run), no_way_back(estate, run.facts().plan))


def no_way_back(estate: Estate, plan: str) -> str:
    """Return why a rollout of a plan cannot be rolled back, empty where an earlier plan was confirmed."""
    from ringfence.operations.earlier_plan import earlier_plan

    try:
        earlier_plan(estate, plan)
    except InputError as error:
        return "no earlier plan; 'ringfence remove HOST' takes everything off" if error.remedy else error.message
    return ""


def _shown(run: str, found: RunNumbers, no_way_back: str) -> Numbers:
    flows, told = found.flows, found.denials
    return Numbers(
        run,
        (flows.denied_before, flows.denied_after, flows.allowed_before, flows.allowed_after) if flows else None,
        found.until,
        told.asked if told else "",
        told.hosts if told else (),
        no_way_back,
    )
