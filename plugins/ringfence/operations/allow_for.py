"""Permissions that end by themselves: the kernels of both ends let a service through for a while."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from ringfence.analysis.carrying_hosts import Carrier, Carriers, carriers, unmet
from ringfence.estate.directory import current_time
from ringfence.model.addresses import FAMILIES, address_text
from ringfence.model.emergencies import EmergencyEnd, Kind, Order
from ringfence.model.errors import InputError
from ringfence.model.rules import EMERGENCY, Enforcement, Mode, Policy, Rule, Settings
from ringfence.model.selectors import ANY, AddressIn, leaves
from ringfence.model.services import PORT_PROTOCOLS, point_of
from ringfence.operations.emergency_ends import Known, checked_reason, known, new_id, span_seconds, who_asks
from ringfence.operations.emergency_hosts import Carried, lay_down
from ringfence.operations.emergency_overlaps import Isolated, stops
from ringfence.operations.execution import Execution
from ringfence.operations.passing_anyway import Passing, passing_anyway

if TYPE_CHECKING:
    from ringfence.compiler import Compilation
    from ringfence.estate import Estate
    from ringfence.model.intervals import IntervalSet
    from ringfence.model.services import Services
    from ringfence.wire.emergency_lines import Emergency
    from ringfence.workspace import Workspace

GUARDRAIL = "guardrail"


@dataclass(frozen=True, slots=True)
class PermissionRequest:
    """For how long (`2h`), who may reach whom on what, and why."""

    within: str
    source: str
    destination: str
    service: str
    why: str


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission before it is carried out: `entries` are what hosts would be given, by name.

    `stopped` are, by the id of a quarantine that stands above it, whom of its ends that isolates. `carried` are, by a
    host, the containers that workloads of other hosts meet at its addresses. Of those `unpublished` no host is known to
    publish the service, so the own table of who asks them for it is not opened. `passing` are the pairs of ends that it
    changes nothing for.
    """

    order: Order
    entries: Mapping[str, Emergency]
    stopped: Isolated = field(default_factory=dict)
    carried: Isolated = field(default_factory=dict)
    unpublished: tuple[str, ...] = ()
    passing: tuple[Passing, ...] = ()

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        stopped = {name: list(whom) for name, whom in self.stopped.items()}
        carried = {name: list(containers) for name, containers in self.carried.items()}
        return {
            "hosts": sorted(self.entries),
            "stopped_by": stopped,
            "carried_by": carried,
            "not_published": list(self.unpublished),
            "passing_anyway": [one.data() for one in self.passing],
        }


class Asker(Protocol):
    """Who asked for a permission before, and under which id."""

    @property
    def id(self) -> str:
        """Return the id."""

    @property
    def who(self) -> str:
        """Return who asked."""


def permission_of(
    estate: Estate,
    request: PermissionRequest,
    execution: Execution | None = None,
    *,
    approved: bool = False,
    identity: Asker | None = None,
) -> Permission:
    """Return what a request would do; nothing is changed yet.

    Raise InputErrors where it means nobody, and InputError for a connection that a guardrail denies, with the rule's
    name and place, unless the workspace lets emergencies through guardrails; and where the workspace wants an approval
    that this is not the product of.
    """
    from ringfence.estate.queries import QueryReader

    now = known(estate, (execution or Execution()).listener)
    why = checked_reason(request.why)
    since = int(current_time().timestamp())
    services = QueryReader(now.definitions, now.snapshot).services(request.service)
    _refuse_no_port(services, request.service)
    order = Order(
        identity.id if identity else new_id(Kind.PERMISSION),
        Kind.PERMISSION,
        identity.who if identity else who_asks(),
        why,
        since,
        now.end([request.source]),
        now.end([request.destination]),
        service=request.service,
        services=services,
        ends=since + span_seconds(request.within),
    )
    if order.first.names == order.second.names and len(order.first.names) == 1 and not order.first.outside:
        raise InputError(
            f"{request.source} reaches itself over loopback, which nothing cuts", remedy="name another server"
        )
    refuse_guarded(estate, order)
    entries, enforced = now.entries(order)
    if not entries:
        raise InputError(
            f"nothing enforces on '{request.source}' or '{request.destination}', so there is nothing to let through",
            remedy="ringfence explain says what decides there",
        )
    permission = Permission(order, entries, stops(estate, order), *_over_hosts(order, now, enforced))
    if not approved:
        refuse_unapproved(estate, permission)
        permission = replace(permission, passing=passing_anyway(estate, order))
    return permission


def _refuse_no_port(services: Services, said: str) -> None:
    """Raise InputError for port 0, which no connection has: nothing would be let through."""
    none = {point_of(protocol, 0) for protocol in PORT_PROTOCOLS.values()}
    if any(low == high and low in none for family in FAMILIES for low, high in services.of(family)):
        raise InputError(f"'{said}' names port 0, which no connection has", remedy="name the port that the server has")


def _over_hosts(order: Order, now: Known, enforced: Collection[str]) -> tuple[Isolated, tuple[str, ...]]:
    """Return which containers workloads of other hosts meet at whose address, and which of them are served at none."""
    over: dict[str, set[str]] = {}
    unpublished = set()
    for one, _, asked in _beyond(order, now.carriers(), now.settings, enforced):
        if asked and not any(one.serves(order.services)):
            unpublished.add(one.container.name)
        else:
            over.setdefault(one.host.name, set()).add(one.container.name)
    return {name: tuple(sorted(some)) for name, some in sorted(over.items())}, tuple(sorted(unpublished))


def _beyond(
    order: Order, known: Carriers, settings: Settings, enforced: Collection[str]
) -> Iterator[tuple[Carrier, str, bool]]:
    """Yield containers with who meets them by their hosts, and whether that asks them for something."""
    for end, other, asked in ((order.second, order.first, True), (order.first, order.second, False)):
        for member in other.members:
            if member.name in enforced:
                holder = known[member.name].host.name if member.name in known else member.name
                for one in unmet(end, known, settings.sees(member.realm), {holder}):
                    yield one, member.name, asked


def refuse_unapproved(estate: Estate, permission: Permission) -> None:
    """Raise InputError for a permission that somebody else has to approve."""
    from ringfence.operations.request import wanted_approvals

    for approval in wanted_approvals(estate, permission):
        raise InputError(
            f"this is given when {' or '.join(approval.by)} approves it",
            approval.place,
            "ask for it: ringfence request, with the same words",
        )


def allow_for(estate: Estate, permission: Permission, execution: Execution | None = None) -> Carried:
    """Carry a permission out and return what the kernels hold now."""
    return lay_down(estate, permission.order, permission.entries, execution or Execution())


def refuse_guarded(estate: Estate, order: Order) -> None:
    """Raise InputError for a permission that a guardrail stands against."""
    from ringfence.operations.guardrails import among, between_ends

    if estate.workspace.settings.emergencies.pass_guardrails:
        return
    bounds = _bounds(estate.workspace)
    clients, servers = _words(order.first, bounds), _words(order.second, bounds)
    # there may be millions, which nobody asks for where tables tell it
    asked = ((client, server, order.services) for client in clients for server in servers)
    assets = estate.snapshot.named()
    over = list(_beyond(order, carriers(assets.values()), estate.workspace.settings, assets))
    further = [(name, one.host.name, one.published(order.services)) for one, name, asks in over if asks]
    further += [(one.host.name, name, order.services) for one, name, asks in over if not asks]
    guarded = _guardrails(estate, [*order.first.names, *order.second.names, *{one.host.name for one, _, _ in over}])
    if guarded is None:
        return
    found = between_ends(guarded, order, asked) or among(guarded, further)
    if found is not None:
        client, server, side = found
        raise InputError(
            f"the guardrail '{side.rule}' denies {client} to {server}",
            side.place,
            "choose other ends or another service, or let emergencies through guardrails in "
            "ringfence.yml: 'emergencies: {pass_guardrails: true}'",
        )


def _guardrails(estate: Estate, names: list[str]) -> Compilation | None:
    """Return the tables of the tiers that a permission does not stand above, None where they have no rules.

    What these tiers leave open is let through.
    """
    from ringfence.compiler import compile_policy
    from ringfence.enforcers import abilities_of
    from ringfence.enforcers import names as installed

    workspace = estate.workspace
    rules = _guards(workspace)
    if not rules:
        return None
    place = rules[0].place
    open_elsewhere = Enforcement(ANY, Mode.SELECTIVE, Mode.SELECTIVE, place)
    policy = replace(Policy(), rules=rules, enforcement=(open_elsewhere,))
    made = compile_policy(estate.enforcers[0], policy, workspace.settings, abilities=abilities_of, only=names)
    return made.enforced(installed())


def _guards(workspace: Workspace) -> tuple[Rule, ...]:
    tiers = workspace.settings.tiers
    guards = set(tiers[: tiers.index(GUARDRAIL) + 1] if GUARDRAIL in tiers else ()) | {EMERGENCY}
    return tuple(rule for rule in workspace.policy.rules if rule.tier in guards)


def _bounds(workspace: Workspace) -> list[IntervalSet]:
    """Return the address sets by which guardrails tell addresses apart that no asset holds."""
    peers = [peer for rule in _guards(workspace) for peer in (*rule.sources, *rule.destinations)]
    every = [leaf for peer in peers for leaf in leaves(peer.selector)]
    return [*(one.addresses for one in every if isinstance(one, AddressIn)), workspace.settings.private_addresses()]


def _words(end: EmergencyEnd, bounds: Sequence[IntervalSet]) -> list[str]:
    """Return the ends to ask about: every asset, and an address of each other part that no rule divides."""
    parts = [end.outside]
    for bound in bounds:
        parts = [part for whole in parts for part in (whole & bound, whole - bound) if part]
    return [*sorted(end.names), *(address_text(low) for part in parts for low, _ in part)]
