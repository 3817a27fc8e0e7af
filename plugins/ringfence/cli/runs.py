"""`ringfence runs` and `ringfence attach`: the rollouts of a workspace, followed, steered and forgotten."""

from __future__ import annotations

import click

from ringfence.cli.default_group import LISTING, DefaultGroup
from ringfence.cli.forgetting import Asked, forget_asked, forget_options
from ringfence.cli.program import INTERRUPTED
from ringfence.cli.session import Session, command
from ringfence.model.problems import Problem, Severity
from ringfence.model.safe_text import clean_line


@click.group("runs", cls=DefaultGroup, otherwise=LISTING)
def runs() -> None:
    """List the rollouts of this workspace, and forget old ones."""


@command(LISTING, "runs", "runs --json", group=runs)
def listing(session: Session) -> None:
    """List the rollouts of this workspace, the newest last."""
    from ringfence.operations.runs import begun_runs

    found, damaged = begun_runs(session.estate)
    session.output.problems(
        (Problem(Severity.WARNING, one.error.message, one.error.place, one.error.remedy) for one in damaged), err=True
    )
    if session.output.as_json:
        session.output.data([one.data() for one in found])
        return
    session.output.table(
        ("run", "plan", "state", "by", "commit", "#hosts"),
        (
            (
                one.directory.id,
                one.facts.plan[:12],
                one.state,
                clean_line(one.facts.who),
                one.facts.commit[:12],
                len(one.facts.hosts),
            )
            for one in found
        ),
    )


@command("forget", "runs forget --keep 20", "runs forget --before 30d --yes", group=runs)
@forget_options("RUN")
def forget(session: Session, asked: Asked) -> None:
    """Forget what was kept of rollouts: RUNs, or all that the options mean.

    A run that works, and one whose outcome a host may still wait on, stay.
    """
    from ringfence.operations.forget_runs import forget_runs, runs_to_forget

    forget_asked(session, asked, "run", runs_to_forget, forget_runs)


@command("attach", "attach", "attach --pause", "attach --excuse web-3", "attach --abort")
@click.argument("name", metavar="[RUN]", required=False)
@click.option("--pause/--resume", default=None, help="Hold before the next wave; go on.")
@click.option("--abort", is_flag=True, help="End it now; hosts that wait for their confirmation go back by themselves.")
@click.option("--roll-back", "back", is_flag=True, help="Abort it, then bring back what its hosts held before.")
@click.option("--excuse", multiple=True, metavar="HOST", help="Go on without this host where it fails.")
def attach(
    session: Session, name: str | None, pause: bool | None, abort: bool, back: bool, excuse: tuple[str, ...]
) -> None:
    """Follow RUN (its first characters; the newest unless said) to its end. Ctrl-C looks away and lets it run.

    With an option it steers the run instead, and returns.
    """
    from ringfence.operations.run_rollback import roll_back_run
    from ringfence.operations.runs import find_run, follow, refuse_ended
    from ringfence.presenting.rollout_view import rollout_lines

    run = find_run(session.estate, name)
    if back:
        way = roll_back_run(session.estate, run)
        if session.output.as_json:
            session.output.data({"id": run.id, "back": way.plan})
        session.output.line(
            f"run {run.id} is ending; then plan {way.plan} comes back, in a run of its own: 'ringfence attach'"
        )
        return
    if pause is not None or abort or excuse:
        refuse_ended(run, excuse)
        wanted = run.steer(pause=pause, abort=abort, excuse=excuse)
        if session.output.as_json:
            session.output.data({"id": run.id, "pause": wanted.pause, "abort": wanted.abort, "excuse": wanted.excuse})
        for option, does in (
            (pause is True, "will hold before its next wave; 'ringfence attach --resume' lets it go on"),
            (pause is False, "goes on"),
            (abort, "is ending; hosts that wait for their confirmation go back by themselves"),
            (excuse, f"goes on without {', '.join(map(clean_line, excuse))} where that fails"),
        ):
            if option:
                session.output.line(f"run {run.id} {does}")
        return
    try:
        done = follow(session.estate, run, session.execution)
    except KeyboardInterrupt:
        session.output.note(f"run {run.id} goes on; 'ringfence attach' follows it again")
        click.get_current_context().exit(0)
    if done is None:
        return
    if session.output.as_json:
        session.output.data({"id": run.id, "plan": done.plan.digest, **done.result.data()})
    session.output.lines(rollout_lines(done))
    click.get_current_context().exit(INTERRUPTED if done.interrupted else done.exit_status)
