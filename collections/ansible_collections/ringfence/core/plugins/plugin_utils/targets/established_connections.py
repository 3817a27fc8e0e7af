# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Established connections of a host, judged by a verdict table."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_lookup import Lookup

TCP, UDP = 6, 17
MESSAGES = (1, 58)
WITH_PORTS = (6, 17, 132)
# Ports of a DHCP client and a server that answers it (RFC 2131, 8415): a built-in lets them in.
DHCP = {(68, 67), (546, 547)}


@dataclass(frozen=True)
class Owners:
    """Whose the sockets of a host are: cgroups by inode, units by cgroup, and the uids of named users.

    `told` says that the host was asked for its users, so that a user without a uid is none of its own.
    """

    told: bool = False
    cgroups: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def read(section: str | None) -> Owners:
        """Return what the section `owners` of a target's reply says; None where the target was not asked."""
        if section is None:
            return Owners()
        found = Owners(told=True)
        for kind, first, *rest in (line.split() for line in section.splitlines() if line):
            if kind == "C":
                found.cgroups[first] = "".join(rest)
            elif kind == "U" and rest:
                found.units[rest[0]] = first
            elif kind == "N":
                found.users[rest[0]] = first
        return found

    def possible_units(self, named: list[str], inode: str) -> list[str | None]:
        """Return the named units that a socket may be of, None for none of them: one where the kernel told it."""
        if named and inode not in self.cgroups:
            return [None, *named]
        path = self.cgroups.get(inode, "")
        while path:
            if self.units.get(path) in named:
                return [self.units[path]]
            path = path.rpartition("/")[0]
        return [None]

    def possible_users(self, named: list[str], uid: str) -> list[str | None]:
        """Return the named users that a uid may be, None for none of them: one where the host was asked."""
        if not self.told or uid == "-":
            return [None, *named]
        name = self.users.get(uid)
        return [name if name in named else None]


@dataclass(frozen=True)
class Connection:
    """An established connection.

    `way` is `in` where the far end is its client; `answers` and `answered` are an `out` and an `in` that may be the
    other way round, because tracking began in the middle of the connection.

    For messages (ICMP) `local_port` is the type and `remote_port` that of the answer, -1 where it is unknown; for
    protocols without ports both are 0.
    """

    protocol: int
    way: str
    local: str
    remote: str
    local_port: int
    remote_port: int
    uid: str
    inode: str

    @property
    def directions(self) -> tuple[str, ...]:
        """Return the directions to judge it in, the one that it probably has first."""
        return {"answers": ("in", "out"), "answered": ("out", "in")}.get(self.way, (self.way,))

    def port(self, direction: str) -> int:
        """Return the service's port, or a message's type."""
        return self.local_port if direction == "in" or self.protocol in MESSAGES else self.remote_port

    @property
    def key(self) -> tuple[int, str, str, str, int, int]:
        """Return what tells it apart."""
        return self.protocol, self.way, self.local, self.remote, self.local_port, self.remote_port


def standing(sockets: str) -> list[Connection]:
    """Return the connections of a target's section `sockets` or `flows`, without what the built-ins let through."""
    lines = [line.split() for line in sockets.splitlines()]
    listening = {fields[1] for fields in lines if fields[:1] == ["L"] and len(fields) == 2}
    found: dict[tuple, Connection] = {}
    for fields in lines:
        if fields[:1] == ["S"] and len(fields) == 9:
            local, remote, local_port, remote_port, uid, inode = fields[3:]
            way = "in" if local_port in listening else "out"
            one = Connection(TCP, way, local, remote, int(local_port), int(remote_port), uid, inode)
        elif fields[:1] == ["F"] and len(fields) == 11:
            protocol, way, local, remote, local_port, remote_port, uid, inode = fields[2:10]
            answer = -1 if remote_port == "-" else int(remote_port)
            one = Connection(int(protocol), way, local, remote, int(local_port), answer, uid, inode)
            if one.protocol == UDP and one.way == "in" and (one.local_port, one.remote_port) in DHCP:
                continue
        else:
            continue
        found.setdefault(one.key, one)
    return list(found.values())


def denied_connections(table: dict, sockets: str, owners: str | None = None, rules: dict | None = None) -> list[dict]:
    """Return the standing connections that a table denies, sorted.

    `sockets` and `owners` are the sections of these names in a target's replies. A connection that is denied for some
    of the processes that it may be of, or for some contents of dynamic sets, is returned with `certain: false` and must
    not be cut. `rules` are those of a plan: where several deny it, one of the tier emergency is named.
    """
    urgent = _urgent(rules or {})
    lookup = Lookup(table)
    whose = Owners.read(owners)
    found = []
    for one in standing(sockets):
        if one.protocol == TCP and one.way == "in" and lookup.in_control(one.remote, one.local_port):
            continue
        judged = [(direction, _verdicts(table, lookup, whose, one, direction)) for direction in one.directions]
        # what the policy allows in the direction that it probably has stands by that
        if len(judged) > 1 and all(verdict["effect"] == "allow" for verdict in judged[0][1]):
            continue
        direction, verdicts = judged[-1]
        denying = [verdict for verdict in verdicts if verdict["effect"] == "deny"]
        if not denying:
            continue
        named = [verdict["rule"] for verdict in denying]
        passes = len(judged) > 1 and any(verdict["effect"] != "deny" for verdict in judged[0][1])
        found.append(
            {
                "protocol": one.protocol,
                "direction": direction,
                "local": str(ipaddress.ip_address(one.local)),
                "local_port": one.local_port,
                "remote": str(ipaddress.ip_address(one.remote)),
                "remote_port": one.remote_port,
                "rule": next((one for one in named if one in urgent), named[0]),
                "certain": len(denying) == len(verdicts) and not passes,
            }
        )
    order = ("direction", "protocol", "local_port", "remote", "remote_port")
    return sorted(found, key=lambda each: tuple(each[name] for name in order))


def _verdicts(table: dict, lookup: Lookup, whose: Owners, one: Connection, direction: str) -> list[dict]:
    """Return what a table says of a connection, for every process that it may be of."""
    units, users = table[direction]["units"], table[direction]["users"]
    if direction == "in" and one.protocol not in (TCP, UDP):
        units = []  # the kernel looks up listeners of TCP and UDP alone: the policy takes others for no unit's
    return [
        verdict
        for unit in whose.possible_units(units, one.inode)
        for user in whose.possible_users(users, one.uid)
        for verdict in lookup.outcomes(direction, one.protocol, one.port(direction), one.local, one.remote, unit, user)
    ]


def to_cut(connections: list[dict], rules: dict, *, every: bool) -> list[dict]:
    """Return the denied connections that are to end: every certain one, or those that an emergency's rule denies.

    `rules` are those of a plan.
    """
    urgent = _urgent(rules)
    return [each for each in connections if each["certain"] and (every or each["rule"] in urgent)]


def _urgent(rules: dict) -> set[str]:
    return {name for name, rule in rules.items() if rule.get("emergency") is True}


def emergencies(table: dict, rules: dict) -> bool:
    """Return whether a rule of the tier emergency denies something in a table; `rules` are those of a plan."""
    urgent = _urgent(rules)
    return any(piece[2] == "deny" and piece[3] in urgent for pieces in table["services"].values() for piece in pieces)


def left_out(sockets: str) -> list[str]:
    """Return what a target could not tell of its flows, a sentence each."""
    told = []
    for fields in map(str.split, sockets.splitlines()):
        if fields == ["U"]:
            told.append(
                "connection tracking cannot be read on this host (no /proc/net/nf_conntrack, conntrack or python3): "
                "flows of UDP and other protocols that stand are not known, and not ended"
            )
        elif fields[:1] == ["M"] and len(fields) == 2 and re.fullmatch("[0-9]{1,15}", fields[1]):
            told.append(f"{fields[1]} more flows on this host were not listed: they are neither checked nor ended")
    return told


def cut_lines(connections: list[dict]) -> str:
    """Return the certain ones of some connections as lines: `family protocol local remote local-port remote-port`.

    Messages and what has no ports are named by client and server instead; see `cut_elements` of the target.
    """
    return "\n".join(dict.fromkeys(cut_line(each) for each in connections if each["certain"]))


def cut_line(each: dict) -> str:
    """Return one connection as a line of the script."""
    local, remote = (ipaddress.ip_address(each[end]) for end in ("local", "remote"))
    ports: tuple[object, object] = (each["local_port"], each["remote_port"])
    if each["protocol"] not in WITH_PORTS and each["direction"] == "in":
        local, remote = remote, local
    if each["protocol"] in MESSAGES and each["remote_port"] < 0:
        ports = (each["local_port"], "-")
    return " ".join(map(str, (local.version, each["protocol"], local.exploded, remote.exploded, *ports)))
