# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Holding a rollout before its next wave, for as long as the control file of its run says so."""

from __future__ import annotations

import json
import os
import time

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.run_files import CONTROL_FILE, lives

from .rollout_steps import HELD, NOBODY, Steps

LOOK = 0.5


def hold_before(wave: int, run: str | None, steps: Steps = NOBODY) -> None:
    """Return when a host of a wave may begin: at once without a run, and where another of the wave has begun already.

    Raise PlanError where the process of the run is gone: an Ansible that it left behind begins no other host.
    """
    if not run:
        return
    begun = os.path.join(run, f"wave-{wave}")
    told = False
    while lives(run) and not os.path.exists(begun) and _paused(run):
        if not told:
            steps.tell(HELD)
            told = True
        time.sleep(LOOK)
    if not lives(run):
        raise PlanError("run", f"the process of run {os.path.basename(run)} was killed; the rollout has ended")
    with open(begun, "ab"):
        pass


def _paused(run: str) -> bool:
    """Return whether people want a pause; a control file that is missing or damaged wants none."""
    try:
        with open(os.path.join(run, CONTROL_FILE), "rb") as file:
            wanted = json.load(file)
    except (OSError, ValueError):
        return False
    return isinstance(wanted, dict) and wanted.get("pause") is True
