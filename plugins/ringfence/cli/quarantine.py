"""`ringfence quarantine`: isolate assets now, on themselves and on every enforced peer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ringfence.cli.following import signals_cancel
from ringfence.cli.program import INTERRUPTED
from ringfence.cli.prompts import agreed, declined
from ringfence.cli.session import Session, command
from ringfence.cli.shell_completion_values import asset_names

if TYPE_CHECKING:
    from ringfence.model.emergencies import Order
    from ringfence.operations.cut_flows import SeenCut


@command(
    "quarantine",
    "quarantine web-3 --because 'scans the network'",
    "quarantine role=web --keep role=jump --for 4h --because 'ticket 4711' --yes",
    "quarantine web-3 web-4 --because 'ticket 4711'",
    "quarantine q-1a2b3c4d",
    hosts=True,
)
@click.argument("what", metavar="SELECTOR...|ID", nargs=-1, required=True, shell_complete=asset_names)
@click.option("--keep", multiple=True, metavar="SELECTOR", help="Whom the isolated may still reach, and be reached by.")
@click.option("--because", default="", metavar="TEXT", help="Why; it stands in every answer. Needed for a new one.")
@click.option("--for", "within", default="", metavar="SPAN", help="End by itself after 90s, 30m, 4h, 2d.")
@click.option("--direct", is_flag=True, help="Over bare ssh, 50 hosts at once, without Ansible.")
@click.option("--variables", is_flag=True, help="Print the variables of the playbook 'quarantine'; reach no host.")
@click.option("--yes", is_flag=True, help="Do not ask first; what it cuts is shown afterwards.")
def quarantine(
    session: Session,
    what: tuple[str, ...],
    keep: tuple[str, ...],
    because: str,
    within: str,
    direct: bool,
    variables: bool,
    yes: bool,
) -> None:
    """Isolate what each SELECTOR means: nothing but Ansible's way and what is kept passes, in either direction.

    Says first what that cuts. Standing connections stop at once. An ID of a quarantine that stands tries again where
    it was not reached. Exit status 4: some hosts hold it, others do not.
    """
    from ringfence.operations.emergency_ends import direct_execution
    from ringfence.operations.emergency_hosts import variables_of
    from ringfence.operations.quarantine import QuarantineRequest, quarantine_of
    from ringfence.operations.quarantine import quarantine as carried_out
    from ringfence.presenting.emergency_view import carried_lines, cut_lines, left_to_playbook

    cut = quarantine_of(session.estate, QuarantineRequest(what, keep, because, within), session.execution)
    if variables:
        session.output.notes((*cut_lines(cut), *left_to_playbook(cut.order)))
        session.output.data(variables_of(session.estate, cut.order, cut.entries))
        return
    session.output.lines(cut_lines(cut))
    seen = None
    if not yes:
        seen = _seen(session, cut.order)
        if not agreed("Isolate now?"):
            declined(session.output, "nothing was changed")
    execution = direct_execution(session.estate, session.execution) if direct else session.execution
    with signals_cancel(execution.cancel):
        done = carried_out(session.estate, cut, execution)
    session.output.lines(carried_lines(done))
    if seen is None:
        seen = _seen(session, cut.order)
    if session.output.as_json:
        session.output.data({**done.data(), **cut.data(), "cuts": [one.data() for one in seen]})
    click.get_current_context().exit(INTERRUPTED if done.interrupted else done.exit_status)


def _seen(session: Session, order: Order) -> list[SeenCut]:
    """Print and return what an isolation cuts of the flows that were seen; nothing is loaded for it before."""
    from ringfence.operations.cut_flows import cut_flows
    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.presenting.emergency_view import seen_lines

    flows = FlowSelection()
    seen = cut_flows(session.estate, order, flows, session.execution)
    session.output.lines(seen_lines(seen, flows.words()))
    return seen
