# Copyright: the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Connections that the kernel tracks: entries of nf_conntrack, from /proc or the conntrack command."""

from __future__ import annotations

import os
import socket
import subprocess
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from ansible_collections.ringfence.core.plugins.module_utils.flows_sockets import TCP, plain

ICMP, ICMPV6 = 1, 58
COMMAND_SECONDS = 60


class Tracked(NamedTuple):
    """One connection with the addresses and ports that this host's filter sees.

    The client's are its own, the server's are those behind any destination NAT. `server_port` is the type for ICMP,
    None where the entry has none, and 0 for protocols without ports.
    """

    protocol: int
    client: str
    client_port: int
    server: str
    server_port: Optional[int]
    packets: int
    bytes: int


def tracked(proc: str = "/proc") -> Tuple[List[Tracked], str]:
    """Return the tracked connections, and where from: `proc`, `conntrack` (the command), or `none: ` and the reason."""
    path = os.path.join(proc, "net", "nf_conntrack")
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return list(_entries(file)), "proc"
    except OSError as error:
        reason = "{0}: {1}".format(path, error.strerror)
    found: List[Tracked] = []
    for family in ("ipv4", "ipv6"):
        try:
            result = subprocess.run(
                ["conntrack", "-L", "-f", family, "-o", "extended"],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            return [], "none: {0}; no conntrack command".format(reason)
        except (OSError, subprocess.TimeoutExpired) as error:
            return [], "none: {0}; conntrack: {1}".format(reason, error)
        if result.returncode != 0:
            said = result.stderr.decode("utf-8", "replace").strip().splitlines()
            return [], "none: {0}; conntrack: {1}".format(reason, said[-1] if said else result.returncode)
        found.extend(_entries(result.stdout.decode("ascii", "replace").splitlines()))
    return found, "conntrack"


def _entries(lines: Iterable[str]) -> Iterator[Tracked]:
    for line in lines:
        entry = parse(line)
        if entry is not None:
            yield entry


def parse(line: str) -> Optional[Tracked]:
    """Return the entry of a line such as `ipv4 2 tcp 6 431999 ESTABLISHED src=… dst=… sport=… dport=… src=… …`.

    None for what is no connection yet or no longer: TCP that was never answered or is closed. One-way traffic of other
    protocols (syslog) counts.
    """
    words = line.split()
    if len(words) < 6 or not words[3].isdigit():
        return None
    protocol = int(words[3])
    if protocol == TCP and (
        "[UNREPLIED]" in words or words[5] in ("SYN_SENT", "SYN_SENT2", "SYN_RECV", "CLOSE", "NONE")
    ):
        return None
    original: Dict[str, str] = {}
    reply: Dict[str, str] = {}
    for word in words[4:]:
        name, equals, value = word.partition("=")
        if not equals:
            continue
        if name in reply or name not in original:
            (reply if reply else original)[name] = value
        else:
            reply[name] = value
    if not {"src", "dst"} <= set(original) or "src" not in reply:
        return None
    if protocol in (ICMP, ICMPV6):
        client_port, server_port = 0, _number(original, "type") if "type" in original else None
    else:
        client_port, server_port = _number(original, "sport"), _number(reply, "sport")
    return Tracked(
        protocol,
        canonical(original["src"]),
        client_port,
        canonical(reply["src"]),
        server_port,
        _number(original, "packets") + _number(reply, "packets"),
        _number(original, "bytes") + _number(reply, "bytes"),
    )


def canonical(text: str) -> str:
    """Return an address as everything else writes it: /proc writes all digits of an IPv6 one."""
    if ":" not in text:
        return text
    try:
        return plain(socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, text)))
    except OSError:
        return text


def _number(values: Dict[str, str], name: str) -> int:
    text = values.get(name, "0")
    return int(text) if text.isdigit() else 0
