"""`ringfence reach`: exactly what may talk to what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ringfence.cli.session import Session, command

if TYPE_CHECKING:
    from ringfence.model.tables import ProcessClass


@command("reach", "reach --to role=db", "reach --from env=dev --to env=prod --full", "reach --json --by address")
@click.option(
    "--from", "sources", metavar="S", default="any", help="A selector: role=web,env=prod, {not: {…}}, a CIDR."
)
@click.option("--to", "destinations", metavar="S", default="any", help="A selector.")
@click.option("--by", type=click.Choice(["asset", "address"]), default="asset", help="A row for every pair of these.")
@click.option("--full", is_flag=True, help="As if every mode were full.")
def reach(session: Session, sources: str, destinations: str, by: str, full: bool) -> None:
    """Say what may talk to what, for all assets, ports and processes, without the built-ins."""
    from ringfence.analysis.reach import reach as reached
    from ringfence.cli.asking import Asking
    from ringfence.model.services import service_texts

    asking = Asking(session.workspace, session.snapshot)
    rows = reached(
        session.compiled(full=full),
        asking.selectors(sources),
        asking.selectors(destinations),
        by_address=by == "address",
    )
    if session.output.as_json:
        session.output.data({"rows": [row.data() for row in rows]})
        return
    session.output.table(
        ("from", "process", "to", "process", "services"),
        (
            (
                row.client,
                _process(row.client_process),
                row.server,
                _process(row.server_process),
                ", ".join(service_texts(row.services)),
            )
            for row in rows
        ),
    )


def _process(process: ProcessClass | None) -> str:
    if process is None:
        return ""
    return str(process) or "any other"
