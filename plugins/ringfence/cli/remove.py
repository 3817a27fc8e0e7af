"""`ringfence remove`: take everything of Ringfence off hosts."""

from __future__ import annotations

import click

from ringfence.cli.prompts import agreed
from ringfence.cli.session import Session, command
from ringfence.model.safe_text import clean
from ringfence.wire.first_few import first_few

HOSTS_NAMED = 20


@command("remove", "remove web-1", "remove role=web --yes", hosts=True)
@click.argument("words", nargs=-1, required=True, metavar="WORD...")
@click.option("--release", is_flag=True, help="End quarantines that stand there too; else such a host refuses.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
def remove(session: Session, words: tuple[str, ...], release: bool, yes: bool) -> None:
    """Remove the table, the boot unit and the state from hosts: nothing is enforced there any more.

    WORDs choose hosts as for 'ringfence assets'.
    """
    from ringfence.operations.hosts import chosen_workloads
    from ringfence.operations.remove import remove as removed
    from ringfence.presenting.host_view import done_lines

    hosts = chosen_workloads(session.estate, words)
    if not yes:
        click.echo(
            clean(
                f"{first_few(hosts, HOSTS_NAMED)}: the table, the boot unit and the state of Ringfence will be "
                "removed, and every connection that they deny now will be allowed."
            ),
            err=True,
        )
        if not agreed(f"Remove Ringfence from {len(hosts)} {'host' if len(hosts) == 1 else 'hosts'}?"):
            click.echo("nothing was removed", err=True)
            click.get_current_context().exit(1)
    done = removed(session.estate, hosts, session.execution, release=release)
    if session.output.as_json:
        session.output.data(done.result.data())
    session.output.lines(done_lines(done, "without Ringfence"))
    click.get_current_context().exit(done.exit_status)
