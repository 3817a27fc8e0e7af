"""What hosts forward for others in a plan: which tables they have of whom, and why some workloads are left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ringfence.analysis.enforced_on_the_way import shared_addresses
from ringfence.analysis.forwarded_tables import on_the_way
from ringfence.analysis.forwarding_hosts import NOBODY, ForwardingHost, forwarding_hosts
from ringfence.compiler import Compilation
from ringfence.enforcers import EnforcedOnTheWay, Enforcer, Forwarded
from ringfence.model.addresses import range_texts
from ringfence.model.intervals import union
from ringfence.model.rules import EMERGENCY, Direction, Mode
from ringfence.model.tables import VerdictTable
from ringfence.plan.artefact import ForwardedPlan
from ringfence.plan.containers import denying


@dataclass(frozen=True, slots=True)
class Forwarding:
    """The workloads that hosts judge on their way, by host, the reasons for others, and the tables of the rest."""

    by_host: Mapping[str, tuple[Forwarded, ...]]
    left_out: Mapping[str, str]
    hosts: Mapping[str, VerdictTable]


def forwarding(
    compilation: Compilation, carried: Mapping[str, VerdictTable], enforcer: Callable[[str], Enforcer]
) -> Forwarding:
    """Return what the hosts of a plan judge as they forward; `carried` are the tables that hosts can take."""
    named = compilation.snapshot.named()
    alone = {name for name in carried if isinstance(enforcer(named[name].enforcer), EnforcedOnTheWay)}
    hosts = {name: table for name, table in carried.items() if name not in alone}
    by_host = {}
    for host in forwarding_hosts((named[name] for name in hosts), compilation.settings):
        if groups := _groups(compilation, carried, host):
            by_host[host.asset.name] = groups
    met = {name for groups in by_host.values() for one in groups for name in one.assets}
    return Forwarding(by_host, dict.fromkeys(sorted(alone - met), NOBODY), hosts)


def _groups(
    compilation: Compilation, carried: Mapping[str, VerdictTable], host: ForwardingHost
) -> tuple[Forwarded, ...]:
    """Return the workloads that a host judges by their tables; an address of several tables is nobody's."""
    named = compilation.snapshot.named()
    own = carried[host.asset.name]
    observing = {one for one in Direction if own.direction(one).mode is Mode.OBSERVE}
    urgent = {rule.id for rule in compilation.policy.rules if rule.tier == EMERGENCY}
    made: dict[int, tuple[VerdictTable, bool]] = {}
    members: dict[tuple[str, bool], list[str]] = {}
    tables: dict[tuple[str, bool], VerdictTable] = {}
    for name, table in sorted(carried.items()):
        if not host.judged(named[name]):
            continue
        if id(table) not in made:
            made[id(table)] = on_the_way(table, observing, urgent), bool(urgent & denying(table))
        its, cuts = made[id(table)]
        chosen = compilation.enforcement[name]
        key = its.digest, cuts or bool(chosen and chosen.cut)
        members.setdefault(key, []).append(name)
        tables[key] = its
    addresses = {key: union(host.judged(named[name]) for name in some) for key, some in members.items()}
    shared = shared_addresses(addresses.values())
    return tuple(
        Forwarded(tuple(members[key]), left, tables[key], key[1])
        for key in sorted(members)
        if (left := addresses[key] - shared)
    )


def forwarded_plan(one: Forwarded) -> ForwardedPlan:
    """Return what a plan says of workloads that a host judges on their way."""
    return ForwardedPlan(
        table=one.table.digest, assets=list(one.assets), addresses=list(range_texts(one.addresses)), cut=one.cut
    )
