# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The order in which OpenSSH's client tries key exchanges, where seconds count and nobody has said another order.

`sntrup761x25519-sha512`, the first choice of OpenSSH 9.0 to 9.9, takes 0.14 s of the client's processor where
`curve25519-sha256` takes 0.02 s. It guards what is recorded today against a quantum computer of later; an order to
isolate a host has no secret, unless a password goes before it. So it comes last, and stays for hosts that know nothing
else.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import threading
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a program of many quick connections does without Ansible
    from ansible.plugins.connection import ConnectionBase

SLOW = "sntrup"
SECONDS = 5
_KEYWORD = "kexalgorithms "
_READS = "debug1: Reading configuration data "
# What in a file of a client's configuration may give one host another order than the next.
_OWN = re.compile(r"kexalgorithms|^\W*include\b.*%", re.IGNORECASE | re.MULTILINE)
# What clients told, by their arguments; and a lock each, so that of many threads one asks.
_told: dict = {}
_locks: dict = defaultdict(threading.Lock)


def with_quick_exchange(command: list) -> list:
    """Return a command of OpenSSH (`… -- HOST COMMAND`) that tries slow key exchanges last.

    It comes back as it is where it is another program, where the configuration of this host has an order of its own,
    and where nothing in the client's own order is slow.
    """
    if len(command) < 4 or command[-3] != "--":
        return command
    return [*command[:-3], *_quick_order(command[:-3], command[-2]), *command[-3:]]


def quick_exchange_of(connection: ConnectionBase) -> str:
    """Return the arguments of ssh by which a connection of Ansible tries slow key exchanges last.

    Empty where `with_quick_exchange` would change nothing, and where a password goes over the connection.
    """
    if connection.transport != "ssh" or connection.get_option("password"):
        return ""
    become = connection.become
    if become is not None and become.get_option("become_pass"):
        return ""
    words = [str(connection.get_option("ssh_executable"))]
    for name in ("ssh_args", "ssh_common_args", "ssh_extra_args"):
        words += shlex.split(connection.get_option(name) or "")
    for keyword, name in (("Port", "port"), ("User", "remote_user")):
        value = connection.get_option(name)
        words += ["-o", f"{keyword}={value}"] if value else []
    return " ".join(_quick_order(words, str(connection.get_option("host"))))


def _quick_order(words: list, host: str) -> list:
    """Return the option of a client by which it tries slow key exchanges with a host last; none where that is usual."""
    usual = _effective([words[0], "-F", "none"], "localhost")
    quick = ",".join(sorted(usual.split(","), key=lambda each: each.startswith(SLOW)))
    if quick == usual or _effective(words, host) != usual:
        return []
    return ["-o", f"KexAlgorithms={quick}"]


def _effective(words: list, host: str) -> str:
    """Return the key exchanges that a client would offer to a host, in its order; empty where it does not tell."""
    with _locks[tuple(words)]:
        if tuple(words) not in _told:
            order, files = _ask([*words, "-v"], host)
            _told[tuple(words)] = host, order, _alike(files)
    asked, order, alike = _told[tuple(words)]
    return order if alike or asked == host else _ask(words, host)[0]


def _alike(files: list) -> bool:
    """Return whether hosts cannot have orders of their own by these files: all that a client read."""
    try:
        for path in files:
            with open(path, encoding="utf-8", errors="replace") as file:
                if _OWN.search(file.read()):
                    return False
    except (OSError, ValueError):
        return False
    return bool(files)


def _ask(words: list, host: str) -> tuple:
    """Return the key exchanges that a client names for a host, and the files that it says to have read."""
    null = subprocess.DEVNULL
    command = [*words, "-G", "--", host]
    try:
        done = subprocess.run(command, stdin=null, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return "", []
    lines = [line for line in done.stdout.splitlines() if line.startswith(_KEYWORD)]
    files = [line.removeprefix(_READS) for line in done.stderr.splitlines() if line.startswith(_READS)]
    return (lines[0].removeprefix(_KEYWORD).strip() if lines and not done.returncode else ""), files
