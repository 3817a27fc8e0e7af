"""What was seen between the isolated and everyone else: the connections that a quarantine would cut."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ringfence.estate.listening import SILENT
from ringfence.model.addresses import address_text, addresses_of, point_of
from ringfence.model.intervals import EMPTY, IntervalSet
from ringfence.model.services import BLOCK, service_texts
from ringfence.operations.emergency_ends import known
from ringfence.operations.execution import Execution
from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.interrupting import interruptible

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.emergencies import Order

MOST = 2000
TCP = 6


@dataclass(frozen=True, slots=True)
class SeenCut:
    """Connections of an isolated asset with one peer on one service; `to` where it opened them itself."""

    isolated: str
    peer: str
    to: bool
    service: str
    connections: int
    last: datetime

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return {
            "isolated": self.isolated,
            "peer": self.peer,
            "direction": "to" if self.to else "from",
            "service": self.service,
            "connections": self.connections,
            "last_seen": self.last.isoformat(),
        }


def cut_flows(estate: Estate, order: Order, flows: FlowSelection, execution: Execution | None = None) -> list[SeenCut]:
    """Return what a quarantine would cut of what was seen, the busiest first; nothing where nothing was seen.

    What comes over the control path to sshd of an isolated host stays open, and is left out.
    """
    execution = execution or Execution()
    window = flows.window(estate, execution.listener)
    try:
        with interruptible(execution, window.connection), execution.listener.working("looking what was seen"):
            if not len(window):
                return []
            _ = window.distinct
            words = [
                word for one in order.first.members for word in (one.name, *_addresses(one.addresses))
            ] + _addresses(order.first.outside)
            window.engine.put("isolated", {"word": "VARCHAR"}, [words])
            rows = window.engine.rows(_SEEN)
    finally:
        window.close()
    kept, ways = order.second, _ways_in(estate, order)
    found = []
    for isolated, peer, peer_address, to, protocol, port, connections, last in rows:
        if peer in kept.names or _within(peer_address, kept.addresses) or isolated == peer:
            continue
        networks, sshd = ways.get(str(isolated), (EMPTY, 0))
        if not to and (protocol, port) == (TCP, sshd) and _within(peer_address, networks):
            continue
        low = int(str(protocol)) * BLOCK + int(str(port or 0))
        high = low if port is not None else low + BLOCK - 1
        assert isinstance(last, datetime)
        service = service_texts(IntervalSet(((low, high),)))[0]
        when = last.replace(tzinfo=UTC)
        found.append(SeenCut(str(isolated), str(peer), bool(to), service, int(str(connections)), when))
    return found


def _ways_in(estate: Estate, order: Order) -> dict[str, tuple[IntervalSet, int]]:
    """Return the addresses that stay able to reach sshd of each host that is isolated on itself, and its port."""
    now = known(estate, SILENT)  # the quarantine has warned already
    hosts = [one for one in now.enforced() if one.name in order.first.names]
    controls = {one.name: one.control or now.settings.control for one in hosts}
    return {name: (addresses_of(one.networks), one.port) for name, one in controls.items() if one is not None}


_IS = "({side}_asset IN (SELECT word FROM isolated) OR {side} IN (SELECT word FROM isolated))"
# What two isolated ends send each other is told once.
_ONLY_SERVER = f"{_IS.format(side='server')} AND NOT coalesce({_IS.format(side='client')}, false)"
_SIDE = (
    "SELECT coalesce({near}_asset, {near}) AS isolated, coalesce({far}_asset, {far}) AS peer,"
    " any_value({far}) AS place, {to} AS opens, protocol, port,"
    " sum(connections) AS connections, max(last_seen) AS last FROM observations"
    " WHERE {which} GROUP BY ALL"
)
_SEEN = (
    "SELECT * FROM ("  # noqa: S608 - words of ours alone
    + _SIDE.format(near="client", far="server", to="true", which=_IS.format(side="client"))
    + " UNION ALL "
    + _SIDE.format(near="server", far="client", to="false", which=_ONLY_SERVER)
    + f") ORDER BY connections DESC, isolated, peer, protocol, port LIMIT {MOST}"
)


def _addresses(addresses: IntervalSet) -> list[str]:
    """Return single addresses as flows write them; of a range its flows are not looked for one by one."""
    return [address_text(low) for low, high in addresses if low == high]


def _within(address: object, addresses: IntervalSet) -> bool:
    return bool(addresses) and point_of(str(address)) in addresses
