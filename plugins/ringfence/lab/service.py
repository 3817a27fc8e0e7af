"""What every unit of a lab host runs: listeners that answer and steady exchanges with other hosts.

Runs on the host, by itself, with the standard library of Python 3.9 alone. Its one argument is JSON:
`{"name", "listens": ["tcp/80", …], "talks": [{"addresses": […], "port": "tcp/80", "every": seconds}, …]}`.
A listener answers what it is sent with `NAME PORT ` and the same again, and keeps a connection until the client closes
it.
"""

from __future__ import annotations

import json
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypedDict

PATIENCE = 2.0  # seconds that one exchange may take
EXCHANGES_KEPT = 10  # how many a connection serves
EVERYWHERE = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}  # noqa: S104 - the host's own network namespace


class Talk(TypedDict):
    """Where to and how often, in seconds."""

    addresses: list[str]
    port: str
    every: float


class Task(TypedDict):
    """What one unit does."""

    name: str
    listens: list[str]
    talks: list[Talk]


def main() -> None:
    """Serve and talk forever."""
    task: Task = json.loads(sys.argv[1])
    ready = selectors.DefaultSelector()
    for text in task["listens"]:
        for listener in _listeners(text):
            ready.register(listener, selectors.EVENT_READ, _receiver(task["name"], text, listener, ready))
    for talk in task["talks"]:
        threading.Thread(target=_keep_talking, args=(talk,), daemon=True).start()
    while not ready.get_map():
        signal.pause()  # a unit that only talks
    while True:
        for key, _ in ready.select():
            key.data()


def _listeners(text: str) -> Iterator[socket.socket]:
    protocol, _, port = text.partition("/")
    for family, address in EVERYWHERE.items():
        listener = socket.socket(family, _kind(protocol))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setblocking(False)
        listener.bind((address, int(port)))
        if protocol == "tcp":
            listener.listen(128)
        yield listener


def _receiver(name: str, text: str, listener: socket.socket, ready: selectors.BaseSelector) -> Callable[[], None]:
    greeting = f"{name} {text} ".encode()

    def accept() -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return  # the client has gone again
        connection.setblocking(False)
        ready.register(connection, selectors.EVENT_READ, lambda: answer(connection))

    def answer(connection: socket.socket) -> None:
        try:
            data = connection.recv(4096)
            if data:
                connection.send(greeting + data)
                return
        except OSError:
            pass  # reset, or not read by the client: either way the connection is over
        ready.unregister(connection)
        connection.close()

    def answer_datagram() -> None:
        try:
            data, sender = listener.recvfrom(4096)
            listener.sendto(greeting + data, sender)
        except OSError:
            return  # an ICMP error of an earlier answer, or a policy that forbids this one

    return accept if listener.type == socket.SOCK_STREAM else answer_datagram


def _keep_talking(talk: Talk) -> None:
    """Talk as services with a pool of connections do: each is kept for some exchanges, then opened anew."""
    open_now: dict[str, socket.socket] = {}
    exchanges = 0
    while True:
        time.sleep(talk["every"])
        exchanges += 1
        for address in talk["addresses"]:
            client = open_now.pop(address, None) or _opened(address, talk["port"])
            if client is None:
                continue
            if _exchanged(client) and exchanges % EXCHANGES_KEPT:
                open_now[address] = client
            else:
                client.close()


def _opened(address: str, text: str) -> socket.socket | None:
    """Return a connection, None where it is refused or unanswered; that is tried again next time."""
    protocol, _, port = text.partition("/")
    client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, _kind(protocol))
    client.settimeout(PATIENCE)
    try:
        client.connect((address, int(port)))
    except OSError:
        client.close()
        return None
    return client


def _exchanged(client: socket.socket) -> bool:
    try:
        client.send(b"hello\n")
        return bool(client.recv(4096))
    except OSError:
        return False


def _kind(protocol: str) -> socket.SocketKind:
    return socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM


if __name__ == "__main__":
    main()
