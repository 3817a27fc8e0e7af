"""An emergency carried out on its hosts, and what their kernels were read to hold afterwards."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ringfence.estate.emergencies import update_order
from ringfence.model.emergencies import HostState, Kind, Order
from ringfence.model.errors import InputError, InputErrors, RingfenceError
from ringfence.model.problems import Problem, Severity
from ringfence.operations.drive import UNNAMED, drive
from ringfence.operations.emergency_turns import seen_at_hosts, seen_at_playbooks, wait_for_others
from ringfence.operations.hosts import decided_enforcers
from ringfence.wire import emergency_lines
from ringfence.wire.emergency_lines import Emergency, EmergencyError

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.operations.execution import Execution
    from ringfence.rollout import PlaybookResult

# The exit status where some hosts hold what was decided and others do not.
PARTIAL = 4
OUTSIDE = 3


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of an emergency on its hosts; `reasons` say why a host is not where it should be.

    `wanted` is the state that every host should be in, `interrupted` says that a person stopped it. `besides` are, by
    the id of another quarantine that stands, whom that isolates still; `forwarders` and `on_the_way` are those of the
    question (`ringfence.operations.quarantine.Cut`). `unasked` says that no host had to be asked:
    each was read to be as it should before.
    """

    order: Order
    wanted: HostState
    reasons: Mapping[str, str]
    seconds: float = 0.0
    interrupted: bool = False
    besides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    forwarders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    on_the_way: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
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
    def unnamed(self) -> tuple[str, ...]:
        """Return the hosts that were not asked because the inventory does not name them."""
        return tuple(name for name in self.missing if self.reasons.get(name) == UNNAMED)

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
    given = _variables(estate, order, entries) | seen_at_playbooks(estate.history.state, order)
    return {name: value for name, value in given.items() if value is not None}


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
        # what a kernel lacks that was to be laid down may be kept all the same, and is laid down by the next order
        lacks = HostState.RELEASED if wanted is HostState.RELEASED else HostState.UNKNOWN
        states[name] = HostState.HELD if order.id in ids else lacks
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
