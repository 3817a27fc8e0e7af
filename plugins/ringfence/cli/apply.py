"""`ringfence apply`: roll a plan out through Ansible, wave by wave."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence.cli.following import signals_cancel
from ringfence.cli.program import INTERRUPTED
from ringfence.cli.session import Session, command
from ringfence.cli.shell_completion_values import plan_names


@command("apply", "apply 5f3a", "apply latest --json")
@click.argument("name", metavar="PLAN", shell_complete=plan_names)
@click.option("--limit", multiple=True, metavar="HOST", help="These hosts alone; earlier waves must be confirmed.")
@click.option("--excuse", multiple=True, metavar="HOST", help="Let the next wave begin without this host.")
@click.option("--renew", is_flag=True, help="Load the table also where it stands already, as after drift.")
@click.option("--check", is_flag=True, help="Say what would change; change nothing.")
@click.option(
    "--confirm-within",
    type=click.IntRange(5, 3600),
    default=30,
    show_default=True,
    help="Seconds after which a host that was not confirmed goes back by itself.",
)
@click.option("--allowed-signers", type=click.Path(path_type=Path, dir_okay=False), help="Who may sign (ssh-keygen).")
@click.option("--force-lockout-test", is_flag=True, hidden=True)
def apply(
    session: Session,
    name: str,
    limit: tuple[str, ...],
    excuse: tuple[str, ...],
    renew: bool,
    check: bool,
    confirm_within: int,
    allowed_signers: Path | None,
    force_lockout_test: bool,
) -> None:
    """Roll PLAN out: a canary, then growing waves; each host confirms over a new connection or goes back."""
    from ringfence.operations.apply import ApplyRequest
    from ringfence.operations.apply import apply as applied
    from ringfence.operations.runs import apply_as_run
    from ringfence.presenting.rollout_view import interrupted_lines, rollout_lines

    request = ApplyRequest(name, limit, excuse, renew, check, confirm_within, allowed_signers, force_lockout_test)
    if check:
        done = applied(session.estate, request, session.execution)
    else:
        with signals_cancel(session.execution.cancel):
            done = apply_as_run(session.estate, request, session.execution)
    if session.output.as_json:
        session.output.data({"plan": done.plan.digest, **done.result.data()})
    else:
        session.output.lines(rollout_lines(done))
    if not check and (done.interrupted or done.left_in_between):
        session.output.notes(interrupted_lines(done))
    click.get_current_context().exit(INTERRUPTED if done.interrupted else done.exit_status)
