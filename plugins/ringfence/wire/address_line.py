"""Addresses as points on one line of integers, as in a verdict table: IPv4 at its number, IPv6 at its number + 2^33.

The gap between the families keeps neighbouring intervals of different families from fusing.
"""

from __future__ import annotations

import socket

V6_BASE = 1 << 33
FAMILIES = {4: (0, (1 << 32) - 1), 6: (V6_BASE, V6_BASE + (1 << 128) - 1)}


def point_of(text: str) -> int:
    """Return the point of an address. Raises ValueError if it is none."""
    try:
        if ":" in text:
            return V6_BASE + int.from_bytes(socket.inet_pton(socket.AF_INET6, text), "big")
        return int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
    except OSError as error:
        raise ValueError(f"'{text}' is not a valid address") from error


def interval_of(text: str) -> tuple[int, int]:
    """Return the closed interval of `a`, `a-b` or `a/length`.

    Raises ValueError for anything else: also for a range that ends before it begins or is of two families, and for an
    address with host bits beside a length.
    """
    low_text, dash, high_text = text.partition("-")
    if dash:
        low, high = point_of(low_text), point_of(high_text)
        if low > high or (low >= V6_BASE) != (high >= V6_BASE):
            raise ValueError(f"'{text}' is not a valid range of addresses")
        return low, high
    address, slash, length = text.partition("/")
    low = point_of(address)
    if not slash:
        return low, low
    whole = 128 if low >= V6_BASE else 32
    if not (length.isascii() and length.isdigit() and int(length) <= whole):
        raise ValueError(f"'{text}' is not a valid network")
    size = 1 << (whole - int(length))
    if (low - (V6_BASE if whole == 128 else 0)) % size:
        raise ValueError(f"'{text}' has host bits set")
    return low, low + size - 1


def address_text(point: int) -> str:
    """Return the text of a point as inet_ntop(3) writes it: the same under every version of Python."""
    if point >= V6_BASE:
        return socket.inet_ntop(socket.AF_INET6, (point - V6_BASE).to_bytes(16, "big"))
    return socket.inet_ntoa(point.to_bytes(4, "big"))


def range_text(low: int, high: int) -> str:
    """Return `a` or `a-b`."""
    return address_text(low) if low == high else f"{address_text(low)}-{address_text(high)}"


def fused(intervals: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return sorted intervals with overlapping and adjacent ones made one."""
    whole: list[tuple[int, int]] = []
    for low, high in sorted(intervals):
        if whole and low <= whole[-1][1] + 1:
            if high > whole[-1][1]:
                whole[-1] = (whole[-1][0], high)
        else:
            whole.append((low, high))
    return whole


def of_family(intervals: list[tuple[int, int]], family: int) -> list[tuple[int, int]]:
    """Return what of some intervals lies in family 4 or 6; an interval never spans both."""
    first, last = FAMILIES[family]
    return [interval for interval in intervals if first <= interval[0] <= last]
