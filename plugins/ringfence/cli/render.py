"""`ringfence render`: what a host would get, to the byte."""

from __future__ import annotations

from difflib import get_close_matches

import click

from ringfence.cli.completing import asset_names
from ringfence.cli.session import Session, command
from ringfence.model.errors import InputError


@command("render", "render web-1")
@click.argument("host", shell_complete=asset_names)
@click.option("--enforcer", metavar="NAME", help="Another backend than the host's own.")
def render(session: Session, host: str, enforcer: str | None) -> None:
    """Print the ruleset that HOST would get."""
    from ringfence.enforcers import enforcer as enforcer_named

    compilation = session.compilation
    table = compilation.tables.get(host) or compilation.unenforced.get(host)
    asset = compilation.snapshot.named().get(host)
    if table is None:
        raise InputError(*_why_none(host, sorted(compilation.tables), asset is not None))
    name = enforcer or (asset.enforcer if asset else "nftables")
    text = enforcer_named(name).render(table)
    if session.output.as_json:
        session.output.data({"host": host, "enforcer": name, "table": table.digest, "ruleset": text})
        return
    click.echo(text.encode(), nl=False)


def _why_none(host: str, workloads: list[str], known: bool) -> tuple[str, None, str]:
    if known:
        return f"'{host}' is no workload, or has no address: nothing is enforced on it", None, "ringfence assets"
    near = get_close_matches(host, workloads, 1)
    return f"no asset is named '{host}'", None, f"did you mean '{near[0]}'?" if near else "ringfence assets lists them"
