"""An emergency on its hosts: what each of them is given, and what its kernel was read to hold afterwards."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ringfence.estate.emergencies import update_order
from ringfence.model.addresses import FAMILIES, range_texts
from ringfence.model.emergencies import HostState, Kind, Order
from ringfence.model.errors import InputError, InputErrors, RingfenceError
from ringfence.model.problems import Problem, Severity
from ringfence.model.services import BLOCK, EVERY_SERVICE
from ringfence.operations.drive import drive
from ringfence.operations.emergency_turns import seen_at_hosts, wait_for_others
from ringfence.operations.hosts import decided_enforcers
from ringfence.wire import emergency_lines
from ringfence.wire.emergency_lines import WITH_PORTS, Emergency, EmergencyError, Grant

if TYPE_CHECKING:
    from ringfence.analysis.held_containers import Inside
    from ringfence.estate import Estate
    from ringfence.model.assets import Asset
    from ringfence.model.emergencies import EmergencyEnd
    from ringfence.model.intervals import IntervalSet
    from ringfence.model.rules import Settings
    from ringfence.operations.execution import Execution
    from ringfence.rollout import PlaybookResult

# The exit status where some hosts hold what was decided and others do not.
PARTIAL = 4
Ports = tuple[tuple[int, int], ...]
OUTSIDE = 3


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of an emergency on its hosts; `reasons` say why a host is not where it should be.

    `wanted` is the state that every host should be in, `interrupted` says that a person stopped it. `besides` are, by
    the id of another quarantine that stands, whom that isolates still. `unasked` says that no host had to be asked:
    each was read to be as it should before.
    """

    order: Order
    wanted: HostState
    reasons: Mapping[str, str]
    seconds: float = 0.0
    interrupted: bool = False
    besides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unasked: bool = False

    @property
    def well(self) -> tuple[str, ...]:
        """Return the hosts whose kernel was read to be as it should."""
        return tuple(name for name, state in sorted(self.order.hosts.items()) if state is self.wanted)

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the hosts of which that is not known."""
        return tuple(name for name, state in sorted(self.order.hosts.items()) if state is not self.wanted)

    @property
    def exit_status(self) -> int:
        """Return 0 where all hosts are as they should be, 4 where some are, 3 where none is."""
        if not self.missing:
            return 0
        return PARTIAL if self.well else OUTSIDE

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        from ringfence.estate.emergencies import order_data

        return {
            "ok": not self.missing,
            "emergency": order_data(self.order),
            "held" if self.wanted is HostState.HELD else "released": list(self.well),
            "missing": [{"host": name, "reason": self.reasons.get(name, "")} for name in self.missing],
            "seconds": round(self.seconds, 3),
            "isolated_besides": {name: list(whom) for name, whom in self.besides.items()},
        }


def entry_of(order: Order, host: Asset, settings: Settings, inside: Sequence[Inside] = ()) -> Emergency | None:
    """Return what a host, which holds some containers, is given of an emergency, None where it has no part in it."""
    if order.kind is Kind.QUARANTINE:
        return _quarantine(order, host, settings, inside)
    grants = tuple(_grants(order, host, settings, inside))
    return _entry(order, inside, grants=grants) if grants else None


def _quarantine(order: Order, host: Asset, settings: Settings, inside: Sequence[Inside]) -> Emergency | None:
    own = {one.asset.name for one in inside}
    realms = settings.sees(host.realm).union(*(settings.sees(one.asset.realm) for one in inside))
    kept = (*_called(order.second, inside), *range_texts(order.second.met_in(realms, without=own)))
    if host.name in order.first.names:
        return _entry(order, inside, isolates=True, kept=kept)
    cut = tuple(one.called for one in inside if one.asset.name in order.first.names)
    # who is kept meets the isolated as always, and so does what it forwards
    remote = () if host.name in order.second.names else range_texts(order.first.met_in(realms, without=own))
    if not cut and not remote:
        return None
    return _entry(order, inside, inside=cut, remote=remote, kept=kept if cut else _called(order.second, inside))


def _entry(order: Order, containers: Sequence[Inside], **parts: Any) -> Emergency:
    """Return an emergency of some parts, with the addresses of those containers that they name."""
    grants: tuple[Grant, ...] = parts.get("grants", ())
    texts = [*parts.get("kept", ()), *(text for grant in grants for text in (*grant.local, *grant.remote))]
    named = {*(f"@{one}" for one in parts.get("inside", ())), *texts}
    held = tuple((one.called, one.addresses) for one in containers if f"@{one.called}" in named)
    return Emergency(order.id, str(order.kind), order.since, order.ends, order.who, order.why, containers=held, **parts)


def _called(end: EmergencyEnd, inside: Sequence[Inside]) -> tuple[str, ...]:
    """Return those of a host's containers that an end names, as lines name them."""
    return tuple(f"@{one.called}" for one in inside if one.asset.name in end.names)


def _grants(order: Order, host: Asset, settings: Settings, inside: Sequence[Inside]) -> Iterator[Grant]:
    own = {one.asset.name for one in inside}
    for words, near, far in ((("out", "from"), order.first, order.second), (("in", "to"), order.second, order.first)):
        if host.name in near.names:
            yield from _of_one(order, words[0], far, settings.sees(host.realm), own, inside)
        for one in inside:
            if one.asset.name in near.names:
                others = [other for other in inside if other is not one]
                realms = settings.sees(one.asset.realm)
                yield from _of_one(order, words[1], far, realms, own, others, (f"@{one.called}",))


def _of_one(
    order: Order,
    direction: str,
    far: EmergencyEnd,
    realms: frozenset[str],
    own: Collection[str],
    inside: Sequence[Inside],
    local: tuple[str, ...] = (),
) -> Iterator[Grant]:
    """Yield what is opened for one end: to who is known by addresses, and to the containers of the host."""
    remotes: dict[tuple[int | None, Ports], list[str]] = {}
    for family, whole in FAMILIES.items():
        if remote := range_texts(far.met_in(realms, without=own) & whole):
            for service in _services(order.services.of(family)):
                remotes.setdefault(service, []).extend(remote)
    for (protocol, ports), remote_texts in remotes.items():
        yield Grant(direction, protocol, tuple(remote_texts), ports, local)
    if called := _called(far, inside):
        services = dict.fromkeys(one for family in FAMILIES for one in _services(order.services.of(family)))
        for protocol, ports in services:
            yield Grant(direction, protocol, called, ports, local)


def _services(points: IntervalSet) -> Iterator[tuple[int | None, Ports]]:
    """Yield the protocols of some points, None for every one, each with its ports or types, none for all of them."""
    if points == EVERY_SERVICE:
        yield None, ()
        return
    ports: dict[int, list[tuple[int, int]]] = {}
    for low, high in points:
        for protocol in range(low // BLOCK, high // BLOCK + 1):
            first, last = max(low - protocol * BLOCK, 0), min(high - protocol * BLOCK, BLOCK - 1)
            ports.setdefault(protocol, []).append((first, last))
    for protocol, spans in sorted(ports.items()):
        most = WITH_PORTS.get(protocol, 0)
        whole = spans == [(0, BLOCK - 1)]
        yield protocol, () if whole else tuple((low, min(high, most)) for low, high in spans if low <= most)


def lay_down(
    estate: Estate, order: Order, entries: Mapping[str, Emergency], execution: Execution, last: Collection[str] = ()
) -> Carried:
    """Have hosts hold an emergency and return what their kernels then have; the workspace keeps both.

    The `last` are told when the others have been: Ansible goes through them.
    """
    order = update_order(estate.directory, order, dict.fromkeys(entries, HostState.UNKNOWN))
    if order.released:
        raise InputError(f"{order.id} was released meanwhile", order.place, "begin a new one")
    batches = [[name for name in entries if (name in last) is late] for late in (False, True)]
    return _carry(estate, order, "quarantine", entries, HostState.HELD, execution, batches)


def carry(estate: Estate, order: Order, entries: Mapping[str, Emergency], execution: Execution) -> Carried:
    """Have more hosts hold what stands and return what their kernels then have; of the others all stays as it is."""
    return _carry(estate, order, "quarantine", entries, HostState.HELD, execution)


def variables_of(estate: Estate, order: Order, entries: Mapping[str, Emergency]) -> dict[str, object]:
    """Return the variables with which the playbook `quarantine` does the same; keep the emergency as not reached."""
    update_order(estate.directory, order, dict.fromkeys(entries, HostState.UNKNOWN))
    return {name: value for name, value in _variables(estate, order, entries).items() if value is not None}


def lift(
    estate: Estate, order: Order, hosts: Sequence[str], execution: Execution, first: Collection[str] = ()
) -> Carried:
    """Have hosts hold an emergency no more and return what their kernels then have; the workspace keeps both.

    The `first` are told before the others: Ansible goes through them.
    """
    order = update_order(estate.directory, order, order.hosts)
    execution.listener.problems(wait_for_others(estate.history.state, order, execution))
    batches = [[name for name in hosts if (name in first) is early] for early in (True, False)]
    given = dict.fromkeys(hosts, order.id)
    return _carry(estate, order, "release", given, HostState.RELEASED, execution, batches)


def _carry(
    estate: Estate,
    order: Order,
    playbook: str,
    given: Mapping[str, Emergency | str],
    wanted: HostState,
    execution: Execution,
    batches: Sequence[Sequence[str]] = (),
) -> Carried:
    from time import monotonic

    from ringfence.rollout import Interrupted

    began, interrupted = monotonic(), False
    # whom it is about first: what it is cut off from follows
    reasons: dict[str, str] = {}
    for batch in batches or [list(given)]:
        hosts = sorted(batch, key=lambda name: (name not in order.first.names, name))
        some = {name: given[name] for name in hosts}
        if not hosts or interrupted:
            continue
        try:
            with seen_at_hosts(estate.history.state, order) as seen:
                result = drive(estate, playbook, _variables(estate, order, some) | seen, hosts, execution)
        except Interrupted as stopped:
            result, interrupted = stopped.result, True
        states, why = _read_back(order, result, hosts, wanted)
        reasons |= why
        try:
            order = update_order(estate.directory, order, states)
        except RingfenceError as error:
            # what kernels hold is told all the same, and the next hosts are asked
            order = replace(order, hosts={**order.hosts, **states})
            execution.listener.problems([_unkept(order, error)])
    if not given:
        return Carried(order, wanted, {})
    return Carried(order, wanted, reasons, monotonic() - began, interrupted)


def _unkept(order: Order, error: RingfenceError) -> Problem:
    first = error.errors[0] if isinstance(error, InputErrors) else error
    remedy = f"hosts say by 'ringfence info' what they hold; end it by 'ringfence release {order.id} --everywhere'"
    return Problem(Severity.WARNING, f"what became of {order.id} is not kept: {first.message}", first.place, remedy)


def _variables(estate: Estate, order: Order, given: Mapping[str, Emergency | str]) -> dict[str, object]:
    """Return the variables of the playbooks: what each host is given, as lines, or the id that it gives up."""
    try:
        enforcers = decided_enforcers(estate)
    except RingfenceError:
        enforcers = {}
    texts = {
        host: entry if isinstance(entry, str) else emergency_lines.format([entry]) for host, entry in given.items()
    }
    return {
        "ringfence_hosts": ":".join(given),
        "ringfence_enforcers": enforcers,
        "ringfence_emergency": texts,
        "ringfence_control": _control(estate, given),
        "ringfence_approval": _approval(estate, order),
    }


def _approval(estate: Estate, order: Order) -> dict[str, str] | None:
    """Return the request that a permission was approved by, with its signature; None for one that nobody approved."""
    if order.kind is not Kind.PERMISSION:
        return None
    from ringfence.operations.request import approval_of

    return approval_of(estate.directory, order.id)


def _control(estate: Estate, hosts: Iterable[str]) -> dict[str, object] | None:
    """Return the control path of the workspace, None where it says none or a host has one of its own in its variables.

    Hosts that hold a plan know theirs, and every host keeps the way open that this comes by.
    """
    try:
        control, named = estate.workspace.settings.control, estate.snapshot.named()
    except RingfenceError:
        return None
    own = any(name in named and named[name].control not in (None, control) for name in hosts)
    return None if control is None or own else {"from": list(control.networks), "port": control.port}


def _read_back(
    order: Order, result: PlaybookResult, hosts: Sequence[str], wanted: HostState
) -> tuple[dict[str, HostState], dict[str, str]]:
    """Return by host what its kernel was read to have, and why that is not what was wanted."""
    states, reasons = {}, {}
    for name in hosts:
        host = result.hosts.get(name)
        ids = None if host is None or not host.ok else held_ids(host.result)
        if host is None or ids is None:
            states[name] = order.hosts.get(name, HostState.UNKNOWN)
            if states[name] is wanted:
                states[name] = HostState.UNKNOWN
            reasons[name] = (host.reason or host.state) if host else "not reached"
            continue
        states[name] = HostState.HELD if order.id in ids else HostState.RELEASED
        if states[name] is not wanted:
            drift = host.result.get("drift")
            said = [str(one) for one in drift if str(one).startswith(order.id)] if isinstance(drift, list) else []
            plain = "its kernel does not have it" if wanted is HostState.HELD else "its kernel still has it"
            reasons[name] = said[0] if said else plain
    return states, reasons


def held_ids(told: Mapping[str, object]) -> frozenset[str] | None:
    """Return the ids of the emergencies that a host's kernel was read to hold, None where it did not say."""
    text = told.get("emergencies")
    if not isinstance(text, str):
        return None
    try:
        return frozenset(entry.id for entry in emergency_lines.parse(text))
    except EmergencyError:
        return None
