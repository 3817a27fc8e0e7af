"""`ringfence verify`: prove that hosts enforce what a plan says, or say what differs in the words of the policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from ringfence.cli.completing import plan_names
from ringfence.cli.program import INTERRUPTED
from ringfence.cli.session import Session, command
from ringfence.cli.text import clean_line
from ringfence.model.errors import InputError, RingfenceError
from ringfence.model.problems import Problem, Severity
from ringfence.workspace import PLANS

if TYPE_CHECKING:
    from ringfence.rollout import HostOutcome

TOLD = ("drift", "differences", "not_proven", "dead_elements", "leftovers", "standing", "answers")


@command("verify", "verify", "verify --json")
@click.argument("name", metavar="[PLAN]", required=False, shell_complete=plan_names)
@click.option("--limit", multiple=True, metavar="HOST", help="These hosts alone.")
def verify(session: Session, name: str | None, limit: tuple[str, ...]) -> None:
    """Read the kernels' tables back and compare them exactly with PLAN, by default the last that hosts confirmed."""
    from ringfence.cli.apply import chosen_plan
    from ringfence.cli.asked import keep_answers
    from ringfence.cli.driving import drive, exit_status
    from ringfence.plan.journals import last_confirmed, marks
    from ringfence.rollout import Interrupted

    if name is None:
        last = last_confirmed(session.directory / PLANS)
        if last is None:
            raise InputError("no host has confirmed a plan yet", remedy="name one: ringfence verify PLAN")
        name = str(last)
    plan, directory = chosen_plan(session, name)
    marked = marks(session.directory / PLANS)
    interrupted = False
    try:
        outcome = drive(session, "verify", {"ringfence_plan": str(directory)}, sorted(plan.hosts), limit=limit)
    except Interrupted as stopped:
        outcome, interrupted = stopped.outcome, True
    held = {name: host.result["held"] for name, host in outcome.hosts.items() if "held" in host.result}
    told = {name: one for name, one in held.items() if isinstance(one, Mapping)}
    try:
        problems = keep_answers(session, told, marked)
    except RingfenceError as error:
        # what was proven is told all the same
        problems = [Problem(Severity.WARNING, error.message, error.place, error.remedy)]
    session.output.problems(problems, err=True)
    if session.output.as_json:
        hosts = [
            {**host.data(), **{key: host.result[key] for key in TOLD if key in host.result}}
            for _, host in sorted(outcome.hosts.items())
        ]
        session.output.data({"plan": plan.digest, "ok": outcome.ok, "interrupted": interrupted, "hosts": hosts})
    else:
        for _, host in sorted(outcome.hosts.items()):
            _host(session, host)
        well = sum(host.ok for host in outcome.hosts.values())
        session.output.line(
            f"plan {plan.short}: {well}/{len(outcome.hosts)} hosts proven"
            + (", then interrupted" if interrupted else ""),
            style="green" if outcome.ok else "red",
            bold=True,
        )
    click.get_current_context().exit(INTERRUPTED if interrupted else exit_status(outcome))


def _host(session: Session, host: HostOutcome) -> None:
    say = session.output.line
    name = clean_line(host.host)
    drift = host.result.get("drift")
    if isinstance(drift, list) and drift:
        say(f"{name}: drift", style="red", bold=True)
        for sentence in drift:
            say(f"  {clean_line(str(sentence))}")
    elif not host.ok:
        say(f"{name}: {host.state}" + (f": {clean_line(host.reason)}" if host.reason else ""), style="red")
    answers = host.result.get("answers")
    for asked, found in answers.items() if isinstance(answers, dict) else ():
        say(f"{name}: {asked} is {', '.join(map(_answer, found)) or 'not answered here: nothing is a member'}")
    foreign = host.result.get("not_proven")
    if isinstance(foreign, list) and foreign:
        say(f"{name}: not proven for what these touch: {'; '.join(map(str, foreign))}", style="yellow")


def _answer(found: Mapping[str, object]) -> str:
    return f"{found['address']} (given {found['age']} s ago)"
