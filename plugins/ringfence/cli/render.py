"""`ringfence render`: what a host would get, to the byte."""

from __future__ import annotations

import click

from ringfence.cli.completing import asset_names
from ringfence.cli.session import Session, command
from ringfence.language.reports import did_you_mean, nearest
from ringfence.model.errors import InputError


@command("render", "render web-1")
@click.argument("host", shell_complete=asset_names)
@click.option("--enforcer", metavar="NAME", help="Another backend than the host's own.")
def render(session: Session, host: str, enforcer: str | None) -> None:
    """Print the ruleset that HOST would get."""
    from ringfence.compiler.names import shared
    from ringfence.enforcers import Targets, told_of
    from ringfence.enforcers import enforcer as enforcer_named
    from ringfence.plan import read_state

    compilation = session.compilation
    called = compilation.snapshot.called()
    if host not in called:
        near = nearest(host, called)
        remedy = did_you_mean(host, near) if near else "ringfence assets lists them"
        raise InputError(f"no asset is named '{host}'", remedy=remedy)
    if len(called[host]) > 1:
        raise shared(host, called[host])
    (asset,) = called[host]
    table = compilation.tables.get(asset.name) or compilation.unenforced.get(asset.name)
    if table is None:
        message = f"'{host}' is no workload, or has no address: nothing is enforced on it"
        raise InputError(message, remedy="ringfence assets")
    name = enforcer or asset.enforcer
    its, assets = enforcer_named(name), compilation.snapshot.named()
    held = read_state(session.directory).get(asset.name)
    served = {one: found for one, found in compilation.tables.items() if assets[one].enforcer == name}
    targets = Targets({one: assets[one] for one in (*served, asset.name)}, {**served, asset.name: table})
    facts = its.facts(told_of(asset, name, held.features if held else {}))
    text = its.renderer(targets).render(table, its.profile(facts)).text
    if session.output.as_json:
        session.output.data({"host": host, "enforcer": name, "table": table.digest, "ruleset": text})
        return
    click.echo(text.encode(), nl=False)
