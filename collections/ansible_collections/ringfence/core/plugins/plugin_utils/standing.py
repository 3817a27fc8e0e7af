# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Connections that stand on a host, judged by a verdict table."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from .table_lookup import Lookup


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
        if not self.told:
            return [None, *named]
        name = self.users.get(uid)
        return [name if name in named else None]


def denied_connections(table: dict, sockets: str, owners: str | None = None) -> list[dict]:
    """Return the standing TCP connections that a table denies, sorted.

    `sockets` and `owners` are the sections of these names in a target's replies. A connection that is denied for some
    of the processes that it may be of, or for some contents of dynamic sets, is returned with `certain: false` and must
    not be cut.
    """
    lines = [line.split() for line in sockets.splitlines()]
    listening = {fields[1] for fields in lines if fields[:1] == ["L"]}
    lookup = Lookup(table)
    whose = Owners.read(owners)
    found = []
    for fields in lines:
        if fields[:1] != ["S"] or len(fields) != 9:
            continue
        local, remote, local_port, remote_port, uid, inode = fields[3:]
        direction = "in" if local_port in listening else "out"
        if direction == "in" and lookup.in_control(remote, int(local_port)):
            continue
        port = int(local_port if direction == "in" else remote_port)
        verdicts = [
            verdict
            for unit in whose.possible_units(table[direction]["units"], inode)
            for user in whose.possible_users(table[direction]["users"], uid)
            for verdict in lookup.outcomes(direction, 6, port, local, remote, unit, user)
        ]
        denying = [verdict for verdict in verdicts if verdict["effect"] == "deny"]
        if denying:
            found.append(
                {
                    "direction": direction,
                    "local": str(ipaddress.ip_address(local)),
                    "local_port": int(local_port),
                    "remote": str(ipaddress.ip_address(remote)),
                    "remote_port": int(remote_port),
                    "rule": denying[0]["rule"],
                    "certain": len(denying) == len(verdicts),
                }
            )
    return sorted(found, key=lambda each: (each["direction"], each["local_port"], each["remote"], each["remote_port"]))


def cut_lines(connections: list[dict]) -> str:
    """Return the connections that may be cut as lines of the script: `family local remote local-port remote-port`."""
    return "\n".join(
        f"{ipaddress.ip_address(each['local']).version} {ipaddress.ip_address(each['local']).exploded} "
        f"{ipaddress.ip_address(each['remote']).exploded} {each['local_port']} {each['remote_port']}"
        for each in connections
        if each["certain"]
    )
