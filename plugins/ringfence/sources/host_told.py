"""What a host says of itself, kept apart from what an inventory says of it: its word alone proves nothing."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.model.assets import Asset

# Attribute: which others are told by which host, as `{facts: db-1, listeners: db-1}`.
TOLD = "told_by_host"
FACTS = "facts"


def told_roots(asset: Asset) -> dict[str, str]:
    """Return the attributes that a host itself told, by name with that host's name."""
    told = asset.attributes.get(TOLD)
    found = {str(name): str(host) for name, host in told.items()} if isinstance(told, Mapping) else {}
    if FACTS in asset.attributes:
        found.setdefault(FACTS, asset.name)
    return found


def without_told(asset: Asset) -> Mapping[str, object]:
    """Return the attributes of an asset without what a host told of itself; the same object where it told nothing."""
    told = told_roots(asset)
    if not told:
        return asset.attributes
    return {name: value for name, value in asset.attributes.items() if name not in told and name != TOLD}


def source_of_told(host: str) -> str:
    """Return what is shown as the source of an attribute that a host told."""
    return f"host {host}"
