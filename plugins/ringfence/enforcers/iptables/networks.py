"""Ranges of addresses cut into networks: ipset cuts IPv4's itself and refuses IPv6's, and knows no network of all."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.addresses import V6_BASE, address_text
from ringfence.model.intervals import IntervalSet

BITS = {4: 32, 6: 128}


def networks_of(addresses: IntervalSet) -> list[str]:
    """Return the texts of the fewest networks that hold exactly some addresses; all of a family are two halves."""
    return [text for low, high in addresses for text in _networks(low, high)]


def _networks(low: int, high: int) -> Iterator[str]:
    bits, base = (BITS[6], V6_BASE) if low >= V6_BASE else (BITS[4], 0)
    while low <= high:
        number = low - base
        free = (number & -number).bit_length() - 1 if number else bits - 1
        free = min(free, (high - low + 1).bit_length() - 1)
        text = address_text(low)
        yield f"{text}/{bits - free}" if free else text
        low += 1 << free
