"""`ringfence refresh`: have hosts look up the names of their policy now."""

from __future__ import annotations

import click

from ringfence.cli.session import Session, command


@command("refresh", "refresh", "refresh role=web")
@click.argument("words", nargs=-1, metavar="[WORD]...")
def refresh(session: Session, words: tuple[str, ...]) -> None:
    """Look up the DNS names that hosts' rules speak of; WORDs choose hosts as for 'ringfence assets'.

    Hosts do that by themselves every five minutes. Their tables stay as they are.
    """
    from ringfence.operations.refresh import refresh as refreshed
    from ringfence.presenting.host_view import done_lines

    done = refreshed(session.estate, words, session.execution)
    if session.output.as_json:
        session.output.data(done.result.data())
    session.output.lines(done_lines(done, "refreshed"))
    click.get_current_context().exit(done.exit_status)
