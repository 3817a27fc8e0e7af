"""What runs on a lab host to try connections: real ones, from inside the control group of a unit.

Runs by itself with the standard library of Python 3.9 alone. Standard input is JSON: `{"patience": seconds, "tries":
[{"unit": name or null, "targets": [[address, "tcp" or "udp", port], …]}, …]}`. Standard output is a list for each try:
for each target whether an answer came, be it a refusal of the far kernel.
"""

from __future__ import annotations

import errno
import json
import os
import selectors
import socket
import sys
import time

GROUPS = "/sys/fs/cgroup/system.slice"
# The far kernel's own words: the packet went through both filters, and nobody listens.
ANSWERS = (0, errno.ECONNREFUSED, errno.ECONNRESET)


def main() -> None:
    """Try everything, each try in a process of its own, at the same time."""
    order = json.load(sys.stdin)
    running = [_start(one, order["patience"]) for one in order["tries"]]
    print(json.dumps([json.loads(_answer(pipe)) for pipe in running]))  # noqa: T201 - the answer


def _start(one: dict[str, object], patience: float) -> int:
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(reading)
        unit = one["unit"]
        if unit is not None:
            with open(f"{GROUPS}/{unit}/cgroup.procs", "w") as group:  # noqa: PTH123 - as small as can be
                group.write("0")
        answers = try_targets(one["targets"], patience)  # type: ignore[arg-type]  # the form is the docstring's
        os.write(writing, json.dumps(answers).encode())
        os._exit(0)
    os.close(writing)
    return reading


def _answer(pipe: int) -> bytes:
    parts = []
    while part := os.read(pipe, 65536):
        parts.append(part)
    return b"".join(parts)


def try_targets(targets: list[list[object]], patience: float) -> list[bool]:
    """Return for each target whether an answer came within `patience` seconds."""
    ready = selectors.DefaultSelector()
    answered = [False] * len(targets)
    for index, (address, protocol, port) in enumerate(targets):
        family = socket.AF_INET6 if ":" in str(address) else socket.AF_INET
        kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
        client = socket.socket(family, kind)
        client.setblocking(False)
        begun = client.connect_ex((str(address), int(str(port))))
        if protocol == "udp":
            try:
                client.send(b"?")
            except OSError as error:
                begun = error.errno or errno.EPERM
        if begun in (0, errno.EINPROGRESS):
            events = selectors.EVENT_WRITE if protocol == "tcp" else selectors.EVENT_READ
            ready.register(client, events, index)
        else:
            answered[index] = begun in ANSWERS
            client.close()
    until = time.monotonic() + patience
    while ready.get_map() and time.monotonic() < until:
        for key, _ in ready.select(until - time.monotonic()):
            client = key.fileobj  # type: ignore[assignment]  # the sockets registered above
            answered[key.data] = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) in ANSWERS
            ready.unregister(client)
            client.close()
    return answered


if __name__ == "__main__":
    main()
