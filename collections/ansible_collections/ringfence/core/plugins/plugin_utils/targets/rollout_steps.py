# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a rollout is doing on a host right now, written into the directory of its run for whoever looks on."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime, timezone

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.run_files import STEPS_FILE

HELD, LOADS, CONFIRMS, ASKS = "held", "loads", "confirms", "asks"


class Steps:
    """Tells the steps of one host; without a run nobody is told."""

    def __init__(self, run: str | None, host: str) -> None:
        self._path = os.path.join(run, STEPS_FILE) if run else None
        self._host = host

    def tell(self, step: str, seconds: float | None = None) -> None:
        """Write that a step begins, with the seconds that it may last where that is known.

        A line goes down in one write, so that lines of many hosts never mix. A disk that is full stops no rollout.
        """
        if self._path is None:
            return
        line = {"time": datetime.now(timezone.utc).isoformat(), "host": self._host, "step": step, "seconds": seconds}
        with suppress(OSError):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, json.dumps(line, sort_keys=True).encode() + b"\n")
            finally:
                os.close(descriptor)


NOBODY = Steps(None, "")
