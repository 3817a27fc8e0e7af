"""`ringfence verify`: prove that hosts enforce what a plan says, or say what differs in the words of the policy."""

from __future__ import annotations

import click

from ringfence.cli.program import INTERRUPTED
from ringfence.cli.session import Session, command
from ringfence.cli.shell_completion_values import plan_names


@command("verify", "verify", "verify --json", hosts=True)
@click.argument("name", metavar="[PLAN]", required=False, shell_complete=plan_names)
@click.option("--limit", multiple=True, metavar="HOST", help="These hosts alone.")
def verify(session: Session, name: str | None, limit: tuple[str, ...]) -> None:
    """Read the kernels' tables back and compare them exactly with PLAN, by default the last that hosts confirmed."""
    from ringfence.operations.verify import verify as verified
    from ringfence.presenting.host_view import emergency_lines
    from ringfence.presenting.proof_view import proof_data, proof_lines

    done = verified(session.estate, name, limit, session.execution)
    if session.output.as_json:
        session.output.data(proof_data(done))
    else:
        session.output.lines(emergency_lines(done))
        session.output.lines(proof_lines(done))
    click.get_current_context().exit(INTERRUPTED if done.interrupted else done.exit_status)
