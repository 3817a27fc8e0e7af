"""`ringfence reach`: exactly what may talk to what."""

from __future__ import annotations

import click

from ringfence.cli.session import Session, command


@command(
    "reach",
    "reach --to role=db",
    "reach --from env=dev --to env=prod --full",
    "reach --json --by address",
    question=True,
    in_force=True,
)
@click.option(
    "--from", "sources", metavar="S", default="any", help="A selector: role=web,env=prod, {not: {…}}, a CIDR."
)
@click.option("--to", "destinations", metavar="S", default="any", help="A selector.")
@click.option("--by", type=click.Choice(["asset", "address"]), default="asset", help="A row for every pair of these.")
@click.option("--full", is_flag=True, help="As if every mode were full.")
def reach(session: Session, sources: str, destinations: str, by: str, full: bool) -> None:
    """Say what may talk to what, for all assets, ports and processes, without the built-ins."""
    from ringfence.operations.reach import reach as reached
    from ringfence.presenting.reach_rows import COLUMNS, reach_rows

    rows = reached(session.estate, sources, destinations, session.execution, by_address=by == "address", full=full)
    if session.output.as_json:
        session.output.data({"rows": [row.data() for row in rows]})
        return
    session.output.table(COLUMNS, reach_rows(rows))
