"""A group of commands whose words may also be no command: `ringfence assets diff` and `ringfence assets role=web`."""

from __future__ import annotations

from typing import Any

import click

# Options that take a word, so that what follows them is not a command.
TAKES_A_WORD = ("--workspace",)
# What a group of things does where nothing else is named.
LISTING = "list"


class DefaultGroup(click.Group):
    """Runs the command that is named first, and `otherwise` where none is; options may stand before it."""

    def __init__(self, *args: Any, otherwise: str, **kwargs: Any) -> None:
        """Take what a group takes, and the name of the command for everything else."""
        super().__init__(*args, **kwargs)
        self.otherwise = otherwise

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command first."""
        before: list[str] = []
        rest = list(args)
        while rest and rest[0].startswith("-") and rest[0] != "--help":
            before.append(rest.pop(0))
            if before[-1] in TAKES_A_WORD and rest:
                before.append(rest.pop(0))
        named = bool(rest) and (rest[0] in self.commands or rest[0] == "--help")
        return super().parse_args(ctx, [rest[0], *before, *rest[1:]] if named else [self.otherwise, *args])
