"""What a host would get, to the byte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.compiler.names import shared
from ringfence.enforcers import Targets, told_of
from ringfence.enforcers import enforcer as enforcer_named
from ringfence.language.reports import did_you_mean, nearest
from ringfence.model.errors import InputError
from ringfence.plan import read_state

if TYPE_CHECKING:
    from ringfence.estate import Estate


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text that an enforcer makes of a host's table; `table` is the table's digest."""

    host: str
    enforcer: str
    table: str
    text: str


def render(estate: Estate, host: str, enforcer: str | None = None) -> Rendered:
    """Return the rendered ruleset of a host, for its own enforcer or another one.

    Raise InputError if no asset has the name, or nothing is enforced on it.
    """
    compilation = estate.compilation
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
        message = f"'{host}' is not a workload, or has no address: nothing is enforced on it"
        raise InputError(message, remedy="ringfence assets")
    name = enforcer or asset.enforcer
    its, assets = enforcer_named(name), compilation.snapshot.named()
    held = read_state(estate.directory).get(asset.name)
    served = {one: found for one, found in compilation.tables.items() if assets[one].enforcer == name}
    targets = Targets({one: assets[one] for one in (*served, asset.name)}, {**served, asset.name: table})
    facts = its.facts(told_of(asset, name, held.features if held else {}))
    text = its.renderer(targets).render(table, its.profile(facts)).text
    return Rendered(host, name, table.digest, text)
