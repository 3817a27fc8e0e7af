"""What people write as addresses, as points on the line of `wire/address_line.py`, and the texts of sets of them.

An IPv4 address mapped into IPv6 (RFC 4291, section 2.5.5.2: `::ffff:10.0.0.1`) is the IPv4 address: it is what programs
call a peer whose packets are IPv4.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from ringfence.model.address_faults import message_of, way_out
from ringfence.model.errors import InputError
from ringfence.model.intervals import IntervalSet
from ringfence.wire import address_line
from ringfence.wire.address_line import V6_BASE, address_text, interval_of, range_text

__all__ = [
    "ALL_V4",
    "ALL_V6",
    "DEFAULT_REALM",
    "EVERY_ADDRESS",
    "FAMILIES",
    "V6_BASE",
    "address_text",
    "addresses_of",
    "family_of",
    "network_of",
    "network_texts",
    "point_of",
    "range_text",
    "range_texts",
]

FAMILIES: dict[int, IntervalSet] = {
    family: IntervalSet((interval,)) for family, interval in address_line.FAMILIES.items()
}
ALL_V4, ALL_V6 = FAMILIES[4], FAMILIES[6]
EVERY_ADDRESS = ALL_V4 | ALL_V6
DEFAULT_REALM = "default"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_MAPPED_POINTS = range(*(V6_BASE + int(end) for end in (MAPPED.network_address, MAPPED.broadcast_address + 1)))


def family_of(point: int) -> int:
    """Return 4 or 6 for a point on the line."""
    return 6 if point >= V6_BASE else 4


def point_of(address: str) -> int:
    """Return the point of an address in text form; a zone (`fe80::1%eth0`) is ignored.

    Raise InputError if the text is not a valid address.
    """
    bare = address.strip().partition("%")[0]
    if ":" not in bare and bare.isascii():
        try:
            # takes what `ipaddress` takes of IPv4, in a tenth of its time
            return int.from_bytes(socket.inet_pton(socket.AF_INET, bare), "big")
        except (OSError, ValueError):
            pass
    try:
        parsed = _plain(ipaddress.ip_address(bare))
    except ValueError as error:
        raise InputError(f"'{address}' is not a valid IPv4 or IPv6 address") from error
    return int(parsed) + (V6_BASE if parsed.version == 6 else 0)


def _plain(address: Address) -> Address:
    """Return the IPv4 address that an address is or that is mapped into it, else the IPv6 address itself."""
    return (address.ipv4_mapped or address) if address.version == 6 else address


def network_of(text: str) -> IntervalSet:
    """Return the addresses of `10.0.0.0/8`, `2001:db8::/32`, one address, or a closed range `10.0.0.1-10.0.0.9`.

    Raise InputError for anything else, for host bits set beside a prefix, for a zone, and for a range of two families.
    """
    text = text.strip()
    try:
        low, high = interval_of(text)
    except ValueError:
        return _written_otherwise(text)
    return _written_otherwise(text) if low in _MAPPED_POINTS or high in _MAPPED_POINTS else IntervalSet(((low, high),))


def _written_otherwise(text: str) -> IntervalSet:
    """Return the addresses of a text that is no interval of a table, for people may write more than that."""
    if "%" in text:
        bare = text.partition("%")[0]
        raise InputError(f"'{text}' names an interface, which no packet carries", remedy=f"write '{bare}'")
    if "-" in text:
        low_text, _, high_text = text.partition("-")
        try:
            low, high = point_of(low_text), point_of(high_text)
        except InputError as error:
            raise InputError(message_of(text), remedy=way_out(text)) from error
        if family_of(low) != family_of(high) or low > high:
            raise InputError(
                f"'{text}' is not a valid range: its ends are of two families or in the wrong order",
                remedy="write the lower address first, as 10.0.0.1-10.0.0.9, and each family for itself",
            )
        return IntervalSet(((low, high),))
    network = _network(text)
    base = V6_BASE if network.version == 6 else 0
    return IntervalSet(((int(network.network_address) + base, int(network.broadcast_address) + base),))


def _network(text: str) -> Network:
    address, slash, length = text.partition("/")
    mapped = _mapped(address)
    if mapped is not None and slash:
        if not (length.isascii() and length.isdigit() and MAPPED.prefixlen <= int(length) <= MAPPED.max_prefixlen):
            least, most = MAPPED.prefixlen, MAPPED.max_prefixlen
            raise InputError(
                f"'{address}' is the IPv4 address {mapped}, and '/{length}' no prefix from {least} to {most}",
                remedy=f"write the IPv4 network, like '{ipaddress.ip_network(f'{mapped}/24', strict=False)}'",
            )
        text = f"{mapped}/{int(length) - MAPPED.prefixlen}"
    elif mapped is not None:
        text = str(mapped)
    try:
        return ipaddress.ip_network(text, strict=True)
    except ValueError as error:
        try:
            meant = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise InputError(message_of(text), remedy=way_out(text)) from error
        raise InputError(f"'{text}' has host bits set", remedy=f"did you mean '{meant}'?") from error


def _mapped(text: str) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv6Address(text.strip()).ipv4_mapped
    except ValueError:
        return None


def network_texts(addresses: IntervalSet) -> tuple[str, ...]:
    """Return the fewest networks that make up a set of addresses, in order; a single address has no prefix."""
    networks = (
        network
        for low, high in addresses
        for network in ipaddress.summarize_address_range(
            ipaddress.ip_address(address_text(low)), ipaddress.ip_address(address_text(high))
        )
    )
    return tuple(str(network.network_address) if network.num_addresses == 1 else str(network) for network in networks)


def addresses_of(texts: Iterable[str]) -> IntervalSet:
    """Return the union of networks, addresses and ranges in text form."""
    return IntervalSet.of(interval for text in texts for interval in network_of(text))


def range_texts(addresses: IntervalSet) -> tuple[str, ...]:
    """Return the text of every interval, in order."""
    return tuple(range_text(low, high) for low, high in addresses)
