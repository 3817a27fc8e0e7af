"""Questions of commands: asked on standard error, and answered on standard input or, before they come, by `--yes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import click

from ringfence.model.errors import InputError

if TYPE_CHECKING:
    from ringfence.cli.output import Output


def agreed(question: str) -> bool:
    """Return whether a person says yes. Raise InputError where standard input ends without an answer.

    What was interrupted at the question ends as every interrupted command does.
    """
    try:
        return click.confirm(question, err=True)
    except click.Abort as ended:
        if isinstance(ended.__context__, EOFError):
            click.echo(err=True)
            message = "nobody answered the question: standard input is at its end"
            raise InputError(message, remedy="answer it in a terminal, or say before that it is meant: --yes") from None
        raise


def declined(output: Output, note: str) -> NoReturn:
    """Say that the answer was no and leave with status 1."""
    if output.as_json:
        output.data({"ok": False, "declined": True})
    output.note(note)
    click.get_current_context().exit(1)
