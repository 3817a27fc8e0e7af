"""What an intruder does on a lab host: keeps a session up, and scans.

Runs by itself with the standard library of Python 3.9 alone, until its input ends. The first line of standard input is
JSON: `{"unit": name or null, "session": [address, port], "scan": [[address, port], …]}`. Standard output is a line of
JSON for each round: whether the `session` still answers, and how many of the scanned ports `answered`.
"""

from __future__ import annotations

import errno
import json
import select
import socket
import sys
import time

GROUPS = "/sys/fs/cgroup/system.slice"
PATIENCE = 0.7
ANSWERS = (0, errno.ECONNREFUSED, errno.ECONNRESET)


def main() -> None:
    """Go on until nobody listens any more."""
    order = json.loads(sys.stdin.readline())
    if order["unit"] is not None:
        with open(f"{GROUPS}/{order['unit']}/cgroup.procs", "w") as group:  # noqa: PTH123 - as small as can be
            group.write("0")
    session = socket.create_connection(tuple(order["session"]), 5)
    session.settimeout(PATIENCE)
    while not select.select([sys.stdin], [], [], 0)[0]:
        told = {"session": _alive(session), "answered": _scanned(order["scan"])}
        print(json.dumps(told), flush=True)  # noqa: T201 - what it found
        time.sleep(0.2)


def _alive(session: socket.socket) -> bool:
    try:
        session.send(b"still here\n")
        return bool(session.recv(4096))
    except OSError:
        return False


def _scanned(targets: list[list[object]]) -> int:
    """Return how many of some ports answer, be it by a refusal."""
    waiting, answered = [], 0
    for address, port in targets:
        client = socket.socket(socket.AF_INET6 if ":" in str(address) else socket.AF_INET, socket.SOCK_STREAM)
        client.setblocking(False)
        begun = client.connect_ex((str(address), int(str(port))))
        if begun == errno.EINPROGRESS:
            waiting.append(client)
        else:
            answered += begun in ANSWERS
            client.close()
    until = time.monotonic() + PATIENCE
    while waiting and time.monotonic() < until:
        for client in select.select([], waiting, [], max(0, until - time.monotonic()))[1]:
            answered += client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) in ANSWERS
            waiting.remove(client)
            client.close()
    for client in waiting:
        client.close()
    return answered


if __name__ == "__main__":
    main()
