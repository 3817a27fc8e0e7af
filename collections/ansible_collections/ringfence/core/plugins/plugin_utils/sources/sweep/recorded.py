"""Which addresses an inventory has already, by its hosts' variables and by what their names resolve to."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterable, Mapping
from queue import Empty, SimpleQueue
from threading import Thread

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import good_addresses

# Variables that say where a host is: ours, Ansible's, and those of usual inventory plug-ins.
_SAYING = (
    *("ringfence_addresses", "ansible_host", "ansible_ssh_host", "private_ip_address", "public_ip_address"),
    *("private_ip", "public_ip", "ip_address", "ip_addresses", "primary_ip4", "primary_ip6", "ipv4", "ipv6"),
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")
_THREADS = 16


def recorded(hosts: Mapping[str, Mapping[str, object]], seconds: float) -> frozenset[str]:
    """Return the addresses of hosts, by name with their variables.

    A host that says no address is asked for by the name that Ansible reaches it by; all answers together may take
    `seconds`, and what comes later does not count. With 0 nobody is asked.
    """
    found: set[str] = set()
    names: set[str] = set()
    for host, variables in hosts.items():
        said = good_addresses([host, *(text for key in _SAYING for text in _texts(variables.get(key)))])
        found.update(said)
        reached = variables.get("ansible_host") or host
        if not said and isinstance(reached, str) and _NAME.fullmatch(reached):
            names.add(reached)
    return frozenset(found | (_resolved(sorted(names), seconds) if seconds > 0 else set()))


def _resolved(names: list[str], seconds: float) -> set[str]:
    """Return what names resolve to; Python cannot end a question, so threads that wait on are left behind."""
    waiting: SimpleQueue[str] = SimpleQueue()
    answers: SimpleQueue[list[str]] = SimpleQueue()
    for name in names:
        waiting.put(name)
    for _ in range(min(_THREADS, len(names))):
        Thread(target=_resolve, args=(waiting, answers), daemon=True).start()
    found: set[str] = set()
    end = time.monotonic() + seconds
    for _ in names:
        try:
            found.update(answers.get(timeout=max(0.0, end - time.monotonic())))
        except Empty:
            break
    return found


def _resolve(waiting: SimpleQueue[str], answers: SimpleQueue[list[str]]) -> None:
    while not waiting.empty():
        try:
            told = socket.getaddrinfo(waiting.get_nowait(), None, proto=socket.IPPROTO_TCP)
        except Empty:
            return
        except (OSError, UnicodeError):
            told = []
        answers.put(good_addresses(one[4][0] for one in told))


def _texts(value: object) -> Iterable[object]:
    if isinstance(value, str):
        return re.split(r"[\s,;]+", value)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else ()
