"""`ringfence info`: what hosts enforce now, and what they denied or would have denied, by rule."""

from __future__ import annotations

import click

from ringfence.cli.session import Session, command


@command("info", "info", "info role=web --denials", "info web-1 --json", hosts=True)
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option("--denials", is_flag=True, help="Also every peer that was denied or would be, by rule.")
def info(session: Session, words: tuple[str, ...], denials: bool) -> None:
    """Ask hosts what they enforce; WORDs choose hosts as for 'ringfence assets'. Nothing is changed on them."""
    from ringfence.operations.info import info as asked
    from ringfence.presenting.beside_view import beside_lines
    from ringfence.presenting.host_view import (
        DENIAL_COLUMNS,
        STATE_COLUMNS,
        denial_rows,
        done_lines,
        emergency_lines,
        forward_lines,
        host_data,
        state_rows,
    )

    done = asked(session.estate, words, session.execution)
    if session.output.as_json:
        session.output.data(host_data(done))
    else:
        session.output.table(STATE_COLUMNS, state_rows(done))
        if denials:
            session.output.line()
            session.output.table(DENIAL_COLUMNS, denial_rows(done))
        session.output.lines(emergency_lines(done))
        session.output.lines(forward_lines(done))
        session.output.lines(beside_lines(done.result.hosts))
        session.output.lines(done_lines(done, "answered"))
    click.get_current_context().exit(done.exit_status)
