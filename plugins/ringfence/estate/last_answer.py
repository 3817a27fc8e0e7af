"""What the inventory said last: taken for questions while it holds, else asked for anew and kept."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.files import regular_file
from ringfence.model.errors import InputError

if TYPE_CHECKING:
    from ringfence.estate.history import History
    from ringfence.sources.inventory import Resolver
    from ringfence.sources.inventory_state import InventoryState
    from ringfence.sources.surveys import Survey
    from ringfence.workspace import Workspace

UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the inventory said, and when, in seconds since 1970; `age` is None where it was asked just now.

    `problem` says why it could not be kept, empty where it was.
    """

    survey: Survey
    asked: float
    age: float | None = None
    problem: str = ""


def answer(
    workspace: Workspace,
    history: History,
    ask: Callable[[Resolver], Survey],
    *,
    fresh: bool,
    hurried: Resolver | None = None,
) -> Answer:
    """Return the kept answer where it still holds and none that is `fresh` is wanted, else that of `ask`, and keep it.

    `ask` takes what resolves names. One that is `hurried` may not find all of them, so what it answers is not kept.
    """
    from ringfence.sources.resolution import resolve_names
    from ringfence.sources.survey_cache import FILE, keep_survey, kept_survey

    path = history.state / FILE
    asked, state, before = time.time(), _state(workspace), newest_digest(history)
    known = None if fresh else kept_survey(path, state, before, asked, workspace.settings.fresh_for)
    if known is not None:
        return Answer(known.survey, asked - known.age, known.age)
    if hurried is not None:
        return Answer(ask(hurried), asked)
    names: set[str] = set()

    def resolve(wanted: Iterable[str]) -> Mapping[str, tuple[int, ...]]:
        names.update(wanted)
        return resolve_names(names)

    found = ask(resolve)
    if _state(workspace) != state:
        return Answer(found, asked)
    dynamic = (*state.dynamic, *(["names that are resolved"] if names else []))
    try:
        keep_survey(path, found, replace(state, dynamic=dynamic), before, asked)
    except OSError as error:
        return Answer(found, asked, problem=f"{path}: the inventory's answer is not kept: {error.strerror}")
    return Answer(found, asked)


def newest_digest(history: History) -> str:
    """Return the sha256 of the newest kept snapshot, whose names later surveys keep; empty if there is none."""
    kept = history.until()
    try:
        return hashlib.sha256(regular_file(kept[-1])).hexdigest() if kept else ""
    except (OSError, InputError):
        return UNREADABLE  # which no answer was kept with; asking says what is wrong


def _state(workspace: Workspace) -> InventoryState:
    from ringfence.sources import accepted
    from ringfence.sources.inventory_state import inventory_state
    from ringfence.workspace import LABELS, SETTINGS

    more = (workspace.directory / SETTINGS, workspace.directory / LABELS, workspace.state / accepted.FILE)
    return inventory_state(workspace.inventory_paths, workspace.directory, os.environ, more)
