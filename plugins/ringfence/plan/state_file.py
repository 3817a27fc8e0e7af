"""Where a workspace keeps what its hosts are known to hold."""

from pathlib import Path

STATE_FILE = Path(".ringfence") / "state.json"
