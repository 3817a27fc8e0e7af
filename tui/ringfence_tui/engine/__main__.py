"""The engine process: `python -P -m ringfence_tui.engine SOCKET [--workspace DIR] [--read-only]`."""

from __future__ import annotations

import gc
import socket
import sys
from argparse import ArgumentParser
from pathlib import Path

from ringfence.files import refuse_writing

from ringfence_tui.engine.server import Server
from ringfence_tui.engine.session import EngineSession


def main() -> None:
    """Answer questions until the other end of the socket is closed."""
    parser = ArgumentParser(prog="ringfence_tui.engine")
    parser.add_argument("socket", type=int)
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--read-only", action="store_true")
    options = parser.parse_args()
    # as the command: assets and tables are many objects that stay
    gc.set_threshold(500_000, 20, 100)
    sys.setswitchinterval(0.002)
    if options.read_only:
        refuse_writing()
    session = EngineSession(options.workspace, read_only=options.read_only)
    Server(session, socket.socket(fileno=options.socket)).serve()


main()
