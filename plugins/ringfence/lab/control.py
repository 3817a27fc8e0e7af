"""Talk to a lab's supervisor over its control socket."""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from ringfence.model.errors import OutsideError

NAME = "control"


def ask(directory: Path, request: Mapping[str, str]) -> dict[str, object]:
    """Return the supervisor's answer; raises OutsideError where it refuses or cannot be reached."""
    try:
        with _connected(directory) as connection, connection.makefile("rw") as stream:
            stream.write(json.dumps(request) + "\n")
            stream.flush()
            text = stream.read()
    except OSError as error:
        raise OutsideError(f"the lab's first process does not answer: {error}", remedy="ringfence lab down") from error
    if not text:
        raise OutsideError(
            f"the lab's first process failed at {dict(request)}", remedy=f"see {directory}/supervisor.log"
        )
    answer = cast(dict[str, object], json.loads(text))
    if "error" in answer:
        raise OutsideError(str(answer["error"]))
    return answer


def peer(directory: Path) -> int:
    """Return the id, as seen here, of the process that listens; raises OSError while there is none."""
    with _connected(directory) as connection:
        data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", data)[0])


def _connected(directory: Path) -> socket.socket:
    """Connect through a handle of the directory: the name of a socket is at most 107 bytes long."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    handle = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        connection.settimeout(20)
        connection.connect(f"/proc/self/fd/{handle}/{NAME}")
    except OSError:
        connection.close()
        raise
    finally:
        os.close(handle)
    return connection
