"""The two ends of a connection for the benchmark `packet`, run inside network namespaces: a server, a client."""

from __future__ import annotations

import resource
import socket
import struct
import sys
import time

PORT = 8443
NO_WAITING = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST, so no port stays in TIME_WAIT
BUFFER = bytes(1 << 20)


def serve(address: str) -> None:
    """Answer every connection: the first byte says whether to send one back or to swallow all that comes."""
    listener = socket.create_server((address, PORT), backlog=1024)
    print("ready", flush=True)
    into = bytearray(1 << 20)
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                if connection.recv(1) == b"c":
                    connection.send(b"x")
                    connection.recv(1)
                else:
                    while connection.recv_into(into):
                        pass
            except ConnectionResetError:
                pass


def connect(address: str, seconds: float) -> tuple[float, float]:
    """Open connections one after another, one byte each way; return how many a second, and CPU seconds of each."""
    count = 0
    began, spent = time.monotonic(), cpu()
    until = began + seconds
    while time.monotonic() < until:
        with socket.create_connection((address, PORT)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_WAITING)
            connection.send(b"c")
            connection.recv(1)
        count += 1
    return count / (time.monotonic() - began), (cpu() - spent) / count


def send(address: str, seconds: float) -> tuple[float, float]:
    """Send over one connection; return gigabytes a second, and CPU seconds of the sender for a gigabyte."""
    sent = 0
    with socket.create_connection((address, PORT)) as connection:
        connection.send(b"s")
        began, spent = time.monotonic(), cpu()
        until = began + seconds
        while time.monotonic() < until:
            connection.sendall(BUFFER)
            sent += len(BUFFER)
        return sent / 1e9 / (time.monotonic() - began), (cpu() - spent) / (sent / 1e9)


def cpu() -> float:
    """Return the processor time of this process; on veth the kernel's work for both ends is mostly charged to it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", where]:
            serve(where)
        case ["connect", where, how_long]:
            print(*connect(where, float(how_long)))
        case ["send", where, how_long]:
            print(*send(where, float(how_long)))
