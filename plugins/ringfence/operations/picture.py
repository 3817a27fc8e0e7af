"""The picture of who talks to whom, and what hosts, files and the draft say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.analysis.picture import SERVICES, JudgedPicture, PolicyTables
from ringfence.analysis.picture_groups import ASSET, PROCESS
from ringfence.estate.held_tables import held_tables, known_records
from ringfence.language.reports import did_you_mean, nearest
from ringfence.model.errors import InputError
from ringfence.model.picture import Picture, PictureCell, PictureGroup, PolicyState
from ringfence.operations.execution import Execution
from ringfence.operations.interrupting import heeding, interruptible

if TYPE_CHECKING:
    from ringfence.compiler import Compilation
    from ringfence.estate import Estate
    from ringfence.estate.listening import Listener
    from ringfence.model.judging import Told
    from ringfence.model.rules import Policy
    from ringfence.model.tables import VerdictTable
    from ringfence.operations.flow_selection import FlowSelection

LEVELS = ("env", "app", "role")
STATES = (PolicyState.HELD, PolicyState.FILES)


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """What is to be seen: flows, the label keys of the groups (coarsest first; `asset`, `process` as the finest).

    `inside` is a group of a coarser picture: its inside, and what talks with it. `states` are the policies that judge,
    `services` how many services an edge has at most.
    """

    flows: FlowSelection
    levels: tuple[str, ...] = LEVELS
    inside: PictureGroup | None = None
    states: tuple[PolicyState, ...] = STATES
    services: int = SERVICES


def picture(estate: Estate, request: PictureRequest, execution: Execution | None = None) -> Picture:
    """Return the picture. Raise InputError for levels that no asset has, Cancelled where it was cancelled."""
    check_levels(estate, request.levels)
    with _judged(estate, request, execution) as judged:
        return judged.at(request.levels, request.inside, request.services)


def cell_flows(
    estate: Estate,
    request: PictureRequest,
    client: PictureGroup,
    server: PictureGroup,
    limit: int = 50,
    execution: Execution | None = None,
) -> PictureCell:
    """Return the traffic from one group of a picture to another, with its busiest flows."""
    check_levels(estate, request.levels)
    with _judged(estate, request, execution) as judged:
        return judged.cell(request.levels, client, server, limit)


@contextmanager
def _judged(estate: Estate, request: PictureRequest, execution: Execution | None) -> Iterator[JudgedPicture]:
    """Judge flows, under the draft too where that is asked for."""
    with judged_picture(estate, request.flows, request.states, execution) as judged:
        if PolicyState.DRAFT in request.states:
            from ringfence.operations.draft_effect import DraftPicture

            DraftPicture(estate, judged).follow(execution=execution)
        yield judged


@contextmanager
def judged_picture(
    estate: Estate,
    flows: FlowSelection,
    states: tuple[PolicyState, ...] = STATES,
    execution: Execution | None = None,
) -> Iterator[JudgedPicture]:
    """Judge flows as `open_picture` does; within the context they can be grouped again and again."""
    judged = open_picture(estate, flows, states, execution)
    try:
        yield judged
    finally:
        judged.close()


def open_picture(
    estate: Estate,
    flows: FlowSelection,
    states: tuple[PolicyState, ...] = STATES,
    execution: Execution | None = None,
    told: Told | None = None,
) -> JudgedPicture:
    """Return judged flows, which the caller closes. Raise Cancelled where it was cancelled.

    `told` hears how many of how many groups are judged, of each state. The draft says what files say, until
    `operations.draft_effect.DraftPicture` follows it.
    """
    execution = execution or Execution()
    with execution.listener.working("compiling the policy"):
        tables = tables_of(estate, states, execution.listener)
    execution.cancel.heed()
    with execution.listener.working("reading flows"):
        window = flows.window(estate, execution.listener)
    try:
        with interruptible(execution, window.connection), execution.listener.working("judging flows"):
            judged = JudgedPicture(window, estate.snapshot, estate.workspace.settings, tables, heeding(execution, told))
            if PolicyState.DRAFT in states:
                judged.copy(PolicyState.DRAFT, PolicyState.FILES)
            return judged
    except BaseException:
        window.close()
        raise


def tables_of(estate: Estate, states: tuple[PolicyState, ...], listener: Listener) -> dict[PolicyState, PolicyTables]:
    """Return the tables that hosts hold, and those that they would take of the files; the draft's need the files'."""
    held = estate.overridden(held_tables(estate, known_records(estate), listener))
    found: dict[PolicyState, PolicyTables] = {}
    if PolicyState.HELD in states:
        found[PolicyState.HELD] = PolicyTables(held, {})
    if PolicyState.FILES in states or PolicyState.DRAFT in states:
        taken = estate.in_force()
        found[PolicyState.FILES] = as_taken(taken, held, taken.policy)
    return found


def as_taken(compiled: Compilation, held: Mapping[str, VerdictTable], policy: Policy) -> PolicyTables:
    """Return the tables that hosts take; one that nothing brings its table to goes on with what it holds."""
    stays = {name: held[name] for name in compiled.why if name in held}
    places = {rule.id: f"{rule.place.file}:{rule.place.line}" for rule in policy.rules}
    return PolicyTables({**compiled.tables, **stays}, places)


def with_labels(levels: tuple[str, ...]) -> tuple[str, ...]:
    """Return levels that many single assets can be put together by: the usual labels stand before them."""
    return (*LEVELS, *levels) if levels[0] in (ASSET, PROCESS) else levels


def check_levels(estate: Estate, levels: tuple[str, ...]) -> None:
    """Raise InputError for no level, one twice, or a key that no asset has; the usual ones always count."""
    if not levels or len(set(levels)) != len(levels):
        raise InputError("a picture needs label keys to group by, each once", remedy="group by env,app,role")
    known = {key for asset in estate.snapshot.assets for key in asset.labels} | {*LEVELS, ASSET, PROCESS}
    for level in levels:
        if level not in known:
            near = nearest(level, known)
            remedy = did_you_mean(level, near) if near else f"the keys are: {', '.join(sorted(known))}"
            raise InputError(f"no asset has a label '{level}'", remedy=remedy)
