# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The order in which OpenSSH's client tries key exchanges, where seconds count and nobody has said another order.

`sntrup761x25519-sha512`, the first choice of OpenSSH 9.0 to 9.9, takes 0.14 s of the client's processor where
`curve25519-sha256` takes 0.02 s. It guards what is recorded today against a quantum computer of later; an order to
isolate a host has no secret, unless a password goes before it. So it comes last, and stays for hosts that know nothing
else.
"""

from __future__ import annotations

import shlex
import subprocess
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a program of many quick connections does without Ansible
    from ansible.plugins.connection import ConnectionBase

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
    usual = _exchanges((words[0], "-F", "none"), "localhost")
    quick = ",".join(sorted(usual.split(","), key=lambda each: each.startswith(SLOW)))
    if quick == usual or _exchanges(tuple(words), host) != usual:
        return []
    return ["-o", f"KexAlgorithms={quick}"]


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
