"""What hosts report to listen on: the addresses, protocols and ports at which an end of a connection is the server.

Facts of assets name some; reports of flows name others, which are kept beside the store: of each host the last ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from ringfence.files import locked, regular_file, write_whole
from ringfence.model.addresses import address_text, point_of
from ringfence.model.assets import Snapshot
from ringfence.model.errors import InputError, OutsideError, Place
from ringfence.model.services import PORT_PROTOCOLS

# An address as text, a protocol's number, a port.
Listener = tuple[str, int, int]
EVERY = ("0.0.0.0", "::", "*", "")  # noqa: S104 - nothing is bound
FILE = "listeners.json"
# What linux_flows_info reports at most.
MOST = 20_000


def listeners_of(snapshot: Snapshot) -> frozenset[Listener]:
    """Return every listener that the facts of an asset name."""
    return frozenset(
        one for asset in snapshot.assets for one in told_listeners(asset.attributes.get("listeners"), asset.addresses)
    )


def told_listeners(told: object, own: Iterable[int]) -> frozenset[Listener]:
    """Return the listeners that a host tells, of its own addresses (points) alone; what is malformed is none."""
    texts = [address_text(point) for point in own]
    return frozenset(
        (address, protocol, port)
        for one in (told[:MOST] if isinstance(told, list | tuple) else ())
        if isinstance(one, Mapping)
        and (protocol := PORT_PROTOCOLS.get(str(one.get("protocol")), 0))
        and isinstance(port := one.get("port"), int)
        and 0 < port < 65536
        and not one.get("ephemeral")
        for address in _addresses(texts, str(one.get("address") or ""))
    )


def keep_listeners(directory: Path, heard: Mapping[str, frozenset[Listener]]) -> None:
    """Keep what hosts listen on in place of what they told before. Raise OutsideError."""
    if not heard:
        return
    path = directory / FILE
    try:
        with locked(path):
            kept = {**_load(directory), **heard}
            write_whole(path, json.dumps({host: sorted(kept[host]) for host in sorted(kept)}) + "\n")
    except OSError as error:
        raise OutsideError(f"cannot be written: {error.strerror or error}", Place(str(path))) from error


def kept_listeners(directory: Path) -> frozenset[Listener]:
    """Return what all hosts listened on when they last told. Raise OutsideError where the file is damaged."""
    return frozenset(one for listeners in _load(directory).values() for one in listeners)


def _load(directory: Path) -> dict[str, frozenset[Listener]]:
    path = directory / FILE
    try:
        data = json.loads(regular_file(path))
        return {
            str(host): frozenset((str(address), int(protocol), int(port)) for address, protocol, port in listeners)
            for host, listeners in data.items()
        }
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise OutsideError(f"cannot be read: {error.strerror or error}", Place(str(path))) from error
    except (ValueError, TypeError, AttributeError) as error:
        remedy = "delete it: hosts tell again at the next 'ringfence flows collect'"
        raise OutsideError(f"is no list of listeners: {error}", Place(str(path)), remedy) from error


def _addresses(own: list[str], address: str) -> list[str]:
    if address in EVERY:
        return [text for text in own if address != EVERY[0] or ":" not in text]
    try:
        text = address_text(point_of(address))
    except InputError:
        return []  # a name, or an address with a zone: nothing that a sensor sees
    return [text] if text in own else []
