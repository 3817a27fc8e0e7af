"""Containers in a plan: whose host enforces on them, and why others are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ringfence.compiler import Compilation
from ringfence.enforcers import Contained, Enforcer, HeldByHost, HoldsContainers, told_of
from ringfence.model.addresses import range_texts
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import EMERGENCY
from ringfence.model.tables import Effect, VerdictTable
from ringfence.plan.artefact import ContainerPlan


@dataclass(frozen=True, slots=True)
class Containers:
    """The containers of a plan by the host that enforces on each, the reasons for others, and the hosts' own tables."""

    by_host: Mapping[str, tuple[Contained, ...]]
    left_out: Mapping[str, str]
    hosts: Mapping[str, VerdictTable]


def containers(
    compilation: Compilation, carried: Mapping[str, VerdictTable], enforcer: Callable[[str], Enforcer]
) -> Containers:
    """Return the containers among the workloads of a plan; `carried` are the tables that hosts can take."""
    named, called = compilation.snapshot.named(), compilation.snapshot.called()
    inside = {name: its for name in carried if isinstance(its := enforcer(named[name].enforcer), HeldByHost)}
    urgent = {rule.id for rule in compilation.policy.rules if rule.tier == EMERGENCY}
    hosts = {name: table for name, table in carried.items() if name not in inside}
    by_host: dict[str, list[Contained]] = {}
    left_out = {}
    for name, its in inside.items():
        asset = named[name]
        facts = its.facts(told_of(asset, asset.enforcer, {}))
        inner = its.contained(asset, carried[name], facts)
        chosen = compilation.enforcement[name]
        if (chosen and chosen.cut) or urgent & denying(carried[name]):
            inner = replace(inner, cut=True)
        holders = [holder.name for holder in called.get(inner.host, ()) if holder.name in hosts]
        if len(holders) != 1:
            left_out[name] = f"its host {inner.host} is no workload of this plan"
        elif not isinstance(enforcer(named[holders[0]].enforcer), HoldsContainers):
            left_out[name] = f"{named[holders[0]].enforcer} on its host {inner.host} cannot enforce on containers"
        else:
            by_host.setdefault(holders[0], []).append(inner)
    for host, several in by_host.items():
        count = Counter(one.called for one in several)
        for one in several:
            if count[one.called] > 1:
                left_out[one.name] = (
                    f"several containers of {host} are called '{one.called}', and it tells them apart by name alone: "
                    "rename all but one"
                )
    apart = {host: tuple(one for one in several if one.name not in left_out) for host, several in by_host.items()}
    return Containers({host: several for host, several in apart.items() if several}, left_out, hosts)


def denying(table: VerdictTable) -> set[str]:
    """Return the rules that deny something in a table."""
    cells = (*table.inbound.cells, *table.outbound.cells)
    return {piece[2].rule for cell in cells for piece in cell.services.pieces if piece[2].effect is Effect.DENY}


def container_plan(one: Contained) -> ContainerPlan:
    """Return what a plan says of a container."""
    addresses = [text for point in one.addresses for text in range_texts(IntervalSet.of([(point, point)]))]
    return ContainerPlan(table=one.table.digest, called=one.called, addresses=addresses)
