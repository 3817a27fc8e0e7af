"""Where a workspace keeps what its hosts are known to hold, and whether anything is known."""

import os
from pathlib import Path

from ringfence.wire.plan_format import JOURNAL_FILE

STATE_FILE = Path(".ringfence") / "state.json"


def anything_known(workspace: Path, plans: Path) -> bool:
    """Return whether hosts were ever asked, or a rollout ever began: else nothing has to be read to know nothing."""
    return os.path.lexists(workspace / STATE_FILE) or any(plans.glob(f"[!.]*/{JOURNAL_FILE}"))
