# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The order in which OpenSSH's client tries key exchanges, where seconds count and nobody has said another order.

`sntrup761x25519-sha512`, the first choice of OpenSSH 9.0 to 9.9, takes 0.14 s of the client's processor where
`curve25519-sha256` takes 0.02 s. It guards what is recorded today against a quantum computer of later; an order to
isolate a host has no secret. So it comes last, and stays for hosts that know nothing else.
"""

from __future__ import annotations

import subprocess
from functools import lru_cache

SLOW = "sntrup"
SECONDS = 5
_KEYWORD = "kexalgorithms "


def with_quick_exchange(command: list) -> list:
    """Return a command of OpenSSH (`… -- HOST COMMAND`) that tries slow key exchanges last.

    It comes back as it is where it is another program, where the configuration of this host has an order of its own,
    and where nothing in the client's own order is slow.
    """
    if len(command) < 4 or command[-3] != "--":
        return command
    usual = _exchanges((command[0], "-F", "none"), "localhost")
    quick = ",".join(sorted(usual.split(","), key=lambda each: each.startswith(SLOW)))
    if quick == usual or _exchanges(tuple(command[:-3]), command[-2]) != usual:
        return command
    return [*command[:-3], "-o", f"KexAlgorithms={quick}", *command[-3:]]


@lru_cache(maxsize=None)
def _exchanges(words: tuple, host: str) -> str:
    """Return the key exchanges that a client would offer to a host, in its order; empty where it does not tell."""
    command = [*words, "-G", "--", host]
    null = subprocess.DEVNULL
    try:
        done = subprocess.run(command, stdin=null, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ""
    lines = [line for line in done.stdout.splitlines() if line.startswith(_KEYWORD)]
    return lines[0].removeprefix(_KEYWORD).strip() if lines and not done.returncode else ""
