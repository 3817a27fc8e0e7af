"""What one call of a command works on: the workspace, its assets and its tables, each loaded when first asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec

import click

from ringfence.cli.output import Output
from ringfence.model.errors import InputError, InputErrors

if TYPE_CHECKING:
    from ringfence.compiler import Compilation
    from ringfence.model.assets import Snapshot
    from ringfence.sources.inventory import Survey
    from ringfence.workspace import Workspace

P = ParamSpec("P")
SETTINGS_FILE = "ringfence.yml"


@dataclass
class Session:
    """The options that every command has, and what they lead to."""

    chosen: Path | None = None
    output: Output = field(default_factory=Output)
    _compiled: dict[bool, Compilation] = field(default_factory=dict)
    _tables: dict[bool, Compilation] = field(default_factory=dict)

    @cached_property
    def now(self) -> datetime:
        """Return the time in UTC; SOURCE_DATE_EPOCH (reproducible-builds.org) stands for it, so that plans repeat."""
        fixed = os.environ.get("SOURCE_DATE_EPOCH")
        if fixed is None:
            return datetime.now(UTC)
        try:
            return datetime.fromtimestamp(int(fixed), UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise InputError("SOURCE_DATE_EPOCH is no number of seconds since 1970") from error

    @cached_property
    def directory(self) -> Path:
        """Return the workspace's directory: the one given, else the nearest one upwards with a ringfence.yml."""
        if self.chosen is not None:
            if not self.chosen.is_dir():
                raise InputError(f"there is no directory '{self.chosen}'")
            return self.chosen.absolute()
        here = Path.cwd()
        for directory in (here, *here.parents):
            if os.path.lexists(directory / SETTINGS_FILE):
                return directory
        stem = SETTINGS_FILE.partition(".")[0]
        for path in sorted(here.iterdir()):
            if path.name.casefold() in {f"{stem}.yml", f"{stem}.yaml"}:
                raise InputError(f"'{path.name}' is not read: the file is called {SETTINGS_FILE}", remedy="rename it")
        raise InputError(
            f"no workspace: there is no {SETTINGS_FILE} here or above",
            remedy="go to one, name one with '--workspace DIR', or make one with 'ringfence init'",
        )

    @cached_property
    def workspace(self) -> Workspace:
        """Return the loaded workspace."""
        from ringfence.workspace import load

        with self.output.working("reading the workspace"):
            return load(self.directory)

    @cached_property
    def survey(self) -> Survey:
        """Return the labelled assets with every problem found on the way; those of a silent source stand."""
        from ringfence.cli.kept import newest_kept

        return self.look(lambda: newest_kept(self))

    def look(self, last: Callable[[], Snapshot | None] | None) -> Survey:
        """Return what the sources say, and of silent ones what the snapshot knew that `last` gives."""
        from ringfence.cli.kept import accepted_claims, with_first_claims
        from ringfence.sources.inventory import survey

        workspace = self.workspace
        if not workspace.inventory_paths:
            raise InputError(
                f"no inventory: there is no {workspace.directory}/inventory", remedy="put an Ansible inventory there"
            )
        with self.output.working("asking the inventory"):
            found = survey(
                workspace.inventory_paths,
                workspace.label_rules,
                workspace.settings,
                now=self.now,
                directory=workspace.directory,
                last=last,
                accepted=accepted_claims(self),
            )
        return with_first_claims(self, found)

    @cached_property
    def snapshot(self) -> Snapshot:
        """Return the assets; raises InputErrors where the survey found errors."""
        if errors := self.survey.errors():
            raise InputErrors(errors)
        return self.survey.snapshot

    @cached_property
    def compilation(self) -> Compilation:
        """Return the tables that plans are made of."""
        return self.installed()

    def installed(self, *, full: bool = False) -> Compilation:
        """Return the tables that an installed enforcer is for; with `full`, as if every mode were full."""
        from ringfence.enforcers import names

        return self._made(full=full).enforced(names())

    def compiled(self, *, full: bool = False) -> Compilation:
        """Return the tables that hosts take, which questions are answered from; with `full`, as if every mode were
        full."""
        from ringfence.enforcers import enforcer
        from ringfence.plan import read_state
        from ringfence.plan.preflight import left_out

        if full not in self._compiled:
            made = self.installed(full=full)
            self._compiled[full] = made.without(left_out(made, read_state(self.directory), enforcer))
        return self._compiled[full]

    def _made(self, *, full: bool) -> Compilation:
        from ringfence.compiler import compile_policy
        from ringfence.enforcers import abilities_of

        if full not in self._tables:
            snapshot, workspace = self.enforcers[0], self.workspace
            with self.output.working("compiling the policy"):
                policy, settings = workspace.policy, workspace.settings
                self._tables[full] = compile_policy(snapshot, policy, settings, full=full, abilities=abilities_of)
        return self._tables[full]

    @cached_property
    def enforcers(self) -> tuple[Snapshot, dict[str, str]]:
        """Return the assets with their enforcers chosen, and the reasons of those that facts decided, by host."""
        from ringfence.plan import read_state
        from ringfence.plan.enforcer_choice import chosen

        return chosen(self.snapshot, read_state(self.directory))


def command(
    name: str, *examples: str, group: click.Group | None = None
) -> Callable[[Callable[Concatenate[Session, P], None]], click.Command]:
    """Make a command of a function that takes the session; it has `--workspace` and `--json`.

    `examples` are whole command lines without the program's name; its help ends with them.
    """
    epilog = "\n".join(["\b", "Examples:", *(f"  ringfence {example}" for example in examples)]) if examples else None

    def make(function: Callable[Concatenate[Session, P], None]) -> click.Command:
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            function(click.get_current_context().ensure_object(Session), *args, **kwargs)

        wrapped = update_wrapper(run, function)
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
_json_option = click.option(
    "--json", "as_json", is_flag=True, expose_value=False, callback=_take_json, help="Print data instead."
)
