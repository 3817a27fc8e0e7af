"""Reports of a host about itself, kept apart from the inventory's: alone they prove nothing."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.model.assets import Asset

# Attribute: which others are told by which host, as `{facts: db-1, listeners: db-1}`.
TOLD = "told_by_host"
FACTS = "facts"
# Attribute: the addresses that count and that only the host itself said.
CLAIMED = "addresses_told_by_host"


def told_roots(asset: Asset) -> dict[str, str]:
    """Return the attributes that a host itself reported, by name with that host's name."""
    told = asset.attributes.get(TOLD)
    found = {str(name): str(host) for name, host in told.items()} if isinstance(told, Mapping) else {}
    if FACTS in asset.attributes:
        found.setdefault(FACTS, asset.name)
    return found


def without_told(asset: Asset) -> Mapping[str, object]:
    """Return the attributes of an asset without its own reports; the same object if there are none."""
    told = told_roots(asset)
    if not told:
        return asset.attributes
    found = {name: value for name, value in asset.attributes.items() if name not in (*told, TOLD, CLAIMED)}
    claimed, addresses = asset.attributes.get(CLAIMED), found.get("addresses")
    if isinstance(claimed, list) and isinstance(addresses, list):
        found["addresses"] = [one for one in addresses if one not in claimed]
    return found


def source_of_told(host: str) -> str:
    """Return the source to show for an attribute that a host reported."""
    return f"host {host}"
