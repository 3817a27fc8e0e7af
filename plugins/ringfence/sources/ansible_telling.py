"""Within `ansible-inventory`: tell through a pipe of each source as it begins, ends or fails, a line of JSON each.

Nothing that Ansible does or prints becomes another: its own functions are called, and what they raise goes on.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

LONGEST = 400  # characters of a reason
# What the first of Ansible's own readers says of every file that is not for it.
_NOT_FOR_IT = "no root 'plugin' key found"


class _Teller:
    """Writes the lines, and counts the hosts that the source in hand names."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.hosts: set[str] = set()
        self.reasons: list[str] = []

    def tell(self, source: str, stage: str, seconds: float = 0.0, why: str = "") -> None:
        """Tell a step; where nobody reads any more, nothing is told."""
        step = {"source": source, "stage": stage, "hosts": len(self.hosts), "seconds": seconds, "why": why[:LONGEST]}
        with suppress(OSError):
            os.write(self.descriptor, f"{json.dumps(step)}\n".encode())

    def reason(self) -> str:
        """Return why a source failed: of several readers the first whose kind of file it is."""
        apt = [reason for reason in self.reasons if _NOT_FOR_IT not in reason]
        return next(iter(apt or self.reasons), "")


def tell_sources(descriptor: int) -> None:
    """Have Ansible's manager of inventories tell of its sources. Raise ImportError, AttributeError for another one."""
    import_module("ansible.cli.inventory")  # first, as the command itself does
    from ansible.inventory import data, manager

    os.set_inheritable(descriptor, False)  # scripts that are inventories do not get it
    teller = _Teller(descriptor)
    kind: Any = manager.InventoryManager
    hosts: Any = data.InventoryData
    kind.parse_source = _parse_told(kind.parse_source, teller)
    kind._fetch_inventory_plugins = _plugins_told(kind._fetch_inventory_plugins, teller)
    hosts.add_host = _hosts_told(hosts.add_host, teller)


def _parse_told(parse_source: Callable[..., Any], teller: _Teller) -> Callable[..., Any]:
    def parse_told(self: Any, source: Any, *arguments: Any, **options: Any) -> Any:
        if os.path.isdir(source):  # noqa: PTH112  # as Ansible asks it; each of its files comes by here
            return parse_source(self, source, *arguments, **options)
        teller.hosts, teller.reasons = set(), []
        teller.tell(source, "began")
        began, parsed = time.monotonic(), False
        try:
            parsed = parse_source(self, source, *arguments, **options)
        finally:
            stage, why = ("ended", "") if parsed else ("failed", teller.reason())
            teller.tell(source, stage, time.monotonic() - began, why)
        return parsed

    return parse_told


def _plugins_told(fetch: Callable[..., Any], teller: _Teller) -> Callable[..., Any]:
    def fetched(self: Any) -> Any:
        plugins = fetch(self)
        for plugin in plugins:
            plugin.parse = _reasons_told(plugin.parse, teller)
        return plugins

    return fetched


def _reasons_told(parse: Callable[..., Any], teller: _Teller) -> Callable[..., Any]:
    def parsed(*arguments: Any, **options: Any) -> Any:
        try:
            return parse(*arguments, **options)
        except Exception as error:
            teller.reasons.append(str(error))
            raise

    return parsed


def _hosts_told(add_host: Callable[..., Any], teller: _Teller) -> Callable[..., Any]:
    def added(self: Any, host: Any, *arguments: Any, **options: Any) -> Any:
        given = add_host(self, host, *arguments, **options)
        teller.hosts.add(str(given))
        return given

    return added
