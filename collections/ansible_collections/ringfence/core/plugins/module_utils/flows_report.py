# Copyright: the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host reports of its flows: listeners, connections with their processes, running units; aggregated."""

from __future__ import annotations

import os
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
NOT_ASKED = "not asked for"
NONE = "none: "


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
        times: int = 1,
    ) -> None:
        """Count a connection, or several that are told together."""
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
        row["connections"] += times
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


class Seen(NamedTuple):
    """What was read of a host, by Python there or by its shell: all that a report is made of.

    `held` is the pid that holds each socket, `tracked_by` where the tracked connections come from, `times` how many
    connections each of them stands for, `cgroups` the control group of a listening socket by inode, `names` of users by
    number, `unseen` what could not be read and why, as sentences.
    """

    sockets: List[Socket]
    processes: Dict[int, Process]
    held: Dict[int, int]
    own: Set[str]
    reserved: range
    tracked: List[Tracked]
    times: List[int]
    tracked_by: str
    cgroups: Dict[int, str]
    names: Dict[int, str]
    unseen: List[str]


def look(conntrack: bool, proc: str = "/proc") -> Seen:
    """Return what can be read of this host."""
    seen = list(sockets(proc))
    running = processes(proc)
    held = holders({one.inode for one in seen if one.inode}, proc)
    entries, origin = tracked(proc) if conntrack else ([], NOT_ASKED)
    numbers = {one.uid for one in seen if one.uid is not None} | {one.uid for one in running.values()}
    return Seen(
        seen,
        running,
        held,
        local_addresses(proc),
        client_ports(proc),
        entries,
        [1] * len(entries),
        origin,
        listener_cgroups(proc),
        {number: user_name(number) for number in numbers},
        _not_root(seen, held),
    )


def _not_root(seen: List[Socket], held: Dict[int, int]) -> List[str]:
    without = sum(1 for one in seen if one.inode and one.inode not in held)
    if os.geteuid() == 0 or not without:
        return []
    return ["the processes of {0} sockets are unknown: only root sees those of other users".format(without)]


def collect(options: Options, proc: str = "/proc") -> Dict[str, object]:
    """Return what this host reports, in the shape that the module documents (without `observed`)."""
    return report_of(look(options.conntrack, proc), options)


def report_of(seen: Seen, options: Options) -> Dict[str, object]:
    """Return the report of what was read of a host."""
    whose = {inode: seen.processes[pid] for inode, pid in seen.held.items() if pid in seen.processes}
    known_by = Owners(whose, seen.names)
    listening = [one for one in seen.sockets if one.listens]
    listeners = Listeners(((one, known_by.who(one)) for one in listening), seen.reserved)
    report = Report(options, seen.own)
    counts = {entry[:5]: (entry.packets, entry.bytes) for entry in seen.tracked}
    known: Set[tuple] = set()
    for one in seen.sockets:
        if not one.listens:
            _add_socket(report, one, listeners, known_by, counts, known)
    for number, entry in enumerate(seen.tracked):
        if entry[:5] not in known:
            _add_tracked(report, entry, seen.times[number], listeners, seen.own)
    flows, left_out = report.rows()
    return {
        "addresses": sorted(address for address in seen.own if not is_loopback(address)),
        "listeners": _listener_rows(listening, known_by, seen.reserved, seen.cgroups),
        "flows": flows,
        "left_out": left_out,
        "conntrack": seen.tracked_by,
        "units": units(seen.processes.values(), seen.names),
        "unseen": [*seen.unseen, *_untracked(seen.tracked_by)],
    }


def _untracked(tracked_by: str) -> List[str]:
    if not tracked_by.startswith(NONE):
        return []
    why = tracked_by[len(NONE) :]
    return ["short connections and most of UDP are unknown: connection tracking cannot be read ({0})".format(why)]


class Owners:
    """Whose a socket is: the process that holds it, and the user that it belongs to."""

    def __init__(self, whose: Dict[int, Process], names: Dict[int, str]) -> None:
        self._whose = whose
        self._names = names

    def who(self, one: Socket) -> Who:
        """Return who a socket belongs to, as far as it is known."""
        process = self._whose.get(one.inode)
        user = self._names.get(one.uid, str(one.uid)) if one.uid is not None else None
        if process is None:
            return Who(user=user)
        return Who(process.unit, user, process.name, process.pid)


def _add_socket(
    report: Report,
    one: Socket,
    listeners: Listeners,
    owners: Owners,
    counts: Dict[tuple, Tuple[int, int]],
    known: Set[tuple],
) -> None:
    incoming = listeners.incoming(one)
    client, server = (one.remote, one.local) if incoming else (one.local, one.remote)
    ports = (one.remote_port, one.local_port) if incoming else (one.local_port, one.remote_port)
    key = (one.protocol, client, ports[0], server, ports[1])
    known.add(key)
    who = owners.who(one)
    if incoming and who.process is None:
        who = listeners.takes(one.protocol, one.local, one.local_port) or who
    report.add(client, server, ports[1], one.protocol, "in" if incoming else "out", who, counts.get(key, (0, 0)))


def _add_tracked(report: Report, entry: Tracked, times: int, listeners: Listeners, own: Set[str]) -> None:
    who = Who()
    if entry.server in own:
        direction = "in"
        who = listeners.takes(entry.protocol, entry.server, entry.server_port) or who
    else:
        direction = "out" if entry.client in own else "forward"
    counts = (entry.packets, entry.bytes)
    report.add(entry.client, entry.server, entry.server_port, entry.protocol, direction, who, counts, times)


def _listener_rows(
    listening: List[Socket], owners: Owners, reserved: range, cgroups: Dict[int, str]
) -> List[Dict[str, object]]:
    rows: Dict[tuple, Dict[str, object]] = {}
    for one in listening:
        who = owners.who(one)
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
