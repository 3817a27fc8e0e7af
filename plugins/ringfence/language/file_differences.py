"""Texts of files before and after as a unified difference, as git takes it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import unified_diff


def unified(texts: Iterable[tuple[str, str | None, str]]) -> str:
    """Return the difference of files: the name of each, its text before (None for a new file), and after."""
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for name, before, after in texts
        for line in unified_diff(
            (before or "").splitlines(keepends=True),
            after.splitlines(keepends=True),
            f"a/{name}" if before is not None else "/dev/null",
            f"b/{name}",
        )
    )
