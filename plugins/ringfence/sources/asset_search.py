"""Finding assets by what a person types: a label, an address or network, a name, any text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ringfence.model.addresses import network_of
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.errors import InputError
from ringfence.model.intervals import IntervalSet
from ringfence.sources.merging import hosts_of

PORT = re.compile(r"(tcp|udp|sctp)/\d{1,5}")


def find(snapshot: Snapshot, text: str) -> tuple[Asset, ...]:
    """Return the assets that a text means, in the order of the snapshot, several words and-ed.

    A word is `key=value` (`key=` for all that have the label), an address, network or range (assets that hold one of
    its addresses), a port as in `tcp/5432` (assets that listen there, as gathered facts say), a name, a part of a name,
    label value, group, source, realm or enforcer, or, where that finds none, of any attribute; in any case.
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
    if PORT.fullmatch(sought):
        return tuple(asset for asset in assets if sought in ports_of(asset))
    exact = tuple(
        asset for asset in assets if any(name.casefold() == sought for name in (*hosts_of(asset), *asset.also))
    )
    near = exact or tuple(asset for asset in assets if any(sought in part.casefold() for part in _texts(asset)))
    return near or tuple(asset for asset in assets if _says(asset.attributes, sought))


def is_address_or_port(word: str) -> bool:
    """Return whether a word is one that no asset need have: an address, network or range, or a port."""
    return _network(word) is not None or PORT.fullmatch(word.casefold()) is not None


def ports_of(asset: Asset) -> tuple[str, ...]:
    """Return what an asset listens on, as gathered facts say: `tcp/5432`."""
    facts = asset.attributes.get("facts")
    ports = facts.get("ports") if isinstance(facts, Mapping) else None
    return tuple(str(port) for port in ports) if isinstance(ports, list) else ()


def _says(value: object, sought: str) -> bool:
    """Return whether a word stands somewhere in plain data."""
    if isinstance(value, Mapping):
        return any(_says(part, sought) for part in value.values())
    if isinstance(value, list):
        return any(_says(part, sought) for part in value)
    return isinstance(value, str) and sought in value.casefold()


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
    return [asset.name, *hosts_of(asset), *labels, *named, *asset.sources, asset.realm, asset.enforcer]
