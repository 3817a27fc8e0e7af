"""In a network namespace: ends of connections. Reads orders as lines of JSON and answers with one each."""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
import threading
import time


def main() -> None:
    """Serve orders until the input ends."""
    for line in sys.stdin:
        order = json.loads(line)
        answer = listen(order["ports"]) if order["do"] == "listen" else tried(order["probes"], order["patience"])
        print(json.dumps(answer), flush=True)


def listen(ports: list[int]) -> list[int]:
    """Echo what comes to TCP and UDP ports of both families."""
    poll = select.epoll()
    known: dict[int, tuple[socket.socket, str]] = {}
    for port in ports:
        for kind, name in ((socket.SOCK_STREAM, "tcp"), (socket.SOCK_DGRAM, "udp")):
            for family, where in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
                one = socket.socket(family, kind)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                one.bind((where, port))
                if name == "tcp":
                    one.listen(64)
                one.setblocking(False)
                known[one.fileno()] = (one, name)
                poll.register(one, select.EPOLLIN)

    def serve() -> None:
        while True:
            for number, _ in poll.poll():
                one, name = known[number]
                try:
                    if name == "tcp":
                        connection, _ = one.accept()
                        connection.setblocking(False)
                        known[connection.fileno()] = (connection, "open")
                        poll.register(connection, select.EPOLLIN)
                    elif name == "udp":
                        data, peer = one.recvfrom(100)
                        one.sendto(data, peer)
                    elif data := one.recv(100):
                        one.send(data)
                    else:
                        poll.unregister(one)
                        one.close()
                except OSError:
                    pass

    threading.Thread(target=serve, daemon=True).start()
    return ports


def tried(probes: list[list], patience: float) -> list[bool]:
    """Return which of some `[source, destination, protocol, port]` are answered within some seconds, all at once."""
    found = [False] * len(probes)
    poll = select.epoll()
    waiting: dict[int, tuple[int, socket.socket]] = {}
    for index, (source, destination, protocol, port) in enumerate(probes):
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        try:
            one = _begun(family, source, destination, protocol, port, index)
        except OSError:
            continue
        waiting[one.fileno()] = (index, one)
        poll.register(one, select.EPOLLOUT if protocol == 6 else select.EPOLLIN)
    end = time.monotonic() + patience
    while waiting and time.monotonic() < end:
        for number, event in poll.poll(max(0, end - time.monotonic())):
            if number not in waiting:
                continue
            index, one = waiting[number]
            try:
                if event & select.EPOLLOUT and not event & (select.EPOLLERR | select.EPOLLHUP):
                    one.send(b"x")
                    poll.modify(one, select.EPOLLIN)
                    continue
                data = one.recv(2000)
                if probes[index][2] in (1, 58) and not _answers(data, probes[index][2], index):
                    continue
                found[index] = bool(data)
            except OSError:
                pass
            poll.unregister(one)
            one.close()
            del waiting[number]
    for _, one in waiting.values():
        one.close()
    return found


def _begun(family: int, source: str, destination: str, protocol: int, port: int, index: int) -> socket.socket:
    kind = {6: socket.SOCK_STREAM, 17: socket.SOCK_DGRAM}.get(protocol, socket.SOCK_RAW)
    one = socket.socket(family, kind, protocol)
    one.setblocking(False)
    one.bind((source, 0))
    if protocol == 6:
        one.connect_ex((destination, port))
    elif protocol == 17:
        one.connect((destination, port))
        one.send(b"x")
    else:
        one.connect((destination, 0))
        head = struct.pack("!BBHHH", port, 0, 0, os.getpid() & 0xFFFF, index)
        one.send(head if protocol == 58 else struct.pack("!BBHHH", port, 0, _sum(head), os.getpid() & 0xFFFF, index))
    return one


def _sum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def _answers(data: bytes, protocol: int, index: int) -> bool:
    if protocol == 1:
        data = data[(data[0] & 15) * 4 :]
    kind, _, _, identity, sequence = struct.unpack("!BBHHH", data[:8])
    return kind == {1: 0, 58: 129}[protocol] and identity == os.getpid() & 0xFFFF and sequence == index


if __name__ == "__main__":
    main()
