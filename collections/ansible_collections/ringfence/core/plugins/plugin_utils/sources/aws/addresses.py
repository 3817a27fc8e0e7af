"""What instances and other interfaces of AWS have in common: their addresses, tags, security groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Answer = Mapping[str, Any]


def private_addresses(interface: Answer) -> list[str]:
    """Return the private IPv4 addresses of an interface, the primary one first."""
    return _each(one.get("PrivateIpAddress") for one in interface.get("PrivateIpAddresses", ()))


def public_addresses(interface: Answer) -> list[str]:
    """Return the public IPv4 addresses that are mapped to an interface, elastic ones and carrier addresses included."""
    found = (one.get("Association") or {} for one in interface.get("PrivateIpAddresses", ()))
    return _each(address for one in found for address in (one.get("PublicIp"), one.get("CarrierIp")))


def ipv6_addresses(interface: Answer) -> list[str]:
    """Return the IPv6 addresses of an interface."""
    return _each(one.get("Ipv6Address") for one in interface.get("Ipv6Addresses", ()))


def addresses_of(interface: Answer) -> list[str]:
    """Return all addresses of an interface: private ones first, then public ones, then IPv6."""
    return [*private_addresses(interface), *public_addresses(interface), *ipv6_addresses(interface)]


def prefixes(interface: Answer) -> list[str]:
    """Return the networks delegated to an interface, from which its machine gives addresses to containers."""
    four = (one.get("Ipv4Prefix") for one in interface.get("Ipv4Prefixes", ()))
    return _each([*four, *(one.get("Ipv6Prefix") for one in interface.get("Ipv6Prefixes", ()))])


def tags_of(given: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """Return AWS's list of keys and values as a mapping."""
    return {tag["Key"]: tag.get("Value", "") for tag in given or ()}


def groups_of(given: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """Return the names of security groups by their ids."""
    return {one["GroupId"]: one.get("GroupName", "") for one in given or ()}


def _each(texts: Iterable[Any]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text))
