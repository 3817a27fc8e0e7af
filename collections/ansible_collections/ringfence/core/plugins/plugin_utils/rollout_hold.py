# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Holding a rollout before its next wave, for as long as the control file of its run says so."""

from __future__ import annotations

import json
import os
import time

LOOK = 0.5


def hold_before(wave: int, run: str | None) -> None:
    """Return when a wave may begin: at once without a run, and where a host of it has begun already."""
    if not run:
        return
    begun = os.path.join(run, f"wave-{wave}")
    while not os.path.exists(begun) and _paused(run):
        time.sleep(LOOK)
    with open(begun, "ab"):
        pass


def _paused(run: str) -> bool:
    """Return whether people want a pause; a control file that is missing or damaged wants none."""
    try:
        with open(os.path.join(run, "control.json"), "rb") as file:
            wanted = json.load(file)
    except (OSError, ValueError):
        return False
    return isinstance(wanted, dict) and wanted.get("pause") is True
