# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The script that tells, look by look, what is new on a host: shared parts, and the denials of its enforcer."""

from __future__ import annotations

import os
from functools import lru_cache

from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers import enforcement

from .script_parts import SHARED, at_once, part_text

PARTS = ("watch_denials", "sockets", "watch")
# Lines of one look; what is more is counted.
MOST = 2000
# An enforcer whose targets run no shell script remembers no denials that this one could read.
_NO_DENIALS = "watch_denials='function denials() { }'\n"


@lru_cache(maxsize=None)
def watch_script(enforcer: str) -> str:
    """Return the standard input of `sh -s`, after which each line of digits asks for a look.

    It comes as one word and runs when the last line has come. Raise PlanError where this release has no part for the
    enforcer.
    """
    own = os.path.join(os.path.dirname(enforcement(enforcer).__file__ or ""), "script")
    text = f"rf_most={MOST}\n"
    for part in PARTS:
        text += part_text(part, (own, SHARED)) or _NO_DENIALS
    return at_once(f"{text}watch_run\n")
