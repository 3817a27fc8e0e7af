"""Finding assets by what a person types: a label, an address or network, a name, any text."""

from __future__ import annotations

from ringfence.model.addresses import network_of
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.errors import InputError
from ringfence.model.intervals import IntervalSet


def find(snapshot: Snapshot, text: str) -> tuple[Asset, ...]:
    """Return the assets that a text means, in the order of the snapshot, several words and-ed.

    A word is `key=value` (`key=` for all that have the label), an address, network or range (assets that hold one of
    its addresses), or a part of a name, label value, group, source, realm or enforcer, in any case.
    """
    found = snapshot.assets
    for word in text.split():
        found = _matching(found, word)
    return found


def _matching(assets: tuple[Asset, ...], word: str) -> tuple[Asset, ...]:
    key, equals, value = word.partition("=")
    if equals and key:
        return tuple(asset for asset in assets if _has_label(asset, key, value))
    network = _network(word)
    if network is not None:
        return tuple(asset for asset in assets if any(point in network for point in asset.addresses))
    sought = word.casefold()
    exact = tuple(asset for asset in assets if asset.name.casefold() == sought)
    return exact or tuple(asset for asset in assets if any(sought in part.casefold() for part in _texts(asset)))


def _has_label(asset: Asset, key: str, value: str) -> bool:
    label = asset.labels.get(key)
    return label is not None and (not value or label.value == value)


def _network(word: str) -> IntervalSet | None:
    if not any(character in word for character in ".:"):
        return None
    try:
        return network_of(word)
    except InputError:
        return None


def _texts(asset: Asset) -> list[str]:
    groups = asset.attributes.get("groups")
    labels = (label.value for label in asset.labels.values())
    named = (group for group in groups if isinstance(group, str)) if isinstance(groups, list) else ()
    return [asset.name, *labels, *named, *asset.sources, asset.realm, asset.enforcer]
