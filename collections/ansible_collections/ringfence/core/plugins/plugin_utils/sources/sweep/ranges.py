"""The ranges of a sweep: what may be looked at, as networks, and nothing outside of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses, ip_address, ip_network
from typing import Any

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import SourceRefused

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Ranges:
    """The networks to sweep, as they were given, and the parts of them to leave out."""

    networks: Sequence[Network]
    excluded: Sequence[Network] = ()

    def of(self, text: str) -> Network | None:
        """Return the range that an address is in; None where it is in none, or left out, or no address."""
        try:
            address = ip_address(text)
        except ValueError:
            return None
        if any(_holds(network, address) for network in self.excluded):
            return None
        return next((network for network in self.networks if _holds(network, address)), None)

    def targets(self, version: int) -> list[str]:
        """Return the networks of one IP version, disjoint; what is left out is in them still."""
        return [str(network) for network in _collapsed(self.networks, version)]

    def left_out(self, version: int) -> list[str]:
        """Return what is left out of one IP version."""
        return [str(network) for network in _collapsed(self.excluded, version)]

    def size(self) -> int:
        """Return how many addresses the ranges have, those left out among them."""
        return sum(network.num_addresses for version in (4, 6) for network in _collapsed(self.networks, version))


def read_ranges(given: Iterable[Any], excluded: Iterable[Any]) -> Ranges:
    """Return ranges of networks and addresses as text; raise SourceRefused for any other, names among them."""
    return Ranges([_network(text, "ranges") for text in given], [_network(text, "exclude") for text in excluded])


def _network(text: Any, option: str) -> Network:
    try:
        return ip_network(str(text))
    except ValueError as error:
        raise SourceRefused(f"'{option}' names '{text}', which is not a valid network: {error}") from error


def _holds(network: Network, address: Address) -> bool:
    return network.version == address.version and address in network


def _collapsed(networks: Iterable[Network], version: int) -> list[Network]:
    # Of one version they are of one type, which the types of ipaddress cannot say.
    same: list[Any] = [network for network in networks if network.version == version]
    return list(collapse_addresses(same))
