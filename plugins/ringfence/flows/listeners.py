"""What hosts report to listen on: the addresses, protocols and ports at which an end of a connection is the server."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.model.addresses import address_text, point_of
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.errors import InputError
from ringfence.model.services import PORT_PROTOCOLS

EVERY = ("0.0.0.0", "::", "*", "")  # noqa: S104 - nothing is bound


def listeners_of(snapshot: Snapshot) -> frozenset[tuple[str, int, int]]:
    """Return address (as text), protocol and port of every listener that the facts of an asset name."""
    return frozenset(
        (address, protocol, port)
        for asset in snapshot.assets
        for one in _mappings(asset.attributes.get("listeners"))
        if (protocol := PORT_PROTOCOLS.get(str(one.get("protocol")), 0))
        and isinstance(port := one.get("port"), int)
        and not one.get("ephemeral")
        for address in _addresses(asset, str(one.get("address") or ""))
    )


def _mappings(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []


def _addresses(asset: Asset, address: str) -> list[str]:
    if address not in EVERY:
        try:
            return [address_text(point_of(address))]
        except InputError:
            return []  # a name, or an address with a zone: nothing that a sensor sees
    own = map(address_text, asset.addresses)
    return [text for text in own if address != EVERY[0] or ":" not in text]
