"""The addresses that are this machine's own: a plan knows by them where Ansible comes from."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ringfence.model.addresses import address_text, addresses_of, family_of, point_of

if TYPE_CHECKING:
    from ringfence.estate import Estate

LOOPBACK = addresses_of(["127.0.0.0/8", "::1"])
NOBODYS = (point_of("192.0.2.1"), point_of("2001:db8::1"))  # RFC 5737, RFC 3849: for documentation


def own_addresses(estate: Estate, names: Iterable[str]) -> frozenset[int]:
    """Return the addresses of hosts that belong to this machine: the kernel lets it send from these only.

    Every machine has loopback addresses, and behind a forwarded port there may be another machine. A kernel that
    allows any source address (ip_nonlocal_bind) proves nothing.
    """
    assets = estate.snapshot.named()
    return own_points(point for name in names if name in assets for point in assets[name].addresses)


def own_points(points: Iterable[int]) -> frozenset[int]:
    """Return those addresses that belong to this machine, as above."""
    if any(map(_is_own, NOBODYS)):
        return frozenset()
    return frozenset(point for point in set(points) if point not in LOOPBACK and _is_own(point))


def _is_own(point: int) -> bool:
    family = socket.AF_INET6 if family_of(point) == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address_text(point), 0))
    except OSError:
        return False
    return True
