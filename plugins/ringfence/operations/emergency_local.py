"""Hosts of an emergency that Ansible does not connect to: what they are told acts on this machine instead."""

from __future__ import annotations

import socket
from collections.abc import Collection
from typing import TYPE_CHECKING

from ringfence.operations.own_addresses import own_points

if TYPE_CHECKING:
    from ringfence.model.assets import Asset
    from ringfence.operations.emergency_ends import Known


def told_to_this_machine(now: Known, names: Collection[str]) -> tuple[str, ...]:
    """Return those of some hosts whose connection is `local` although they are, as far as is known, another machine."""
    local = [one for one in now.snapshot.assets if one.name in names and _connection(one) == "local"]
    if not local:
        return ()
    own = own_points(point for one in local for point in one.addresses)
    here = {"localhost", "127.0.0.1", "::1", *_names(socket.gethostname())}
    return tuple(sorted(one.name for one in local if not _names(one.name) & here and own.isdisjoint(one.addresses)))


def _connection(asset: Asset) -> str:
    return str(asset.attributes.get("ansible_connection", "")).rpartition(".")[2]


def _names(name: str) -> frozenset[str]:
    """Return a host's name as it is compared: with and without its domain."""
    return frozenset({name.lower(), name.lower().partition(".")[0]})
