"""Who works here, as runs, drafts, emergencies and accepted facts name people."""

from __future__ import annotations

import getpass
import os


def person() -> str:
    """Return a person by login name, sudo's caller before its user, else by number, as in a container without users."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
