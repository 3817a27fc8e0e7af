"""The program: its commands by name, the options of all of them, and what becomes of errors."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from gettext import ngettext
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from ringfence.cli.failures import ANSWERED, asks_for_json, print_failure
from ringfence.model.errors import InputError, RingfenceError
from ringfence.model.safe_text import clean, clean_line

Told = tuple[str, str | None, str | None]  # message, place, remedy
INTERRUPTED = 130  # 128 and SIGINT, as shells have it
PROGRAM = "ringfence"
# The entry points of the terminal application, functions of the workspace (None: the nearest): `terminal` also of
# `read_only`, `browser` of what `ringfence serve` is told.
APPLICATION = "ringfence.application"
_WORKSPACE = "ringfence.workspace"

# Name, module and attribute below ringfence.cli, and the line of the overview; in the order of the work.
COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("init", "init:init", "Begin a workspace: a git repository that AWX takes as a project."),
    ("doctor", "doctor:doctor", "Look whether this machine and the hosts have what is needed."),
    ("check", "check:check", "Check all files: language, references, tests, invariants."),
    ("labels", "labels:labels", "Show every label with the rule that gave it."),
    ("discover", "discover:discover", "Ask the inventory's sources again, each seen as it answers."),
    ("assets", "assets:assets", "List or find assets."),
    ("snapshots", "snapshots:snapshots", "List the kept snapshots of the assets, and forget old ones."),
    ("flows", "flows:flows", "Collect, read and keep who talks to whom."),
    ("map", "map:map_", "Show who talks to whom, and what becomes of it; as a page, SVG, Mermaid, CSV."),
    ("suggest", "suggest:suggest", "Suggest rules for the traffic that was seen."),
    ("draft", "draft:draft", "Edit the policy without its files, see what it does, write it."),
    ("simulate", "simulate:simulate", "Judge flows under the policy as it stands in the files."),
    ("hygiene", "hygiene:hygiene", "Find rules that no flow used, or that are wider than their traffic."),
    ("lint", "lint:lint", "Find shadowed, redundant, broad and never matching rules."),
    ("explain", "explain:explain", "Say why a connection is allowed or denied."),
    ("reach", "reach:reach", "Say exactly what may talk to what."),
    ("blast", "blast:blast", "Say what an asset reaches, over how many hops, now and under the draft."),
    ("impact", "impact:impact", "Say what another label would do, before it is given."),
    ("render", "render:render", "Print what a host would get, to the byte."),
    ("export", "export:export", "Write what Kubernetes can enforce of the policy, and name the rest."),
    ("plan", "plan:plan", "Make the plan that apply takes."),
    ("show", "show:show", "Show a plan, host by host and rule by rule."),
    ("plans", "plans:plans", "List the plans of this workspace, and forget old ones."),
    ("apply", "apply:apply", "Roll a plan out, in waves, without cutting the line."),
    ("runs", "runs:runs", "List the rollouts of this workspace, and forget old ones."),
    ("attach", "runs:attach", "Follow a rollout, pause it, abort it, go on without a host."),
    ("confirm", "confirm:confirm", "Confirm what hosts hold unconfirmed."),
    ("rollback", "rollback:rollback", "Take hosts back to what they held before."),
    ("verify", "verify:verify", "Prove that hosts enforce what the plan says."),
    ("info", "info:info", "Show what hosts enforce, and what they deny or would deny."),
    ("watch", "watch:watch", "Show new flows and denials of hosts as they happen."),
    ("violations", "violations:violations", "List what a watch found against the policy, and accept what is known."),
    ("quarantine", "quarantine:quarantine", "Isolate assets now, on themselves and on every enforced peer."),
    ("release", "emergencies:release", "End a quarantine, on every host that may hold it."),
    ("allow-for", "allow_for:allow_for", "Let somebody through for a while; the kernels end it."),
    ("request", "requests:request", "Ask for a permission that somebody else approves."),
    ("approve", "requests:approve", "Sign a request."),
    ("grant", "requests:grant", "Give a permission that was approved."),
    ("end", "emergencies:end", "End a permission before its time."),
    ("emergencies", "emergencies:emergencies", "List quarantines and permissions that stand."),
    ("refresh", "refresh:refresh", "Have hosts look up the names of their policy now."),
    ("remove", "remove:remove", "Take everything of Ringfence off hosts."),
    ("lab", "lab:lab", "Raise hosts to try a policy on."),
    ("demo", "demo:demo", "The whole loop on real hosts, from nothing, in about two minutes."),
    ("serve", "serve:serve", "Open the terminal application in a browser of this machine, read-only."),
    ("schema", "schema:schema", "Print the JSON schemas of the files, for editors."),
    ("completion", "completion:completion", "Print the completion script of a shell."),
)


class Program(click.Group):
    """A group whose commands are imported when they are called, and whose errors are Ringfence's."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the work."""
        return [name for name, _, _ in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        for name, where, _ in COMMANDS:
            if name == cmd_name:
                module, _, attribute = where.partition(":")
                found: click.Command = getattr(import_module(f"ringfence.cli.{module}"), attribute)
                return found
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview without importing a command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, _, line in COMMANDS])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return what is called; a word that is not a command is answered with the nearest that is."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not ctx.resilient_parsing:
            near = get_close_matches(args[0], known, 1)
            ctx.fail(f"no command is called '{args[0]}'" + (f"; did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)

    def main(  # type: ignore[override]  # click overloads on standalone_mode, which is decided here
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run a command and leave with its exit status: 0 done, 1 the answer is no, 2 wrong input, 3 outside failed."""
        # Assets and tables are many objects that stay: looking for cycles among them again and again takes a third of
        # the time of a question on 20,000 hosts.
        gc.set_threshold(500_000, 20, 100)
        # nor does the end of the process look for cycles: that is a tenth of such a question, and frees nothing
        atexit.register(gc.freeze)
        ANSWERED.yet = False
        errors: list[Told] = []
        try:
            status = super().main(args, prog_name or PROGRAM, **{**extra, "standalone_mode": False})
        except click.exceptions.Exit as leaving:
            status = leaving.exit_code
        except (click.exceptions.Abort, KeyboardInterrupt):
            errors, status = [_say("interrupted")], INTERRUPTED
        except click.ClickException as error:
            if isinstance(error, click.UsageError) and error.ctx is not None:
                click.echo(error.ctx.get_usage(), err=True)
            errors, status = [_say(error.format_message())], 2
        except RingfenceError as error:
            errors, status = report(error), error.exit_status
        except BrokenPipeError:
            _close_output()
            status = 0
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            errors, status = [_say(f"{where}{error.strerror or error}")], 3
        if errors and asks_for_json(sys.argv[1:] if args is None else args):
            print_failure(status, errors)
        sys.exit(status if isinstance(status, int) else 0)


def report(error: RingfenceError) -> list[Told]:
    """Print an error, or all of several, to standard error: place, message, remedy. Return them."""
    errors: Sequence[RingfenceError] = getattr(error, "errors", (error,))
    for one in errors:
        place = click.style(f"{clean_line(str(one.place))}: ", bold=True) if one.place else ""
        click.echo(f"{place}{click.style('error: ', fg='red', bold=True)}{clean(one.message)}", err=True)
        if one.remedy:
            click.echo(f"  {click.style('→', fg='cyan')} {clean(one.remedy)}", err=True)
    if len(errors) > 1:
        click.echo(ngettext("%d error", "%d errors", len(errors)) % len(errors), err=True)
    return [(one.message, str(one.place) if one.place else None, one.remedy) for one in errors]


def _say(message: str) -> Told:
    click.echo(f"{click.style('error: ', fg='red', bold=True)}{clean(message)}", err=True)
    return message, None, None


def _close_output() -> None:
    """Keep Python from complaining of the closed pipe when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"{PROGRAM} {version(PROGRAM)}")
        ctx.exit()


def _take_workspace(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    """Keep the workspace for the application, and for the command where it names none itself."""
    if value is not None:
        from ringfence.cli.session import Session

        ctx.ensure_object(Session).chosen = ctx.meta[_WORKSPACE] = Path(value)


@click.group(
    cls=Program,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog="Exit status: 0 done, 1 the answer is no, 2 wrong input, 3 something outside failed.",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Say which.")
@click.option(
    "--workspace",
    metavar="DIR",
    expose_value=False,
    callback=_take_workspace,
    type=click.Path(file_okay=False),
    help="The workspace; else the nearest directory upwards with a ringfence.yml.",
)
@click.option("--read-only", is_flag=True, help="Open the terminal application so that it changes nothing.")
@click.pass_context
def main(ctx: click.Context, read_only: bool) -> None:
    """Agentless micro-segmentation: labels, a policy, a proof, and a rollout that never cuts its own line.

    \b
    The usual way:  ringfence check · plan · show · apply · verify
    To see it work: ringfence demo
    In a terminal:  ringfence, without a command, opens the application
    """
    if ctx.invoked_subcommand is None:
        ctx.exit(application("terminal")(ctx.meta.get(_WORKSPACE), read_only=read_only))
    if read_only:
        ctx.fail("--read-only is for the terminal application, which opens without a command")


def application(name: str) -> Callable[..., int]:
    """Return what opens the application in a `terminal` or a `browser`. Raise InputError where none is installed."""
    from importlib.metadata import distribution, entry_points

    # our own package is looked at first: reading what every installed package brings takes a tenth of the start
    own = distribution(PROGRAM).entry_points.select(group=APPLICATION, name=name)
    for point in own or entry_points(group=APPLICATION, name=name):
        found: Callable[..., int] = point.load()
        return found
    raise InputError(
        "the terminal application is not installed", remedy="pip install 'ringfence[tui]'; ringfence --help"
    )
