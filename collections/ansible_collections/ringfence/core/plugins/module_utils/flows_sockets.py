# Copyright: the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sockets of this host's network namespace, read from /proc/net: who listens, and which connections stand."""

from __future__ import annotations

import os
import socket
import struct
from typing import Iterator, List, NamedTuple, Optional, Set, Tuple

TCP, UDP, SCTP = 6, 17, 132
# include/net/tcp_states.h, as proc(5) prints them; what is opening (SYN) has not been let through yet.
LISTEN, ESTABLISHED, CLOSE = 0x0A, 0x01, 0x07
STANDING = {ESTABLISHED, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0B}
ANY = ("0.0.0.0", "::")  # noqa: S104 - what others bound; nothing is bound here
MAPPED = "::ffff:"
CLIENT_PORTS = range(32768, 61000)
# What there is a row of, and the files below /proc/net.
SOCKET_FILES = (
    ("tcp", "tcp"),
    ("tcp", "tcp6"),
    ("udp", "udp"),
    ("udp", "udp6"),
    ("endpoint", "sctp/eps"),
    ("association", "sctp/assocs"),
)
_INET = {"tcp": TCP, "udp": UDP}


class Socket(NamedTuple):
    """One socket, with addresses as canonical text: an IPv4 address mapped into IPv6 is the IPv4 address.

    `inode` is 0 and `uid` None where the kernel keeps no owner (a connection in its last wait).
    """

    protocol: int
    local: str
    local_port: int
    remote: str
    remote_port: int
    listens: bool
    uid: Optional[int]
    inode: int


def sockets(proc: str = "/proc") -> Iterator[Socket]:
    """Yield every listening socket and every established connection."""
    for kind, path in SOCKET_FILES:
        for words in _rows(os.path.join(proc, "net", *path.split("/"))):
            found = socket_of(kind, words)
            if found is not None:
                yield found


def socket_of(kind: str, words: List[str], order: str = "=") -> Optional[Socket]:
    """Return the socket of a row of a file of SOCKET_FILES; None for one of no interest.

    `order` is the host's order of bytes, as the module struct writes it.
    """
    if kind in _INET:
        return _inet(words, _INET[kind], order)
    return _sctp_endpoint(words) if kind == "endpoint" else _sctp_association(words)


def local_addresses(proc: str = "/proc") -> Set[str]:
    """Return the addresses that this host holds, loopback among them."""
    found = set()
    previous = ""
    for words in _rows(os.path.join(proc, "net", "fib_trie"), header=False):
        if words[0] == "|--" and len(words) > 1:
            previous = words[1]
        elif words[:3] == ["/32", "host", "LOCAL"]:
            found.add(previous)
    for words in _rows(os.path.join(proc, "net", "if_inet6"), header=False):
        found.add(address_of(words[0]))
    return found


def address_of(digits: str) -> str:
    """Return the address of 32 hexadecimal digits, as /proc/net/if_inet6 has them."""
    return socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits))


def client_ports(proc: str = "/proc") -> range:
    """Return the ports from which the kernel gives clients theirs (ip_local_port_range)."""
    for words in _rows(os.path.join(proc, "sys", "net", "ipv4", "ip_local_port_range"), header=False):
        return range(int(words[0]), int(words[1]) + 1)
    return CLIENT_PORTS


def is_loopback(address: str) -> bool:
    """Return whether an address never leaves the host."""
    return address.startswith("127.") or address == "::1"


def is_address(text: str) -> bool:
    """Return whether a text is an address of one of the families."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
        except OSError:
            continue
        return True
    return False


def plain(address: str) -> str:
    """Return the IPv4 address that is mapped into an IPv6 one, else the address itself."""
    return address[len(MAPPED) :] if address.startswith(MAPPED) and "." in address else address


def _rows(path: str, header: bool = True) -> Iterator[List[str]]:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            if header:
                next(file, None)
            for line in file:
                words = line.split()
                if words:
                    yield words
    except OSError:  # the protocol is not loaded, or a kernel without it: nothing of it is there
        return


def _inet(words: List[str], protocol: int, order: str) -> Optional[Socket]:
    """Return the socket of a row of /proc/net/tcp, tcp6, udp or udp6 (proc(5)); None for one of no interest."""
    local, local_port = _end(words[1], order)
    remote, remote_port = _end(words[2], order)
    state, inode = int(words[3], 16), int(words[9])
    listens = state == (LISTEN if protocol == TCP else CLOSE)
    if not listens and state not in (STANDING if protocol == TCP else {ESTABLISHED}):
        return None
    if listens and local_port == 0:
        return None
    return Socket(protocol, local, local_port, remote, remote_port, listens, int(words[7]) if inode else None, inode)


def _end(text: str, order: str) -> Tuple[str, int]:
    """Return address and port of `0100007F:0016`: words of the host's byte order, then the port."""
    digits, _colon, port = text.partition(":")
    packed = b"".join(struct.pack(order + "I", int(digits[at : at + 8], 16)) for at in range(0, len(digits), 8))
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    return plain(socket.inet_ntop(family, packed)), int(port, 16)


def _sctp_endpoint(words: List[str]) -> Optional[Socket]:
    """Return the listener of a row of /proc/net/sctp/eps: ENDPT SOCK STY SST HBKT LPORT UID INODE LADDRS."""
    if len(words) < 9 or int(words[3]) != LISTEN:
        return None
    return Socket(SCTP, plain(words[8].lstrip("*")), int(words[5]), "", 0, True, int(words[6]), int(words[7]))


def _sctp_association(words: List[str]) -> Optional[Socket]:
    """Return the connection of a row of /proc/net/sctp/assocs.

    Its words are … ST(4) … UID(9) INODE LPORT RPORT LADDRS <-> RADDRS …; of each end's addresses the primary one
    (marked with a star) is taken, else the first.
    """
    if "<->" not in words or int(words[4]) != 3:  # SCTP_STATE_ESTABLISHED, include/net/sctp/constants.h
        return None
    middle = words.index("<->")
    remotes = []
    for word in words[middle + 1 :]:
        if "." not in word and ":" not in word:
            break
        remotes.append(word)
    local, remote = _primary(words[13:middle]), _primary(remotes)
    if not local or not remote:
        return None
    return Socket(SCTP, local, int(words[11]), remote, int(words[12]), False, int(words[9]), int(words[10]))


def _primary(addresses: List[str]) -> str:
    starred = [address for address in addresses if address.startswith("*")]
    return plain((starred or addresses or [""])[0].lstrip("*"))
