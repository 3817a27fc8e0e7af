"""Hosts that cannot take their tables by what they say of themselves: they are left out, and nobody else is stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ringfence.analysis.enforced_on_the_way import as_on_the_way
from ringfence.compiler import Compilation
from ringfence.enforcers import Enforcer, Reason, told_of, variable_of
from ringfence.plan.host_names import askable, why_not

if TYPE_CHECKING:
    from ringfence.plan.host_records import Held


def left_out(compilation: Compilation, held: Mapping[str, Held], enforcer: Callable[[str], Enforcer]) -> dict[str, str]:
    """Return the hosts whose own facts say that they cannot take their tables, with the reason.

    Such a host stops no plan for the others; it keeps what it has. Hosts that Ansible cannot name are left out as
    well.
    """
    unnamed = {name: why_not(name) for name in compilation.tables if not askable(name)}
    return unnamed | {
        name: f"it says of itself: {why}" for name, (why, _) in refused(compilation, held, enforcer).items()
    }


def taken(compilation: Compilation, held: Mapping[str, Held], enforcer: Callable[[str], Enforcer]) -> Compilation:
    """Return the tables that hosts take, and for workloads without an enforcer of their own what hosts do on the way.

    Every question is answered by these.
    """
    return as_on_the_way(compilation.without(left_out(compilation, held, enforcer)))


def refused(
    compilation: Compilation, held: Mapping[str, Held], enforcer: Callable[[str], Enforcer]
) -> dict[str, Reason]:
    """Return the hosts that cannot take their tables by what they say of themselves."""
    named = compilation.snapshot.named()
    found = {}
    untold: dict[tuple[str, int], list[Reason]] = {}
    for name, table in compilation.tables.items():
        asset = named[name]
        key = asset.enforcer, id(table)
        if name in held or variable_of(asset.enforcer) in asset.attributes:
            its = enforcer(asset.enforcer)
            told = told_of(asset, asset.enforcer, held[name].features if name in held else {})
            reasons = its.refusals(table, its.facts(told), asset)
        elif key in untold:
            reasons = untold[key]
        else:
            its = enforcer(asset.enforcer)
            reasons = untold[key] = its.refusals(table, its.facts({}), asset)
        if reasons:
            found[name] = reasons[0]
    return dict(sorted(found.items()))
