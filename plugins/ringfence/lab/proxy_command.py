"""The way into a lab's network, run inside it: hand ssh a connection, or wait until hosts answer.

Run by itself (`python -I -S proxy_command.py …`), started anew for every ssh connection: the standard library alone,
and little of it. Importing `socket` takes as long as Python's start, so this uses what `socket` stands on.
`connect ADDRESS PORT` passes the open connection to ssh (ProxyUseFdpass) and ends, so that nothing is left between;
`connect ADDRESS PORT SECONDS` does not wait for it longer than that. `wait SECONDS PORT NAME=ADDRESS…` prints each name
when its port greets.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import _socket
import sys
import time


def connect(address: str, port: str, seconds: str = "10") -> int:
    """Pass a connection to the caller over standard output; return an exit status, 1 where none is made in time."""
    connection = _connection(address)
    try:
        connection.settimeout(float(seconds))
        connection.connect((address, int(port)))
    except OSError as error:
        print(f"{address} port {port}: {error}", file=sys.stderr)  # noqa: T201 - what ssh shows
        return 1
    connection.settimeout(None)
    passed = connection.fileno().to_bytes(4, sys.byteorder)
    caller = _socket.socket(fileno=1)
    caller.sendmsg([b"\0"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, passed)])
    return 0


def wait(seconds: str, port: str, *hosts: str) -> int:
    """Print each host as it greets; return 0 when all did, 1 when some did not in time."""
    left = dict(host.split("=", 1) for host in hosts)
    deadline = time.monotonic() + float(seconds)
    while left and time.monotonic() < deadline:
        for name, address in list(left.items()):
            if _greets(address, int(port)):
                print(name, flush=True)  # noqa: T201 - the answer
                del left[name]
        time.sleep(0.02 if left else 0)
    return 1 if left else 0


def _greets(address: str, port: int) -> bool:
    connection = _connection(address)
    try:
        connection.settimeout(0.2)
        connection.connect((address, port))
        return connection.recv(4) == b"SSH-"
    except OSError:
        return False
    finally:
        connection.close()


def _connection(address: str) -> _socket.socket:
    return _socket.socket(_socket.AF_INET6 if ":" in address else _socket.AF_INET, _socket.SOCK_STREAM)


if __name__ == "__main__":
    # A terminal's interrupt comes here too; whoever started this tells of it.
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    sys.exit(connect(*sys.argv[2:]) if sys.argv[1] == "connect" else wait(*sys.argv[2:]))
