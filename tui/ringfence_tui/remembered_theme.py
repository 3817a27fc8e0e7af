"""The theme that a person chose, kept in their own state directory: never in the workspace, which is shared."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ringfence.files import PRIVATE, own_file, write_whole

FILE = "theme"
VARIABLE = "RINGFENCE_THEME"
WORDS = ("dark", "light", "terminal")


def theme_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the file, which need not exist. Raise RuntimeError where nobody knows the user's home."""
    return Path(environment.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "ringfence" / FILE


def chosen_theme(environment: Mapping[str, str]) -> str:
    """Return the word of the theme that `RINGFENCE_THEME` names, else of the remembered one; empty for neither."""
    return next((word for word in (environment.get(VARIABLE), _remembered(environment)) if word in WORDS), "")


def remember(word: str) -> None:
    """Keep a theme for the next start, in one step. Raise OSError, RuntimeError.

    Where `RINGFENCE_THEME` names one, which counts before it, nothing is kept.
    """
    if word in WORDS and os.environ.get(VARIABLE) not in WORDS:
        write_whole(theme_file(), f"{word}\n", PRIVATE)


def _remembered(environment: Mapping[str, str]) -> str:
    try:
        return own_file(theme_file(environment)).decode(errors="replace").strip()
    except (OSError, RuntimeError, ValueError):  # a broken place is no reason not to begin
        return ""
