"""What the Map screen asks: pictures, cells, and the draft. Runs in the engine process, over operations alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.model.errors import InputError
from ringfence.model.picture import Neighbours, Picture, PictureCell, PictureGroup
from ringfence.operations.picture import LEVELS

from ringfence_tui.engine.questions import Questions
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.screens.map.answers import CellRequest, MapAnswer, NeighboursRequest, PictureRequest
from ringfence_tui.screens.map.drafting import DRAFT_QUESTIONS, followed
from ringfence_tui.screens.map.kept import judged_flows, kept_of, prepare
from ringfence_tui.screens.map.levels import FINEST
from ringfence_tui.screens.map.sending import parts_of

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.operations.draft_effect import DraftPicture

MANY = 200
MOST = 2_000  # groups; past that nobody reads a matrix, and reading them holds the screen up
SERVICES = 2  # of an edge; the sheet and the strip ask for all of one cell


def picture(session: EngineSession, request: PictureRequest, tell: Tell) -> MapAnswer:
    """Return the picture at some levels, at the finest labels that have not too many groups where none are named."""
    with judged_flows(session, request.when, tell, newest=True) as kept:
        drafted = followed(kept, session.execution(tell), tell)
        keys = keys_of(kept.estate)
        levels = request.levels or keys[: depth_of(kept.estate, keys)]
        found = kept.judged.at(levels, request.inside, SERVICES)
        notes: tuple[str, ...] = ()
        if len(found.groups) > MOST:
            found, notes = together(kept, found, request.inside)
    sent = kept_of(session).sent
    places = sent.changes(request.known, found)
    for part in parts_of(found, places):
        tell(part)
    name = sent.keep(found)
    return MapAnswer(replace(found, edges=()), keys, drafted, notes, name=name, follows=places is not None)


def together(kept: DraftPicture, found: Picture, inside: PictureGroup | None) -> tuple[Picture, tuple[str, ...]]:
    """Return the picture by the next coarser level that has few enough groups, and a sentence that says so.

    What was the inside of a group is among the others again, where that level is no finer than the group.
    """
    many, levels = len(found.groups), found.levels
    while len(found.groups) > MOST and len(levels) > 1:
        levels = levels[:-1]
        if inside is not None and len(levels) <= len(inside.labels):
            inside = None
        found = kept.judged.at(levels, inside, SERVICES)
    if len(found.groups) > MOST:
        raise InputError(
            f"{len(found.groups):,} groups by {levels[0]} are more than a matrix can show",
            remedy="ringfence map --html has them all",
        )
    by = " > ".join(levels)
    return found, (f"{many:,} groups are more than one can read: put together by {by}; enter on one goes into it",)


def cell(session: EngineSession, request: CellRequest, tell: Tell) -> PictureCell:
    """Return who decides what between two groups, and the busiest flows."""
    with judged_flows(session, request.when, tell) as kept:
        return kept.judged.cell(request.levels, request.client, request.server, request.limit)


def neighbours(session: EngineSession, request: NeighboursRequest, tell: Tell) -> Neighbours:
    """Return who talks to a group and whom it talks to, with how many of its ends, and what it is itself."""
    with judged_flows(session, request.when, tell) as kept:
        return kept.judged.neighbours(request.levels, request.group, SERVICES, request.inside)


def ready(session: EngineSession, _request: None, tell: Tell) -> bool:
    """Make ready for the first draft; return True."""
    prepare(session, tell)
    return True


def keys_of(estate: Estate) -> tuple[str, ...]:
    """Return all levels of an estate: the usual labels as far as an asset has them, then assets and processes."""
    there = {key for asset in estate.snapshot.assets for key in asset.labels}
    return (*(tuple(key for key in LEVELS if key in there) or LEVELS[:1]), *FINEST)


def depth_of(estate: Estate, keys: tuple[str, ...]) -> int:
    """Return how many labels tell at most so many groups apart that one can read; at least one."""
    labels = [key for key in keys if key not in FINEST]
    every = [asset.label_values() for asset in estate.snapshot.assets]
    for depth in range(len(labels), 1, -1):
        if len({tuple(values.get(key) for key in labels[:depth]) for values in every}) <= MANY:
            return depth
    return 1


QUESTIONS: Questions = {"picture": picture, "cell": cell, "neighbours": neighbours, "prepare": ready, **DRAFT_QUESTIONS}
