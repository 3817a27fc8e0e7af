"""What the commands that forget have in common: their options, what they show first, and the question."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from typing import TYPE_CHECKING, Any

import click

from ringfence.cli.session import Session
from ringfence.model.counts import counted
from ringfence.model.errors import InputError

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.operations.forgetting import Choice, Forgetting


@dataclass(frozen=True, slots=True)
class Asked:
    """The options and words of a command that forgets."""

    keep: int | None
    before: str | None
    names: tuple[str, ...]
    yes: bool


def forget_options(
    word: str, complete: Callable[[click.Context, click.Parameter, str], list[str]] | None = None
) -> Callable[[Callable[[Session, Asked], None]], Callable[..., None]]:
    """Add the options of a command that forgets; `word` is how its help calls what it forgets, `complete` offers it."""

    def add(function: Callable[[Session, Asked], None]) -> Callable[..., None]:
        def taken(
            session: Session, keep: int | None, before: str | None, names: tuple[str, ...], yes: bool, **_more: Any
        ) -> None:
            function(session, Asked(keep, before, names, yes))

        made = update_wrapper(taken, function)
        for option in (
            click.option("--yes", is_flag=True, help="Do not ask first."),
            click.option("--before", metavar="TIME", help="From before this time alone: 30d, 2026-11-24."),
            click.option("--keep", type=click.IntRange(min=0), metavar="N", help="All but the newest N."),
            click.argument("names", nargs=-1, metavar=f"[{word}]...", shell_complete=complete),
        ):
            made = option(made)
        return made

    return add


def forget_asked(
    session: Session,
    asked: Asked,
    kind: str,
    find: Callable[[Estate, Choice], Forgetting],
    forget: Callable[[Estate, Choice, Forgetting], Forgetting],
) -> None:
    """Show what would go and what stays, ask, and forget. Raise InputError where nobody can be asked."""
    from ringfence.operations.forgetting import Choice
    from ringfence.presenting.forgetting_view import forgotten_lines, going_lines, size_text

    choice = Choice(asked.keep, asked.before, asked.names)
    shown = find(session.estate, choice)
    session.output.lines(going_lines(shown, kind))
    if shown.goes and not asked.yes:
        if not sys.stdin.isatty():
            raise InputError("nobody can be asked without a terminal; nothing was forgotten", remedy="give --yes")
        click.confirm(f"Forget {counted(len(shown.goes), kind)} ({size_text(shown.size)})?", abort=True, err=True)
    done = forget(session.estate, choice, shown) if shown.goes else shown
    if session.output.as_json:
        session.output.data(done.data())
    session.output.lines(forgotten_lines(done, kind))
    click.get_current_context().exit(done.exit_status)
