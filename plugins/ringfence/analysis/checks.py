"""Checks that need the estate and the tables: statements that cannot hold, and statements made twice."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ringfence.analysis.forwarding_hosts import NOBODY, forwarding_problems
from ringfence.analysis.peer_resolution import Ends
from ringfence.analysis.unmeetable import Unmeetable
from ringfence.compiler import Compilation
from ringfence.enforcers import names, unseen
from ringfence.language.reports import did_you_mean, nearest
from ringfence.model.addresses import address_text
from ringfence.model.assets import Asset
from ringfence.model.memberships import sets_of
from ringfence.model.problems import Problem, Severity
from ringfence.model.rules import EMERGENCY, Action, Direction, Mode, Rule
from ringfence.model.safe_text import clean_line
from ringfence.model.tables import VerdictTable
from ringfence.wire.first_few import first_few


def problems(
    compilation: Compilation, taken: Compilation | None = None, by_facts: Collection[str] = ()
) -> list[Problem]:
    """Return errors and warnings about a policy in this estate.

    `taken` is the compilation without the hosts whose own facts say that they cannot take their tables. This is a
    warning, because the word of a host never makes an error. For the same reason, processes that the enforcers of the
    hosts `by_facts` cannot see are left out.

    An error is a statement that enforcement would not hold: a deny of a far process whose own side does not enforce
    it, a name in a rule for the server's side alone, a process that a host's enforcer cannot see, a test or an
    invariant that no packet can meet. A warning is a workload on which nothing is enforced, a deny of a name (it holds
    for the answers alone), a shared address whose holders answer differently, a rule that no packet can meet.
    """
    policy, ends = compilation.policy, Ends(compilation.snapshot, compilation.settings)
    return [
        *_not_enforced(taken or compilation),
        *_unseen(compilation),
        *forwarding_problems(compilation),
        *_unseen_processes(compilation, ends, by_facts),
        *_far_process_denies(compilation, ends),
        *_names(compilation),
        *_shared_addresses(compilation),
        *Unmeetable(compilation, ends).problems((*policy.rules, *policy.tests, *policy.invariants)),
    ]


def _not_enforced(compilation: Compilation) -> Iterator[Problem]:
    lacking: dict[tuple[str, str], list[str]] = {}
    for asset in compilation.snapshot.assets:
        if compilation.why.get(asset.name, NOBODY) != NOBODY:  # what nobody forwards for has a warning of its own
            lacking.setdefault((compilation.why[asset.name], asset.enforcer), []).append(asset.name)
    for (why, enforcer), hosts in sorted(lacking.items()):
        remedy = "it keeps what it holds" if enforcer in names() else f"installed are: {', '.join(names())}"
        if enforcer not in names() and (near := nearest(enforcer, names())):
            remedy = f"{did_you_mean(enforcer, near)} {remedy}"
        yield Problem(
            Severity.WARNING,
            clean_line(f"{why}, so nothing is enforced on {first_few(hosts)}"),
            remedy=f"{remedy}; ringfence_enforcer, or ringfence_workload: false",
        )


def _unseen(compilation: Compilation) -> Iterator[Problem]:
    """Yield why assets that were to be workloads of a host have no packets of their own there."""
    reasons: dict[str, list[str]] = {}
    for asset in compilation.snapshot.assets:
        if why := unseen(asset):
            reasons.setdefault(why, []).append(asset.name)
    for why, found in sorted(reasons.items()):
        text = clean_line(f"{first_few(found)}: {why}")
        yield Problem(Severity.WARNING, text, remedy="write rules for the host; 'filters' of the source leaves it out")


def _unseen_processes(compilation: Compilation, ends: Ends, by_facts: Collection[str]) -> Iterator[Problem]:
    """Yield the rules that name a process which the enforcer of a chosen host cannot see: they never match there."""
    for rule in compilation.policy.rules:
        for direction in sorted(rule.sides):
            side = "to" if direction is Direction.IN else "from"
            blind: dict[tuple[str, str], list[str]] = {}
            for peer in rule.local(direction):
                kinds = peer.process.named() if peer.process else {}
                for asset, _ in ends.assets([peer.selector]) if kinds else ():
                    seen = compilation.abilities[asset.enforcer].processes(direction) if asset.workload else kinds
                    unseen = next((kind for kind in kinds if kind not in seen), None)
                    if unseen is not None and asset.name in compilation.tables and asset.name not in by_facts:
                        blind.setdefault((unseen, asset.enforcer), []).append(asset.name)
            for (kind, enforcer), hosts in blind.items():
                can = sorted(compilation.abilities[enforcer].processes(direction))
                name = f"name a {can[0]} there, leave" if can else "leave"
                yield Problem(
                    Severity.ERROR,
                    f"rule '{rule.name}' names a {kind} in '{side}', which '{enforcer}' cannot see: "
                    f"it never matches on {first_few(hosts)}",
                    rule.place,
                    f"{name} the process out, or choose in '{side}' only hosts whose enforcer sees a {kind}",
                )


def _far_process_denies(compilation: Compilation, ends: Ends) -> Iterator[Problem]:
    """Yield the denies of a process that its own side does not enforce: the far side cannot see it."""
    for rule in compilation.policy.rules:
        if rule.action is not Action.DENY:
            continue
        for direction in Direction:
            if any(peer.process for peer in rule.local(direction)):
                yield from _unenforced(compilation, ends, rule, direction)


def _unenforced(compilation: Compilation, ends: Ends, rule: Rule, direction: Direction) -> Iterator[Problem]:
    side = "to" if direction is Direction.IN else "from"
    if direction not in rule.sides:
        message = (
            f"rule '{rule.name}' denies a process in '{side}', which only that side can see, but speaks for the other"
        )
        yield Problem(Severity.ERROR, message, rule.place, f"write 'at: {side}' or 'at: both'")
        return
    far = [asset for asset, _ in ends.assets([peer.selector for peer in rule.remote(direction)])]
    other = Direction.OUT if direction is Direction.IN else Direction.IN
    if not any(_enforces(compilation, asset, other) for asset in far):
        return
    named = [peer.selector for peer in rule.local(direction) if peer.process]
    for asset, _ in ends.assets(named):
        if not _enforces(compilation, asset, direction) and not (
            rule.tier == EMERGENCY and asset.name in compilation.tables
        ):
            message = f"rule '{rule.name}' denies a process on '{asset.name}', which does not enforce it: it would pass"
            which = "inbound" if direction is Direction.IN else "outbound"
            remedy = f"set the {which} mode of '{asset.name}' to selective or full"
            yield Problem(Severity.ERROR, message, rule.place, remedy)
            return


def _enforces(compilation: Compilation, asset: Asset, direction: Direction) -> bool:
    table = compilation.tables.get(asset.name)
    return table is not None and table.direction(direction).mode is not Mode.OBSERVE


def _names(compilation: Compilation) -> Iterator[Problem]:
    for rule in compilation.policy.rules:
        named = [name.removeprefix("fqdn:") for peer in rule.destinations for name in sets_of(peer.selector)]
        if named and Direction.OUT not in rule.sides:
            yield Problem(
                Severity.ERROR,
                f"rule '{rule.name}' says nothing of '{named[0]}': a name is asked for on the client's side alone",
                rule.place,
                "leave out 'at: to', or name the server by its labels or networks",
            )
        elif named and rule.action is Action.DENY:
            yield Problem(
                Severity.WARNING,
                f"rule '{rule.name}' denies '{named[0]}' only at the addresses that the client's host is answered with",
                rule.place,
                "deny its networks with cidr where it must hold",
            )


def _shared_addresses(compilation: Compilation) -> Iterator[Problem]:
    """Yield the addresses whose holders would answer the same packet differently."""
    holders: dict[tuple[str, int], list[Asset]] = {}
    for asset in compilation.snapshot.assets:
        for point in asset.addresses:
            holders.setdefault((asset.realm, point), []).append(asset)
    for (_, point), assets in holders.items():
        tables: Mapping[int, VerdictTable] = {
            id(compilation.tables[asset.name]): compilation.tables[asset.name]
            for asset in assets
            if asset.name in compilation.tables
        }
        if len({table.digest for table in tables.values()}) > 1:
            names = ", ".join(f"'{asset.name}'" for asset in assets)
            yield Problem(
                Severity.WARNING,
                f"{address_text(point)} is held by {names}, whose tables differ: it depends on who holds it when",
                remedy="give them the same labels, or select the address with cidr",
            )
