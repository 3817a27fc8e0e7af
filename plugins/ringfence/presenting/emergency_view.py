"""Emergencies for people: what a quarantine would cut, what hosts hold now, and what stands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ringfence.model.counts import counted
from ringfence.model.emergencies import HostState, Kind
from ringfence.model.times import utc_text
from ringfence.presenting.line import Line
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.model.emergencies import EmergencyEnd, Order
    from ringfence.operations.allow_for import Permission
    from ringfence.operations.cut_flows import SeenCut
    from ringfence.operations.emergencies import Emergencies
    from ringfence.operations.emergency_forwarders import Forwarders
    from ringfence.operations.emergency_hosts import Carried
    from ringfence.operations.passing_anyway import Passing
    from ringfence.operations.quarantine import Cut
    from ringfence.operations.request import Request
    from ringfence.operations.waiting_requests import Waiting

SHOWN = 15
REQUEST_COLUMNS = ("request", "what", "who asks", "why", "asked (UTC)", "until (UTC)", "approval")
COLUMNS = ("id", "what", "hosts", "since (UTC)", "ends (UTC)", "who", "why")


def cut_lines(cut: Cut) -> Iterator[Line]:
    """Yield what a quarantine would do, and where nothing enforces it."""
    order = cut.order
    kept = f"; {whom(order.second)} stays reachable" if order.second.said else ""
    yield Line(f"quarantine {order.id}: isolates {whom(order.first)}{kept}", bold=True)
    itself = "itself" if len(cut.isolated) == 1 else "themselves"
    hosts = [f"{counted(len(cut.isolated), 'host')} isolated on {itself}"] if cut.isolated else []
    if cut.holders:
        held = sum(len(cut.entries[name].inside) for name in cut.holders)
        hosts.append(f"{counted(held, 'container')} isolated by {first_few(cut.holders)}")
    peers = [f"{counted(len(cut.peers), 'peer')} that will refuse it"] if cut.peers else []
    yield Line(f"  {' and '.join([*hosts, *peers]) or 'no host enforces it'}; Ansible's way to hosts stays open")
    yield Line(f"  {_until(order)}")
    for name, whom_too in cut.already.items():
        yield Line(f"  {_isolated(whom_too)} isolated by {name} already, which stands on its own", style="yellow")
    if cut.controls:
        text = (
            f"  {first_few(cut.controls)} is where Ansible comes from (control): hosts refuse this when it comes from"
        )
        yield Line(f"{text} there, so isolate that from another machine", style="red")
    if cut.local:
        text = (
            f"  {first_few(cut.local)}: 'ansible_connection' is local, so what it is told acts on this machine, not on"
        )
        yield Line(f"{text} the host: correct it in the inventory first", style="red")
    for name, behind in cut.behind.items():
        text = f"  Ansible reaches {first_few(behind)} over {name}: not until it is released, unless --keep names them"
        yield Line(text, style="red")
    yield from _forwarder_lines(cut.forwarders, cut.on_the_way)
    if cut.no_path:
        text = f"  no control path is written for {first_few(cut.no_path)}: only the address that this comes from stays"
        yield Line(f"{text} open (ringfence.yml, control)", style="yellow")
    for name, why in cut.elsewhere.items():
        yield Line(f"  {name} is not cut off by its own name: {why}", style="red")
    if by_itself := [name for name in cut.not_enforced if name not in cut.elsewhere]:
        text = f"  nothing enforces on {first_few(by_itself)}: only its enforced peers refuse it"
        yield Line(text, style="yellow")
    if cut.open_peers:
        rest = "" if cut.isolated or cut.holders else ", so it still reaches them"
        if rest and cut.on_the_way:
            rest += ", except where a host that refuses it is on the way"
        yield Line(f"  nothing enforces on the peers {first_few(cut.open_peers)}{rest}", style="yellow")
    for name, others in cut.not_cut.items():
        text = f"  not cut from {first_few(others)}, on one bridge with {name}, unless its host has"
        yield Line(f"{text} net.bridge.bridge-nf-call-* on (bridged, docs/containers.md)", style="red")


def _forwarder_lines(forwarders: Forwarders, on_the_way: Forwarders) -> Iterator[Line]:
    """Yield what stops passing isolated hosts that forward, and who is cut off by hosts on the way alone."""
    for name, whom_for in forwarders.items():
        what = f", for {first_few(whom_for)}" if whom_for else ""
        text = f"  {name} forwards for others{what}: until it is released nothing passes it except what is kept"
        yield Line(text, style="red")
    for name, hosts in on_the_way.items():
        text = f"  nothing is installed on {name}: it is cut off where {first_few(hosts)} forwards for it and by"
        yield Line(f"{text} its peers; what passes neither is not stopped", style="yellow")


def left_to_playbook(order: Order) -> Iterator[Line]:
    """Yield what is left to do where a playbook is to tell the hosts."""
    yield Line(f"{order.id} is kept in emergencies/, and no host was asked: that is for the playbook 'quarantine'")
    yield Line(f"  → behind it: ringfence info reads what hosts hold; undo: ringfence {order.kind.ending} {order.id}")


def seen_lines(seen: Sequence[SeenCut], words: str) -> Iterator[Line]:
    """Yield the connections that a quarantine cuts, the busiest first."""
    if not seen:
        yield Line(f"  {words}: none of these assets was seen, so nothing is known of what this cuts")
        return
    yield Line(f"  cuts what was seen ({words}), {counted(len(seen), 'kind')} of connections:")
    for one in seen[:SHOWN]:
        way = f"{one.isolated} → {one.peer}" if one.to else f"{one.peer} → {one.isolated}"
        times = f"{one.connections:,} {'time' if one.connections == 1 else 'times'}"
        yield Line(f"    {way}  {one.service}  {times}, last {utc_text(int(one.last.timestamp()))} UTC")
    if len(seen) > SHOWN:
        yield Line(f"    and {len(seen) - SHOWN} more (--json gives all)")


def permission_lines(permission: Permission) -> Iterator[Line]:
    """Yield what a permission would let through."""
    order = permission.order
    text = f"permission {order.id}: {whom(order.first)} may reach {whom(order.second)} on {order.service}"
    yield Line(text, bold=True)
    yield Line(f"  on {first_few(sorted(permission.entries))}; {_until(order)}")
    for name, containers in permission.carried.items():
        text = f"  other hosts meet {first_few(containers)} at the addresses of {name}: their own tables let"
        yield Line(f"{text} these through, whatever of {name} it is")
    if permission.unpublished:
        text = (
            f"  no host is known to publish this service of {first_few(permission.unpublished)}: what asks for it from"
        )
        yield Line(f"{text} another host is not let through by its own table", style="yellow")
    yield from passing_lines(permission.passing)
    for name, isolated in permission.stopped.items():
        them = "it" if len(isolated) == 1 else "them"
        text = f"  {_isolated(isolated)} isolated by {name}, which stands above this: nothing from or to {them} passes"
        yield Line(f"{text} until 'ringfence release {name}'", style="yellow")


def passing_lines(passing: Sequence[Passing]) -> Iterator[Line]:
    """Yield which pairs of ends the policy of the files lets through without a permission."""
    for one in passing[:SHOWN]:
        yield Line(
            f"  {one.client} → {one.server} passes without it, by the files: {'; '.join(one.why)}", style="yellow"
        )
    if len(passing) > SHOWN:
        yield Line(f"  and {len(passing) - SHOWN} more pass without it (--json gives all)", style="yellow")


def request_lines(request: Request) -> Iterator[Line]:
    """Yield what a request asks for, for whoever approves it."""
    text = f"{request.who} asks: {request.source} may reach {request.destination} on {request.service}"
    yield Line(f"{text} for {request.within}", bold=True)
    yield Line(f"  because {request.why}; asked {utc_text(request.asked)} UTC")


def carried_lines(carried: Carried) -> Iterator[Line]:
    """Yield what the kernels of hosts hold now, which hosts were not reached, and what to do about these."""
    order, well, missing = carried.order, carried.well, carried.missing
    every = len(well) + len(missing)
    if carried.unasked:
        asked = f"none of {counted(every, 'host')} was asked"
        yield Line(f"{order.id}: {asked}: each is known not to hold it, or was excused")
        yield from _besides(carried)
        return
    held = carried.wanted is HostState.HELD
    said = ("hold it" if held else "are without it") if every != 1 else ("holds it" if held else "is without it")
    style = "green" if not missing else "red"
    where = f"{len(well)}/{counted(every, 'host')} {said} (read back from the kernel) after {carried.seconds:.1f} s"
    yield Line(f"{order.id}: {where}", style=style, bold=True)
    for reason, names in _by_reason(carried).items():
        yield Line(f"  {', '.join(names)}: {reason}", style="red")
    if held:
        again = f"try again: ringfence quarantine {order.id}; " if missing and order.kind is Kind.QUARANTINE else ""
        yield Line(f"  → {again}undo: ringfence {order.kind.ending} {order.id}")
        holding = {name: whom_for for name, whom_for in carried.forwarders.items() if name in well}
        on_the_way = {
            name: some
            for name, hosts in carried.on_the_way.items()
            if (some := tuple(one for one in hosts if one in well))
        }
        yield from _forwarder_lines(holding, on_the_way)
    elif missing:
        when = "to go on" if carried.interrupted else "once they can be reached"
        yield Line(f"  → {when}: ringfence {order.kind.ending} {order.id}")
        if carried.unnamed:
            excused = " ".join(f"--excuse {shlex.quote(name)}" for name in carried.unnamed)
            yield Line(f"  → for a host that is gone for good: ringfence {order.kind.ending} {order.id} {excused}")
    yield from _besides(carried)


def _by_reason(carried: Carried) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in carried.missing:
        found.setdefault(carried.reasons.get(name, "not reached"), []).append(name)
    return found


def _besides(carried: Carried) -> Iterator[Line]:
    for name, isolated in carried.besides.items():
        yield Line(f"  {_isolated(isolated)} still isolated by {name}", style="yellow")
        yield Line(f"  → ringfence release {name}")


def new_lines(found: Emergencies) -> Iterator[Line]:
    """Yield which hosts were added after a quarantine that stands, and are not told of it yet."""
    for name, new in found.new.items():
        yield Line(f"{name}: added since and not told yet: {first_few(new)}", style="yellow")
        yield Line(f"  → ringfence quarantine {name}")


def rows(orders: Sequence[Order], now: float) -> Iterator[tuple[object, ...]]:
    """Yield a row for each emergency, under COLUMNS."""
    for order in orders:
        what = f"isolates {whom(order.first)}"
        if order.kind is Kind.PERMISSION:
            what = f"{whom(order.first)} → {whom(order.second)} {order.service}"
        wanted = HostState.HELD if order.stands(now) else HostState.RELEASED
        well = sum(state is wanted for state in order.hosts.values())
        word = "hold" if wanted is HostState.HELD else "without"
        hosts = f"{well}/{len(order.hosts)} {word}"
        if order.released:
            ends = f"released {utc_text(order.released)}" + (f" by {order.released_by}" if order.released_by else "")
        else:
            ends = utc_text(order.ends) if order.ends else "when released"
            hosts = hosts if order.stands(now) else "ended"
        who = f"{order.who}, approved by {' and '.join(order.approved_by)}" if order.approved_by else order.who
        yield order.id, what, hosts, utc_text(order.since), ends, who, order.why


def waiting_rows(requests: Sequence[Waiting]) -> Iterator[tuple[object, ...]]:
    """Yield a row for each request that was not given, under REQUEST_COLUMNS."""
    for one in requests:
        asked = one.request
        factor = ", by a second factor"
        needs = [f"{' or '.join(each.by)}{factor if each.second_factor else ''}" for each in one.wanted]
        approval = f"waits for {' and for '.join(needs)}" if needs else "needs none"
        if one.approved_by:
            approval = f"approved by {' and '.join(one.approved_by)}: ringfence grant {asked.id}"
        what = f"{asked.source} → {asked.destination} {asked.service} for {asked.within}"
        yield asked.id, what, asked.who, asked.why, utc_text(asked.asked), utc_text(asked.until), approval


def whom(end: EmergencyEnd) -> str:
    """Return whom an end means: the names of few assets, else what was written."""
    names = sorted(end.names)
    if names and not end.outside and len(names) <= SHOWN:
        return first_few(names)
    return ", ".join(end.said)


def _isolated(names: Sequence[str]) -> str:
    return f"{first_few(names)} {'is' if len(names) == 1 else 'are'}"


def _until(order: Order) -> str:
    return f"until {utc_text(order.ends)} UTC, then it ends by itself" if order.ends else "until it is released"
