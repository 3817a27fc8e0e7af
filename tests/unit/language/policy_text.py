"""Policy files made of text for the tests of the language."""

from __future__ import annotations

import textwrap
from pathlib import Path

from ringfence.language import load_policy
from ringfence.model.errors import InputErrors
from ringfence.model.rules import Policy, Settings


def written(directory: Path, text: str, name: str = "policy/shop.yml") -> Path:
    """Write a text, its common indentation removed, to a file and return its path."""
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8", newline="")
    return path


def policy_of(directory: Path, *texts: str, settings: Settings | None = None) -> Policy:
    """Return the policy that texts say, each a file of its own: `policy/shop.yml`, then `policy/shop2.yml`, …"""
    paths = [written(directory, text, f"policy/shop{number or ''}.yml") for number, text in enumerate(texts)]
    return load_policy(paths, settings or Settings(), directory)


def errors_of(directory: Path, *texts: str) -> list[tuple[str, str, str | None]]:
    """Return place, message and remedy of every error in the texts; none where there are none."""
    try:
        policy_of(directory, *texts)
    except InputErrors as found:
        return [(str(error.place), error.message, error.remedy) for error in found.errors]
    return []
