"""What of the kept state is damaged and takes no answer away: runs, drafts, the place of plans. Each with a way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.estate.draft import Drafts
from ringfence.model.errors import Place
from ringfence.model.problems import Problem, Severity
from ringfence.model.workspace_files import PLANS
from ringfence.operations.runs import begun_runs

AWAY = "look what can be kept of it, then delete it: a new draft begins without it"

if TYPE_CHECKING:
    from ringfence.estate import Estate


def damaged_state(estate: Estate) -> tuple[Problem, ...]:
    """Return a warning for each run and each draft that is damaged, and where plans have no directory."""
    found = [_warned(one.error.message, one.error.place, one.error.remedy) for one in begun_runs(estate)[1]]
    drafts = Drafts(estate.directory)
    there = drafts.read().damaged  # it is moved aside, where something may be written
    aside = drafts.damaged()
    for one in (*((there,) if there is not None and there not in aside else ()), *aside):
        found.append(_warned(f"a draft is damaged ({one.why})", Place(one.file, one.line, one.column), AWAY))
    if estate.plans.exists() and not estate.plans.is_dir():
        found.append(_warned("is no directory: no plan can be kept", Place(PLANS), "move it away"))
    return tuple(found)


def _warned(message: str, place: Place | None, remedy: str | None) -> Problem:
    return Problem(Severity.WARNING, message, place, remedy)
