"""Finding the directory of a workspace, and the time that its work counts as now."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from ringfence.model.errors import InputError
from ringfence.model.workspace_files import SETTINGS


def workspace_directory(chosen: Path | None = None) -> Path:
    """Return the directory that was chosen, else the nearest one upwards with a ringfence.yml.

    Raise InputError if there is none, also where the directory that this runs in was deleted.
    """
    if chosen is not None:
        if not chosen.is_dir():
            raise InputError(f"there is no directory '{chosen}'")
        return chosen.absolute()
    here = _here()
    for directory in (here, *here.parents):
        if os.path.lexists(directory / SETTINGS):
            return directory
    stem = SETTINGS.partition(".")[0]
    for path in sorted(here.iterdir()):
        if path.name.casefold() in {f"{stem}.yml", f"{stem}.yaml"}:
            raise InputError(f"'{path.name}' is not read: the file is called {SETTINGS}", remedy="rename it")
    raise InputError(
        f"no workspace: there is no {SETTINGS} here or above",
        remedy="go to one, name one with '--workspace DIR', or make one with 'ringfence init'",
    )


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        remedy = "go to another one, or name a workspace with '--workspace DIR'"
        raise InputError("the directory that this runs in is not there any more", remedy=remedy) from error


def current_time() -> datetime:
    """Return the time in UTC, or SOURCE_DATE_EPOCH (reproducible-builds.org) if it is set, so that plans repeat."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    if fixed is None:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(fixed), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InputError("SOURCE_DATE_EPOCH is not a number of seconds since 1970") from error
