"""The theme that a person chose, kept in their own state directory: never in the workspace, which is shared."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ringfence.files import PRIVATE, own_file, write_whole
from ringfence.model.errors import InputError
from ringfence.user_directories import user_directory

FILE = "theme"
VARIABLE = "RINGFENCE_THEME"
WORDS = ("dark", "light", "terminal")


def theme_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the file, which need not exist. Raise InputError where nobody knows the user's home."""
    return user_directory("XDG_STATE_HOME", environment) / "ringfence" / FILE


def chosen_theme(environment: Mapping[str, str]) -> str:
    """Return the word of the theme that `RINGFENCE_THEME` names, else of the remembered one; empty for neither."""
    return next((word for word in (environment.get(VARIABLE), _remembered(environment)) if word in WORDS), "")


def remember(word: str) -> str:
    """Keep a theme for the next start, in one step; return why it is not kept, empty where it is."""
    if word not in WORDS:
        return "there is no such theme"
    if os.environ.get(VARIABLE) in WORDS:
        return f"{VARIABLE} chooses the next time"
    try:
        write_whole(theme_file(), f"{word}\n", PRIVATE)
    except OSError as error:
        return f"{error.filename or theme_file()}: {error.strerror}"
    except InputError as error:
        return error.message
    return ""


def _remembered(environment: Mapping[str, str]) -> str:
    try:
        return own_file(theme_file(environment)).decode(errors="replace").strip()
    except (OSError, InputError, ValueError):  # a broken place is no reason not to begin
        return ""
