"""What one call of a command works on: its options, the estate that they lead to, and the printer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from functools import cached_property, update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec

import click

from ringfence.cli.output import Output
from ringfence.cli.password_options import password_options, taken_passwords
from ringfence.model.errors import RingfenceError

if TYPE_CHECKING:
    from ringfence.cli.listening import OutputListener
    from ringfence.estate import Estate
    from ringfence.operations.execution import Execution
    from ringfence.operations.passwords import Passwords

P = ParamSpec("P")


@dataclass
class Session:
    """The options that every command has, and what they lead to."""

    chosen: Path | None = None
    output: Output = field(default_factory=Output)
    passwords: Passwords | None = None

    @cached_property
    def listener(self) -> OutputListener:
        """Return what prints the progress of operations."""
        from ringfence.cli.listening import OutputListener

        return OutputListener(self.output)

    @cached_property
    def estate(self) -> Estate:
        """Return the workspace that was chosen, or the nearest upwards. Raise InputError where there is none."""
        from ringfence.estate import Estate
        from ringfence.estate.directory import workspace_directory

        return Estate(workspace_directory(self.chosen), self.listener)

    def ask_or_remember(self, *, fresh: bool) -> None:
        """Let a kept answer of the inventory count for this command, and its age be said beside what it prints."""
        if not fresh:
            self.estate.let_kept_count()
            self.output.age = lambda: self.estate.answer_age

    def tell_doubtful(self) -> None:
        """Say which hosts may not hold the emergencies that answers go by."""
        if self.estate.emergencies():
            from ringfence.operations.emergencies import doubtful

            self.listener.problems(doubtful(self.estate))

    def tell_standing(self) -> None:
        """Say what stands beside the files that an answer is about. What is broken stops no such answer."""
        with suppress(RingfenceError):
            if self.estate.emergencies():
                from ringfence.operations.emergencies import standing_words

                if words := standing_words(self.estate):
                    self.listener.note(words)

    @cached_property
    def execution(self) -> Execution:
        """Return how this command's operations are carried out."""
        from ringfence.operations.execution import Execution

        return Execution(self.listener, passwords=self.passwords)


def command(
    name: str,
    *examples: str,
    group: click.Group | None = None,
    question: bool = False,
    hosts: bool = False,
    inventory: bool = False,
    in_force: bool = False,
    by_files: bool = False,
) -> Callable[[Callable[Concatenate[Session, P], None]], click.Command]:
    """Make a command of a function that takes the session; it has `--workspace` and `--json`.

    `examples` are whole command lines without the program's name; its help ends with them. A `question` may be answered
    from what the inventory said last, and has `--fresh`. One that reaches `hosts`, or asks the `inventory` (as
    every question may), takes Ansible's passwords for that. One that answers by what is `in_force` says first where
    hosts may not hold it, and one that answers `by_files` alone which emergencies it leaves out.
    """
    inventory = inventory or question
    epilog = "\n".join(["\b", "Examples:", *(f"  ringfence {example}" for example in examples)]) if examples else None

    def make(function: Callable[Concatenate[Session, P], None]) -> click.Command:
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            session = click.get_current_context().ensure_object(Session)
            if question:
                session.ask_or_remember(fresh=bool(kwargs.pop("fresh")))
            if hosts or inventory:
                session.passwords = taken_passwords(kwargs)
            try:
                with session.passwords.offered() if session.passwords else nullcontext():
                    if in_force:
                        session.tell_doubtful()
                    if by_files:
                        session.tell_standing()
                    function(session, *args, **kwargs)
            finally:
                session.output.tell_age()

        wrapped: Callable[..., None] = update_wrapper(run, function)
        if question:
            wrapped = _fresh_option(wrapped)
        if hosts or inventory:
            wrapped = password_options(wrapped, hosts=hosts)
        made = click.command(name, epilog=epilog)(_workspace_option(_json_option(wrapped)))
        if group is not None:
            group.add_command(made)
        return made

    return make


def _take_workspace(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Session).chosen = Path(value)


def _take_json(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Session).output.as_json = True


_workspace_option = click.option(
    "--workspace",
    metavar="DIR",
    expose_value=False,
    callback=_take_workspace,
    type=click.Path(file_okay=False),
    help="The workspace; else the nearest directory upwards with a ringfence.yml.",
)
_fresh_option = click.option(
    "--fresh", is_flag=True, help="Ask the inventory, also where nothing that it is made of has changed."
)
_json_option = click.option(
    "--json", "as_json", is_flag=True, expose_value=False, callback=_take_json, help="Print data instead."
)
