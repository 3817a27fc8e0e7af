"""`ringfence apply`: roll a plan out through Ansible, wave by wave."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringfence.cli.completing import plan_names
from ringfence.cli.program import INTERRUPTED
from ringfence.cli.session import Session, command
from ringfence.model.errors import InputError
from ringfence.workspace import PLANS

if TYPE_CHECKING:
    from ringfence.plan import Plan
    from ringfence.rollout import Outcome


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
    from ringfence.cli.driving import drive, exit_status
    from ringfence.rollout import Interrupted

    plan, directory = chosen_plan(session, name)
    if plan.expired(session.now):
        raise InputError(f"plan {plan.short} was valid until {plan.valid_until}", remedy="make a new one")
    unknown = sorted({*limit, *excuse} - plan.hosts.keys())
    if unknown:
        raise InputError(f"plan {plan.short} says nothing of {', '.join(unknown)}")
    try:
        outcome = drive(
            session,
            "rollout",
            {
                "ringfence_plan": str(directory),
                "ringfence_confirm_within": confirm_within,
                "ringfence_excused": list(excuse),
                "ringfence_allowed_signers": str(allowed_signers.absolute()) if allowed_signers else None,
                "ringfence_renew": True if renew else None,
                "ringfence_force_lockout_test": True if force_lockout_test else None,
            },
            sorted(plan.hosts),
            waves=plan.waves if not limit else [[host for host in wave if host in limit] for wave in plan.waves],
            limit=limit,
            check=check,
        )
    except Interrupted as stopped:
        _report(session, plan, stopped.outcome, check=check)
        if not check:
            _say_interrupted(session, plan, stopped.outcome, confirm_within, limit)
        click.get_current_context().exit(INTERRUPTED)
    _report(session, plan, outcome, check=check)
    if not check and any(host.state == "interrupted" for host in outcome.hosts.values()):
        _say_interrupted(session, plan, outcome, confirm_within, limit)
    click.get_current_context().exit(exit_status(outcome))


def chosen_plan(session: Session, name: str) -> tuple[Plan, Path]:
    """Return a plan with its directory, every file of it checked."""
    from ringfence.plan import find, read, verify_files

    directory = find(session.directory / PLANS, name).absolute()
    plan = read(directory)
    verify_files(directory, plan)
    return plan, directory


def _report(session: Session, plan: Plan, outcome: Outcome, *, check: bool) -> None:
    from ringfence.cli.driving import tell_failed

    if session.output.as_json:
        session.output.data({"plan": plan.digest, **outcome.data()})
        return
    for name, host in sorted(outcome.hosts.items()):
        _standing(session, name, host.result.get("standing_denied"), cut=plan.hosts[name].cut)
    changed = sum(host.changed for host in outcome.hosts.values())
    well = sum(host.ok for host in outcome.hosts.values())
    hold, change = ("would hold it", "would change") if check else ("hold it", "changed")
    session.output.line(
        f"plan {plan.short}: {well}/{len(outcome.hosts)} hosts {hold}, {changed} {change}",
        style="green" if outcome.ok else "red",
        bold=True,
    )
    tell_failed(session, outcome)


def _say_interrupted(
    session: Session, plan: Plan, outcome: Outcome, confirm_within: int, limit: tuple[str, ...]
) -> None:
    """Say what becomes of hosts that an interrupt left in between, and what a person can do."""
    say = session.output.note
    say("interrupted", style="red")
    chosen = "".join(f" --limit {shlex.quote(host)}" for host in limit)
    if any(host.state == "interrupted" for host in outcome.hosts.values()):
        confirm, rollback = (f"ringfence {verb} {plan.short}{chosen}" for verb in ("confirm", "rollback"))
        say(f"  a host that waits for its confirmation goes back by itself within {confirm_within} s")
        say(f"  → keep what waits: {confirm}; take it back now: {rollback}")
    say(f"  → go on: ringfence apply {plan.short}{chosen}; hosts that hold the plan are not touched")


def _standing(session: Session, name: str, connections: object, *, cut: bool) -> None:
    """Say what became of the connections that stood before and that the new table denies."""
    told = [one for one in connections if isinstance(one, dict)] if isinstance(connections, list) else []
    denied = sum(one.get("certain") is not False for one in told)
    unsure = len(told) - denied
    if denied:
        became = "ended" if cut else "let stand (cut: true would end them)"
        session.output.line(f"{name}: {denied} standing connections are denied now, and were {became}", style="yellow")
    if unsure:
        session.output.line(f"{name}: {unsure} standing connections depend on their process, and were let stand")
