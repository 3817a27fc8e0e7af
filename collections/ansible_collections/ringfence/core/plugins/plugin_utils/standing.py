# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Connections that stand on a host, judged by a verdict table."""

from __future__ import annotations

import ipaddress

from .table_lookup import Lookup


def denied_connections(table: dict, sockets: str) -> list[dict]:
    """Return the standing TCP connections that a table denies, sorted.

    `sockets` is the section of that name in a target's reply. Which process holds a socket is not told there,
    nor what a dynamic set holds: a connection that is denied for some processes or memberships only is returned with
    `certain: false` and must not be cut.
    """
    lines = [line.split() for line in sockets.splitlines()]
    listening = {fields[1] for fields in lines if fields[:1] == ["L"]}
    lookup = Lookup(table)
    found = []
    for fields in lines:
        if fields[:1] != ["S"] or len(fields) != 9:
            continue
        local, remote, local_port, remote_port = fields[3], fields[4], fields[5], fields[6]
        direction = "in" if local_port in listening else "out"
        if direction == "in" and lookup.in_control(remote, int(local_port)):
            continue
        port = int(local_port if direction == "in" else remote_port)
        verdicts = [
            verdict
            for unit in (None, *table[direction]["units"])
            for user in (None, *table[direction]["users"])
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
