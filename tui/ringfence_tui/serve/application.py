"""The application of one socket: `python -P -m ringfence_tui.serve.application --lifeline FD [--workspace DIR]`."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser
from pathlib import Path

ENDS_WITHIN = 3.0  # seconds


def main() -> int:
    """Run the application with the driver for the web until it is left, or the server is gone."""
    parser = ArgumentParser(prog="ringfence_tui.serve.application")
    parser.add_argument("--lifeline", type=int, required=True)
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--read-only", action="store_true")
    options = parser.parse_args()
    os.set_inheritable(options.lifeline, False)
    threading.Thread(target=_end_with, args=(options.lifeline,), daemon=True).start()

    from ringfence_tui.launch import open_application

    return open_application(options.workspace, read_only=options.read_only)


def _end_with(lifeline: int) -> None:
    """Wait until nobody holds the other end: then leave, politely for three seconds."""
    while os.read(lifeline, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ENDS_WITHIN)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
