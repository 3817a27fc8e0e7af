"""Quarantine: isolating assets on themselves and on every enforced peer, without a plan and without a compiler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ringfence.analysis.shared_bridges import not_cut
from ringfence.enforcers import unseen
from ringfence.estate.directory import current_time
from ringfence.estate.emergencies import kept_order
from ringfence.model.addresses import addresses_of
from ringfence.model.emergencies import ID, EmergencyEnd, HostState, Kind, Order
from ringfence.model.errors import InputError
from ringfence.operations.emergency_ends import checked_reason, known, new_id, span_seconds, who_asks
from ringfence.operations.emergency_forwarders import Forwarders, cut_on_the_way, stopped_by
from ringfence.operations.emergency_hosts import Carried, lay_down
from ringfence.operations.emergency_jumps import reached_over
from ringfence.operations.emergency_local import told_to_this_machine
from ringfence.operations.emergency_moves import NOBODYS, moved
from ringfence.operations.emergency_overlaps import Isolated, isolated_besides
from ringfence.operations.execution import Execution
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.assets import Asset
    from ringfence.model.intervals import IntervalSet
    from ringfence.operations.emergency_ends import Known
    from ringfence.wire.emergency_lines import Emergency

# Loopback, multicast and IPv6 link-local addresses: of no host that others reach by them.


@dataclass(frozen=True, slots=True)
class QuarantineRequest:
    """Whom to isolate (selectors, or the id of a quarantine that stands), who stays reachable, why, and for how long.

    `within` is a span, `4h`; empty until somebody releases it.
    """

    what: tuple[str, ...]
    keep: tuple[str, ...] = ()
    why: str = ""
    within: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """A quarantine before it is carried out.

    `entries` are what hosts would be given, by name. Nothing enforces on the isolated assets `not_enforced`, nor on the
    peers `open_peers`: what passes between two of these stays as it is. `behind` are hosts that Ansible reaches over an
    isolated one, by its name; for hosts that `no_path` names no control path is written down. `not_cut` are the
    containers that an isolated one, by its name, still reaches over their bridge, unless the kernel shows it to tables.
    `already` are, by the id of another quarantine that stands, whom that isolates too. `controls` are the networks of
    control paths that it isolates whole: hosts refuse it from there. `forwarders` are the isolated that forward, with
    for whom or between what; `on_the_way` the isolated that nobody but these hosts on the way cuts off.
    `elsewhere` are the isolated without an address of their own, with whose table judges them instead.
    """

    order: Order
    entries: Mapping[str, Emergency]
    not_enforced: tuple[str, ...]
    open_peers: tuple[str, ...]
    behind: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    no_path: tuple[str, ...] = ()
    not_cut: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    already: Isolated = field(default_factory=dict)
    controls: tuple[str, ...] = ()
    forwarders: Forwarders = field(default_factory=dict)
    on_the_way: Forwarders = field(default_factory=dict)
    local: tuple[str, ...] = ()
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    @property
    def isolated(self) -> tuple[str, ...]:
        """Return the hosts that are isolated on themselves."""
        return tuple(name for name in sorted(self.entries) if name in self.order.first.names)

    @property
    def holders(self) -> tuple[str, ...]:
        """Return the hosts that isolate containers of theirs."""
        return tuple(name for name, entry in sorted(self.entries.items()) if entry.inside)

    @property
    def peers(self) -> tuple[str, ...]:
        """Return the hosts that are told to refuse the isolated."""
        return tuple(name for name, entry in sorted(self.entries.items()) if entry.remote)

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return {
            "isolated": list(self.isolated),
            "holders": list(self.holders),
            "peers": list(self.peers),
            "not_enforced": list(self.not_enforced),
            "elsewhere": dict(self.elsewhere),
            "open_peers": list(self.open_peers),
            "behind": {name: list(hosts) for name, hosts in self.behind.items()},
            "no_control_path": list(self.no_path),
            "not_cut": {name: list(others) for name, others in self.not_cut.items()},
            "already": {name: list(whom) for name, whom in self.already.items()},
            "controls": list(self.controls),
            "forwarders": {name: list(whom) for name, whom in self.forwarders.items()},
            "on_the_way": {name: list(hosts) for name, hosts in self.on_the_way.items()},
            "told_to_this_machine": list(self.local),
        }


def quarantine_of(estate: Estate, request: QuarantineRequest, execution: Execution | None = None) -> Cut:
    """Return what a request would do; nothing is changed yet. Raise InputErrors where it means nobody."""
    listener = (execution or Execution()).listener
    now = known(estate, listener)
    again = [one for one in request.what if ID.fullmatch(one)]
    if again:
        order = standing_order(estate, again[0], Kind.QUARANTINE)
        _refuse_changes(order, request)
        listener.problems(moved(estate, [order]))
    else:
        why = checked_reason(request.why)
        since = int(current_time().timestamp())
        ends = since + span_seconds(request.within) if request.within else 0
        first, second = _of_hosts(now.end(request.what)), now.end(request.keep)
        if both := sorted(first.names & second.names):
            raise InputError(f"{first_few(both)} would be isolated and kept", remedy="choose other assets with --keep")
        order = Order(new_id(Kind.QUARANTINE), Kind.QUARANTINE, who_asks(), why, since, first, second, ends=ends)
    entries, enforced = now.entries(order)
    others = [one.name for one in now.snapshot.assets if one.name not in enforced]
    return Cut(
        order,
        entries,
        tuple(sorted(order.first.names - enforced)),
        tuple(sorted(set(others) - order.first.names - order.second.names)),
        reached_over(now.snapshot.assets, order.first.names, order.second.names | order.first.names),
        tuple(
            sorted(
                one.name
                for one in now.enforced()
                if one.name in order.first.names and not (one.control or now.settings.control)
            )
        ),
        not_cut(now.snapshot.assets, order.first.names & enforced, order.second.names),
        isolated_besides(estate, order),
        _controls(now, order.first.addresses),
        stopped_by(estate, now, order.first.names & enforced),
        cut_on_the_way(now, order.first.names),
        told_to_this_machine(now, entries),
        {one.name: why for one in now.snapshot.assets if one.name in order.first.names and (why := _elsewhere(one))},
    )


def _elsewhere(asset: Asset) -> str:
    """Return by whose table an asset is judged that has no address of its own, empty for all others."""
    return "" if asset.addresses else unseen(asset)


def _of_hosts(end: EmergencyEnd) -> EmergencyEnd:
    """Leave out what is no host's: without its neighbours' multicast no IPv6 host could be reached to release it."""
    members = tuple(replace(one, addresses=one.addresses - NOBODYS) for one in end.members)
    found = replace(end, members=members, outside=end.outside - NOBODYS)
    if not found.members and not found.outside:
        raise InputError(
            f"{', '.join(end.said)} is no address of a host: loopback, multicast and link-local addresses "
            "cannot be isolated",
            remedy="name assets or networks",
        )
    return found


def _controls(now: Known, isolated: IntervalSet) -> tuple[str, ...]:
    """Return the networks of control paths that are isolated whole; of a wide one a part says nothing."""
    paths = [one.control or now.settings.control for one in now.enforced()]
    networks = {network for path in paths if path is not None for network in path.networks}
    return tuple(sorted(network for network in networks if isolated.issuperset(addresses_of([network]))))


def _refuse_changes(order: Order, request: QuarantineRequest) -> None:
    """Raise InputError where a quarantine that stands would be told again with other words than its own."""
    if len(request.what) > 1:
        raise InputError(
            f"'{order.id}' is an id and cannot be combined with other words",
            order.place,
            f"name it alone, to try again where it was not reached: ringfence quarantine {order.id}",
        )
    said = (("--keep", request.keep), ("--because", request.why), ("--for", request.within))
    if given := [option for option, value in said if value]:
        raise InputError(
            f"{order.id} stands as it was decided, so {' and '.join(given)} cannot change it",
            order.place,
            f"begin a new one with the same assets, then release the old one: ringfence release {order.id}",
        )


def quarantine(estate: Estate, cut: Cut, execution: Execution | None = None, limit: Sequence[str] = ()) -> Carried:
    """Carry a quarantine out and return what the kernels hold now; hosts that hold it already are told again.

    Raise InputError where nothing enforces anywhere.
    """
    entries = {name: entry for name, entry in cut.entries.items() if not limit or name in limit}
    if not entries:
        raise InputError(
            "no host enforces, so nothing can be isolated", remedy="ringfence assets shows which workloads there are"
        )
    done = lay_down(estate, cut.order, entries, execution or Execution(), last=cut.behind)
    return replace(done, forwarders=cut.forwarders, on_the_way=cut.on_the_way)


def standing_order(estate: Estate, name: str, *kinds: Kind) -> Order:
    """Return the emergency of an id that was not released. Raise InputError where there is none of these kinds."""
    order = order_called(estate, name)
    if kinds and order.kind not in kinds:
        raise InputError(f"{name} is a {order.kind}", order.place, f"ringfence {order.kind.ending} {order.id}")
    if not order.stands(current_time().timestamp()):
        became = "was released" if order.released else "has ended by itself"
        raise InputError(f"{name} {became}", order.place, "begin a new one")
    return order


def order_called(estate: Estate, name: str, kind: Kind | None = None) -> Order:
    """Return the emergency of an id. Raise InputError where the workspace has none of this id.

    No other emergency's file is read for it: a broken one, as in the middle of a merge, keeps nobody from releasing.
    The way out names what an asset of this name is isolated by, else the last emergencies of a kind.
    """
    if ID.fullmatch(name) and (found := kept_order(estate.directory, name)) is not None:
        return found
    held = [
        one
        for one in estate.emergencies()
        if kind in (None, one.kind) and any(state is not HostState.RELEASED for state in one.hosts.values())
    ]
    if about := [one for one in held if name in {*one.first.names, *one.second.names, *one.first.said}]:
        last = about[-1]
        raise InputError(
            f"'{name}' is not the id of an emergency; {first_few([one.title for one in about[::-1]])} is about it",
            remedy=f"ringfence {last.kind.ending} {last.id}",
        )
    remedy = (
        f"the last are: {first_few([one.id for one in held[::-1]])}" if held else "ringfence emergencies lists them"
    )
    raise InputError(f"this workspace has no emergency {name}", remedy=remedy)
