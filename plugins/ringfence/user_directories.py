"""Where a user's own files are (XDG Base Directory Specification 0.8: paths that are not absolute are ignored)."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from ringfence.model.errors import InputError

BELOW_HOME = {"XDG_CACHE_HOME": ".cache", "XDG_STATE_HOME": ".local/state"}


def user_directory(variable: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the directory that `XDG_CACHE_HOME` or `XDG_STATE_HOME` names, else the usual one; it is absolute.

    Raise InputError where nobody knows the user's home, as of a user of a container who has no name.
    """
    chosen = Path(environment.get(variable, ""))
    if chosen.is_absolute():
        return chosen
    try:
        home = Path.home()
    except RuntimeError:
        home = Path()
    if not home.is_absolute():
        raise InputError(
            f"the home directory of user {os.geteuid()} is not known",
            remedy=f"set HOME, or {variable}, to an absolute path",
        )
    return home / BELOW_HOME[variable]


def whose(directory: Path) -> str:
    """Return whose a directory is where root works in another user's: what is written there becomes root's.

    Empty for everybody else, and where the owner has no name.
    """
    try:
        owner = directory.stat().st_uid
        return pwd.getpwuid(owner).pw_name if os.geteuid() == 0 and owner else ""
    except (OSError, KeyError):
        return ""
