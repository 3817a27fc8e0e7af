"""`ringfence demo`: the whole loop on real hosts, from nothing to a proof, and what happens to mistakes."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Literal, NoReturn

import click

from ringfence.cli.session import Session, command

if TYPE_CHECKING:
    from ringfence.cli.demonstration.stage import Stage
    from ringfence.lab.session import Lab


@command("demo", "demo", "demo --keep")
@click.option(
    "--kind",
    type=click.Choice(["auto", "machines", "namespaces"]),
    default="auto",
    show_default=True,
    help="The hosts: whole Debian systems (root) or network namespaces; auto takes what this machine can do.",
)
@click.option("--keep", is_flag=True, help="Leave the lab and the workspace to look at.")
@click.option("--name", default="demo", show_default=True, help="The name of the lab.")
def demo(session: Session, kind: Literal["auto", "machines", "namespaces"], keep: bool, name: str) -> None:
    """Raise a shop of a dozen hosts and walk it: discover, label, watch, plan, simulate, apply, prove, verify.

    Then try to lock yourself out, and see it refused and undone. Nothing on this machine changes; the lab is taken away
    at the end, also after an interrupt.
    """
    from ringfence.cli.demonstration.stage import Stage
    from ringfence.cli.demonstration.walk import Walk
    from ringfence.cli.lab import lab_progress
    from ringfence.lab.estate import shop
    from ringfence.lab.session import open_lab

    lab = open_lab(name)
    with _workspace(keep=keep) as directory:
        stage = Stage(directory, session.output)
        with stage.step("Raise the hosts: a shop in two environments") as step:
            with session.output.progress() as shown:
                lab.up(shop(mixed=True), kind, lab_progress(session, shown), stay=keep)
            status = lab.status()
            step.found["kind"] = status[0].kind
            session.output.table(
                ("host", "kind", "release", "addresses"),
                ((host.name, host.kind, host.release, " ".join(host.addresses)) for host in status),
            )
        with _taken_away(lab, session, keep=keep):
            processes = _processes(status[0].kind)
            if not processes:
                stage.say("no control groups of their own here: the rules of this walk speak of hosts alone", "yellow")
            Walk(stage, lab, processes=processes).all()
        _end(session, stage, name, kept=keep)


def _end(session: Session, stage: Stage, name: str, *, kept: bool) -> None:
    """Say that all was shown, and in how long."""
    seconds = round(sum(step.seconds for step in stage.steps), 1)
    if session.output.as_json:
        steps = [{"title": step.title, "seconds": step.seconds, **step.found} for step in stage.steps]
        session.output.data({"ok": True, "seconds": seconds, "steps": steps})
    session.output.line()
    session.output.line(f"All shown in {seconds} s.", style="green", bold=True)
    if kept:
        session.output.line(f"workspace: {stage.directory}")
        session.output.line(f"look at it in the application: ringfence --workspace {stage.directory}")
        session.output.line(f"a shell on a host: ringfence lab shell web-1 --name {name}")
        session.output.line(f"the end: ringfence lab down --name {name}")
    else:
        session.output.line("to do it yourself: ringfence in an empty directory opens the application, l the demo lab")


def _processes(kind: str) -> bool:
    """Return whether rules may name units: machines have control groups, namespaces where this machine lets them."""
    from ringfence.lab.probe import probe

    return kind == "machines" or not probe().processes


@contextmanager
def _workspace(*, keep: bool) -> Iterator[Path]:
    """Give a directory for the workspace, which goes at the end unless it is kept."""
    if keep:
        yield Path(tempfile.mkdtemp(prefix="ringfence-demo-"))
        return
    with tempfile.TemporaryDirectory(prefix="ringfence-demo-") as directory:
        yield Path(directory)


@contextmanager
def _taken_away(lab: Lab, session: Session, *, keep: bool) -> Iterator[None]:
    """Take the lab down at the end, also when the walk is interrupted or told to end."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        if not keep:
            session.output.note("taking the lab down")
            lab.down()
        signal.signal(signal.SIGTERM, before)
