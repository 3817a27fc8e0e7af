"""What a command that fails prints with `--json`: an object with the errors, where it printed no data before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import click

JSON = "--json"


@dataclass(slots=True)
class Answered:
    """Whether the command that runs has printed its data."""

    yet: bool = False


ANSWERED = Answered()


def asks_for_json(words: Sequence[str]) -> bool:
    """Return whether a command line has `--json` among its options."""
    return JSON in words[: words.index("--")] if "--" in words else JSON in words


def print_failure(status: int, errors: Sequence[tuple[str, str | None, str | None]]) -> None:
    """Print errors, each a message, a place and a remedy, in one line: what prints an object a line stays readable."""
    if ANSWERED.yet:
        return
    told = [{"message": message, "place": place, "remedy": remedy} for message, place, remedy in errors]
    click.echo(json.dumps({"ok": False, "exit_status": status, "errors": told}))
