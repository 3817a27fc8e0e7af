"""A target and a peer in two network namespaces, and sessions between them: TCP, UDP, ICMP, both families."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.unit.enforcers.nft_kernel import Kernel, open_kernel

TARGET, PEER, OTHER = ("10.203.0.2", "fd52:6600:0:1::2"), ("10.203.0.3", "fd52:6600:0:1::3"), ("10.203.0.4",)
ALL = frozenset({"tcp4", "tcp6", "udp4", "udp6", "icmp4", "icmp6"})
SERVER = """
import select, socket, sys
kinds = [(socket.AF_INET6, socket.SOCK_STREAM), (socket.AF_INET6, socket.SOCK_DGRAM)]
heard = []
for family, kind in kinds:
    one = socket.socket(family, kind)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("::", 7000))
    if kind == socket.SOCK_STREAM:
        one.listen()
    heard.append(one)
listener, datagrams = heard
aside = socket.socket(fileno=int(sys.argv[1]))
heard.append(aside)
print("ready", flush=True)
while True:
    for one in sorted(select.select(heard, [], [])[0], key=lambda one: one is aside):
        if one is aside:
            # all that had come before it has its answer
            if not aside.recv(1) or not aside.send(b"."):
                sys.exit()
        elif one is listener:
            heard.append(one.accept()[0])
        elif one is datagrams:
            one.sendto(*one.recvfrom(100))
        else:
            try:
                data = one.recv(100)
            except OSError:
                data = b""
            if data:
                one.sendall(data)
            else:
                heard.remove(one)
                one.close()
"""
CLIENT = """
import select, socket, struct, sys, time
target, patience = sys.argv[2:], 0.5
aside = socket.socket(fileno=int(sys.argv[1]))
families = {"4": socket.AF_INET, "6": socket.AF_INET6}
def opened(name):
    family = families[name[-1]]
    if name.startswith("icmp"):
        proto = socket.IPPROTO_ICMP if name[-1] == "4" else socket.IPPROTO_ICMPV6
        one = socket.socket(family, socket.SOCK_RAW, proto)
    else:
        one = socket.socket(family, socket.SOCK_STREAM if name.startswith("tcp") else socket.SOCK_DGRAM)
    one.setblocking(False)
    one.connect_ex((target[name[-1] == "6"], 0 if name.startswith("icmp") else 7000))
    return one
number = 0
def asks(name):
    word = b"%08d" % number
    if name.startswith("icmp"):
        kind = 8 if name[-1] == "4" else 128
        total = sum(struct.unpack("!8H", struct.pack("!BBHHH", kind, 0, 0, 7, number) + word))
        total = (total & 0xffff) + (total >> 16)
        word = struct.pack("!BBHHH", kind, 0, ~((total & 0xffff) + (total >> 16)) & 0xffff, 7, number) + word
    return word
def answered():
    global number
    number += 1
    silent, unsent, found = dict(sessions), dict(sessions), []
    # who is silent still is asked for once more when the server has come to all that was sent, on a busy machine later
    until, looks = time.monotonic() + patience, 2
    while silent and looks:
        left = until - time.monotonic()
        if left <= 0:
            looks -= 1
            if looks:
                aside.send(b".")
                aside.recv(1)
                aside.send(b".")
                aside.recv(1)
                until = time.monotonic() + 0.1
            continue
        heard, free, _ = select.select(silent.values(), unsent.values(), [], left)
        for name, one in list(silent.items()):
            try:
                if one in free:
                    del unsent[name]
                    one.send(asks(name))
                if one in heard and b"%08d" % number in one.recv(200):
                    found.append(name)
                    del silent[name]
            except OSError:
                silent.pop(name, None)
                unsent.pop(name, None)
    return found
sessions = {}
for line in sys.stdin:
    sessions.update((name, opened(name)) for name in line.split()[1:])
    print(*answered(), flush=True)
"""


class Sessions:
    """Sessions of a peer to the target; the kernels of both."""

    def __init__(self, target: Kernel, peer: Kernel) -> None:
        self.target, self.peer = target, peer
        # beside the link the client asks the server whether it has come to all that was sent
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._server = self._run(target, SERVER, ours)
            assert self._server.stdout
            self._server.stdout.readline()
            self._client = self._run(peer, CLIENT, theirs, *TARGET)

    @staticmethod
    def _run(kernel: Kernel, program: str, aside: socket.socket, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*kernel.entered, sys.executable, "-c", program, str(aside.fileno()), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=(aside.fileno(),),
        )

    def open(self, *names: str) -> frozenset[str]:
        """Open sessions anew, and return which of all get an answer."""
        return self._ask(f"open {' '.join(names)}")

    def alive(self) -> frozenset[str]:
        """Return which of the sessions that stand get an answer."""
        return self._ask("ask")

    def _ask(self, line: str) -> frozenset[str]:
        assert self._client.stdin
        assert self._client.stdout
        self._client.stdin.write(f"{line}\n")
        self._client.stdin.flush()
        return frozenset(self._client.stdout.readline().split())

    def close(self) -> None:
        """End both programs."""
        for process in (self._client, self._server):
            process.kill()
            process.communicate()


@contextmanager
def linked() -> Iterator[Sessions]:
    """A target and a peer on one link, with a server on the target, and no session yet."""
    target, peer = open_kernel(), open_kernel()
    try:
        target.run("ip", "link", "add", "link0", "type", "veth", "peer", "name", "link0", "netns", str(peer.pid))
        for kernel, addresses in ((target, TARGET), (peer, PEER + OTHER)):
            for name in ("lo", "link0"):
                kernel.run("ip", "link", "set", name, "up")
            for address in addresses:
                if ":" in address:
                    kernel.run("ip", "address", "add", f"{address}/64", "dev", "link0", "nodad")
                else:
                    kernel.run("ip", "address", "add", f"{address}/16", "dev", "link0")
        sessions = Sessions(target, peer)
        yield sessions
        sessions.close()
    finally:
        target.close()
        peer.close()
