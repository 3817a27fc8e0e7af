# Copyright: the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The control group that each listening TCP socket carries, asked from the kernel by sock_diag(7).

nft matches a listener by the control group in which its socket was made. For a `.socket` unit that is the unit's own,
not that of the service which the socket is handed to, and no file under /proc tells it.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Dict, Iterator, Optional, Set, Tuple

NETLINK_SOCK_DIAG = 4  # include/uapi/linux/netlink.h
SOCK_DIAG_BY_FAMILY = 20  # include/uapi/linux/sock_diag.h
NLM_F_REQUEST_DUMP = 0x301
NLMSG_ERROR, NLMSG_DONE = 2, 3
INET_DIAG_CGROUP_ID = 21  # include/uapi/linux/inet_diag.h, since kernel 5.8
TCP_LISTEN_MASK = 1 << 10
HEADER = struct.Struct("=IHHII")
REQUEST = struct.Struct("=BBBBI48x")
MESSAGE_BYTES = 72  # struct inet_diag_msg: 4 bytes, the socket's identity (48), five numbers
INODE_AT = 68


def listener_cgroups(proc: str = "/proc") -> Dict[int, str]:
    """Return the cgroup2 path (no leading slash) that each listening TCP socket carries, by the socket's inode.

    Empty where the kernel does not say (before 5.8, or without cgroup2).
    """
    ids: Dict[int, int] = {}
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            ids.update(_dump(family))
        except OSError:
            return {}
    paths = _paths(set(ids.values()), proc) if ids else {}
    return {inode: paths[number] for inode, number in ids.items() if number in paths}


def _dump(family: int) -> Iterator[Tuple[int, int]]:
    """Yield inode and cgroup id of every listening TCP socket of a family."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as link:
        link.settimeout(5)
        body = REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, TCP_LISTEN_MASK)
        link.send(HEADER.pack(HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST_DUMP, 1, 0) + body)
        while True:
            data = link.recv(1 << 18)
            at = 0
            while at + HEADER.size <= len(data):
                length, kind = HEADER.unpack_from(data, at)[:2]
                if kind in (NLMSG_DONE, NLMSG_ERROR) or length < HEADER.size:
                    return
                message = data[at + HEADER.size : at + length]
                number = _cgroup_id(message)
                if number is not None:
                    yield struct.unpack_from("=I", message, INODE_AT)[0], number
                at += (length + 3) & ~3


def _cgroup_id(message: bytes) -> Optional[int]:
    at = MESSAGE_BYTES
    while at + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        if length < 4:
            return None
        if kind == INET_DIAG_CGROUP_ID and length >= 12:
            return struct.unpack_from("=Q", message, at + 4)[0]
        at += (length + 3) & ~3
    return None


def _paths(wanted: Set[int], proc: str) -> Dict[int, str]:
    """Return the path below the cgroup2 mount of each id; a control group's id is its directory's inode."""
    top = _mount(proc)
    found: Dict[int, str] = {}
    if top is None:
        return found
    for directory, _names, _files in os.walk(top):
        try:
            number = os.stat(directory).st_ino
        except OSError:
            continue
        if number in wanted:
            found[number] = os.path.relpath(directory, top) if directory != top else ""
            if len(found) == len(wanted):
                break
    return found


def _mount(proc: str) -> Optional[str]:
    """Return where cgroup2 is mounted, from /proc/self/mountinfo (proc(5)); None where it is not."""
    try:
        with open(os.path.join(proc, "self", "mountinfo"), encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                before, _dash, after = line.partition(" - ")
                if after.startswith("cgroup2 "):
                    return before.split()[4]
    except OSError:
        return None
    return None
