# Copyright: the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host reports of its flows: listeners, connections with their processes, running units; aggregated."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Set, Tuple

from ansible_collections.ringfence.core.plugins.module_utils.flows_conntrack import Tracked, tracked
from ansible_collections.ringfence.core.plugins.module_utils.flows_diag import listener_cgroups
from ansible_collections.ringfence.core.plugins.module_utils.flows_processes import (
    Process,
    holders,
    processes,
    unit_of,
    units,
    user_name,
)
from ansible_collections.ringfence.core.plugins.module_utils.flows_sockets import (
    ANY,
    UDP,
    Socket,
    client_ports,
    is_loopback,
    local_addresses,
    sockets,
)

PROTOCOL_NAMES = {1: "icmp", 6: "tcp", 17: "udp", 47: "gre", 50: "esp", 58: "icmpv6", 132: "sctp"}


class Options(NamedTuple):
    """What to look at: conntrack beside the sockets, traffic that stays on the host, and flows reported at most."""

    conntrack: bool = True
    loopback: bool = False
    limit: int = 20000


class Who(NamedTuple):
    """The process at this host's end of a flow, as far as it is known."""

    unit: Optional[str] = None
    user: Optional[str] = None
    process: Optional[str] = None
    pid: Optional[int] = None


class Listeners:
    """The listening sockets of a host, to be asked which of them took a connection."""

    def __init__(self, listening: Iterable[Tuple[Socket, Who]], reserved: range) -> None:
        self._who: Dict[Tuple[int, int], Dict[str, Who]] = {}
        self._reserved = reserved
        for one, who in listening:
            self._who.setdefault((one.protocol, one.local_port), {}).setdefault(one.local, who)

    def takes(self, protocol: int, address: str, port: Optional[int]) -> Optional[Who]:
        """Return who listens on an address and port, None where nobody does."""
        by_address = self._who.get((protocol, port), {}) if port is not None else {}
        for candidate in (address, *ANY):
            if candidate in by_address:
                return by_address[candidate]
        return None

    def incoming(self, one: Socket) -> bool:
        """Return whether the remote end opened a connection, because somebody listens on its local port.

        Where the listener is gone already, the server is the end whose port is not one that clients get.
        """
        who = self.takes(one.protocol, one.local, one.local_port)
        if one.protocol == UDP and who is not None and one.local_port in self._reserved:
            return one.remote_port in self._reserved
        return who is not None or (one.local_port not in self._reserved and one.remote_port in self._reserved)


class Report:
    """Collects flows by (client, server, port, protocol, direction, process)."""

    def __init__(self, options: Options, own: Set[str]) -> None:
        self.options = options
        self._own = own
        self._flows: Dict[tuple, Dict[str, Any]] = {}

    def add(
        self,
        client: str,
        server: str,
        port: Optional[int],
        protocol: int,
        direction: str,
        who: Who,
        counts: Tuple[int, int] = (0, 0),
    ) -> None:
        """Count one connection."""
        if not self.options.loopback and self._stays(client, server):
            return
        key = (client, server, port, protocol, direction, who.unit, who.user, who.process)
        row = self._flows.get(key)
        if row is None:
            row = self._flows[key] = {
                "client": client,
                "server": server,
                "port": port,
                "protocol": PROTOCOL_NAMES.get(protocol, str(protocol)),
                "direction": direction,
                "unit": who.unit,
                "user": who.user,
                "process": who.process,
                "pid": who.pid,
                "connections": 0,
                "packets": 0,
                "bytes": 0,
            }
        row["connections"] += 1
        row["packets"] += counts[0]
        row["bytes"] += counts[1]

    def _stays(self, client: str, server: str) -> bool:
        """Return whether the traffic stays on this host: a host reaches its own addresses by its loopback interface."""
        return is_loopback(client) or is_loopback(server) or (client in self._own and server in self._own)

    def rows(self) -> Tuple[List[Dict[str, object]], int]:
        """Return the flows, the busiest first, and how many of them were left out over the limit."""
        rows = sorted(
            self._flows.values(),
            key=lambda row: (-row["connections"], row["client"], row["server"], row["protocol"], row["port"] or 0),
        )
        return rows[: self.options.limit], max(len(rows) - self.options.limit, 0)


def collect(options: Options, proc: str = "/proc") -> Dict[str, object]:
    """Return what this host reports, in the shape that the module documents (without `observed`)."""
    seen = list(sockets(proc))
    running = processes(proc)
    held = holders({one.inode for one in seen if one.inode}, proc)
    whose = {inode: running[pid] for inode, pid in held.items() if pid in running}
    listening = [one for one in seen if one.listens]
    reserved = client_ports(proc)
    listeners = Listeners(((one, _who(one, whose)) for one in listening), reserved)
    own = local_addresses(proc)
    report = Report(options, own)
    entries, origin = tracked(proc) if options.conntrack else ([], "not asked for")
    counts = {entry[:5]: (entry.packets, entry.bytes) for entry in entries}
    known: Set[tuple] = set()
    for one in seen:
        if not one.listens:
            _add_socket(report, one, listeners, whose, counts, known)
    for entry in entries:
        if entry[:5] not in known:
            _add_tracked(report, entry, listeners, own)
    flows, left_out = report.rows()
    return {
        "addresses": sorted(address for address in own if not is_loopback(address)),
        "listeners": _listener_rows(listening, whose, reserved, proc),
        "flows": flows,
        "left_out": left_out,
        "conntrack": origin,
        "units": units(running.values()),
    }


def _add_socket(
    report: Report,
    one: Socket,
    listeners: Listeners,
    whose: Dict[int, Process],
    counts: Dict[tuple, Tuple[int, int]],
    known: Set[tuple],
) -> None:
    incoming = listeners.incoming(one)
    client, server = (one.remote, one.local) if incoming else (one.local, one.remote)
    ports = (one.remote_port, one.local_port) if incoming else (one.local_port, one.remote_port)
    key = (one.protocol, client, ports[0], server, ports[1])
    known.add(key)
    who = _who(one, whose)
    if incoming and who.process is None:
        who = listeners.takes(one.protocol, one.local, one.local_port) or who
    report.add(client, server, ports[1], one.protocol, "in" if incoming else "out", who, counts.get(key, (0, 0)))


def _add_tracked(report: Report, entry: Tracked, listeners: Listeners, own: Set[str]) -> None:
    who = Who()
    if entry.server in own:
        direction = "in"
        who = listeners.takes(entry.protocol, entry.server, entry.server_port) or who
    else:
        direction = "out" if entry.client in own else "forward"
    counts = (entry.packets, entry.bytes)
    report.add(entry.client, entry.server, entry.server_port, entry.protocol, direction, who, counts)


def _who(one: Socket, whose: Dict[int, Process]) -> Who:
    process = whose.get(one.inode)
    user = user_name(one.uid) if one.uid is not None else None
    if process is None:
        return Who(user=user)
    return Who(process.unit, user, process.name, process.pid)


def _listener_rows(
    listening: List[Socket], whose: Dict[int, Process], reserved: range, proc: str
) -> List[Dict[str, object]]:
    cgroups = listener_cgroups(proc)
    rows: Dict[tuple, Dict[str, object]] = {}
    for one in listening:
        who = _who(one, whose)
        path = cgroups.get(one.inode)
        socket_unit = unit_of("0::/" + path)[0] if path else None
        row = {
            "protocol": PROTOCOL_NAMES[one.protocol],
            "address": one.local,
            "port": one.local_port,
            **who._asdict(),
            "socket_unit": socket_unit if socket_unit != who.unit else None,
            "ephemeral": one.protocol == UDP and one.local_port in reserved,
        }
        rows.setdefault((one.protocol, one.local_port, one.local, who), row)
    return [rows[key] for key in sorted(rows, key=lambda key: (*key[:3], key[3].pid or 0))]
