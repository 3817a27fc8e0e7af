"""A snapshot of assets as a file, its digest, and what differs between two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ringfence.files import PRIVATE, regular_file, write_named, write_whole
from ringfence.model.addresses import address_text, point_of
from ringfence.model.assets import Asset, Control, Label, Snapshot
from ringfence.model.errors import InputError, Place, file_error

FORMAT = 1
TIME = "%Y-%m-%dT%H:%M:%SZ"
BEGINNING = b'{"assets":[\n'  # of a file that has a line for each asset


@dataclass(frozen=True, slots=True)
class AssetChange:
    """One field of one asset that differs: `addresses`, `label role`, `realm`, …; values as text, '' for absent."""

    asset: str
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class SnapshotDifference:
    """Names of assets that came and went, and what changed on those that stayed; all sorted."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[AssetChange, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def snapshot_text(snapshot: Snapshot) -> str:
    """Return the JSON of a snapshot: sorted keys, no spaces, ASCII alone, and a line for each asset.

    So one asset is found without the others (`asset_in`).
    """
    taken = snapshot.taken.astimezone(UTC).strftime(TIME)
    assets = ",\n".join(_canonical(asset_data(asset)) for asset in snapshot.assets)
    rest = _canonical({"format": FORMAT, "taken": taken}).removeprefix("{")
    return f"{BEGINNING.decode()}{assets}\n],{rest}\n"


def digest(snapshot: Snapshot) -> str:
    """Return the sha256 of all that a policy can depend on: everything but the date and the attributes.

    Attributes hold gathered facts and cloud metadata, which affect a policy only through labels; those count.
    """
    assets = [
        {key: item for key, item in asset_data(asset).items() if key != "attributes"} for asset in snapshot.assets
    ]
    return hashlib.sha256(f"{_canonical({'format': FORMAT, 'assets': assets})}\n".encode()).hexdigest()


def write_snapshot(path: Path, snapshot: Snapshot, *, named: bool = False) -> None:
    """Write a snapshot whole or not at all; a new file is readable by its owner alone. A person `named` the path.

    Raises InputError where the path is wrong, OutsideError where the machine cannot write.
    """
    try:
        (write_named if named else write_whole)(path, snapshot_text(snapshot), PRIVATE)
    except OSError as error:
        raise file_error(error, path, "the snapshot cannot be written") from error


def read_snapshot(path: Path) -> Snapshot:
    """Return the snapshot in a file. Raises InputError where the file is missing, damaged or of another format."""
    place = Place(str(path))
    remedy = "delete it: a new one is kept by ringfence plan, or by ringfence assets keep"
    try:
        data = json.loads(regular_file(path))
    except FileNotFoundError as error:
        raise InputError("there is no such snapshot", place, remedy) from error
    except OSError as error:
        raise InputError(f"the snapshot cannot be read: {error.strerror}", place) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is not a valid snapshot: {error}", place, remedy) from error
    try:
        if data["format"] != FORMAT:
            raise InputError(f"this snapshot has format {data['format']!r}, not {FORMAT}", place, remedy)
        taken = datetime.strptime(data["taken"], TIME).replace(tzinfo=UTC)
        assets = tuple(sorted((asset_of(entry) for entry in data["assets"]), key=lambda asset: asset.name))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"this snapshot is damaged: {type(error).__name__} {error}", place, remedy) from error
    return Snapshot(assets, taken)


def asset_in(path: Path, name: str) -> Asset | None:
    """Return one asset of a kept snapshot, by its own name, else by a source's; None where it has none of it.

    Others of it are not looked at, and not read where each has a line of its own. Raise InputError as `read_snapshot`
    does.
    """
    try:
        text = regular_file(path)
        word = json.dumps(name).encode()
        if word not in text:
            return None
        if text.startswith(BEGINNING) and text.endswith(b"}\n"):
            own = next((entry for entry in _lines_with(text, b'"name":' + word) if entry["name"] == name), None)
            others = (entry for entry in _lines_with(text, word, b'"also":[') if name in entry.get("also", ()))
        else:
            entries = json.loads(text)["assets"]
            own = next((entry for entry in entries if entry["name"] == name), None)
            others = (entry for entry in entries if name in entry.get("also", ()))
        found = next(others, None) if own is None else own
        return None if found is None else asset_of(found)
    except (OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return read_snapshot(path).named().get(name)


def _lines_with(text: bytes, part: bytes, other: bytes = b"{") -> Iterator[dict[str, Any]]:
    """Yield the assets whose lines have a part and another, in order. Raise ValueError for a line that is none."""
    at = text.find(part)
    while at >= 0:
        begin, end = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at)
        line = text[begin:end]
        if line.startswith(b"{") and other in line:  # else it is the end of the file
            yield json.loads(line.removesuffix(b","))
        at = text.find(part, end)


def difference(before: Snapshot, after: Snapshot) -> SnapshotDifference:
    """Return what differs between two snapshots in all that the digest covers."""
    old, new = before.named(), after.named()
    changed = tuple(change for name in sorted(old.keys() & new.keys()) for change in changes_of(old[name], new[name]))
    return SnapshotDifference(tuple(sorted(new.keys() - old.keys())), tuple(sorted(old.keys() - new.keys())), changed)


def changes_of(before: Asset, after: Asset) -> Iterator[AssetChange]:
    """Yield what differs between an asset then and now in all that the digest covers, by field."""
    if before is after:
        return
    old, new = _fields(before), _fields(after)
    for field in sorted(old.keys() | new.keys()):
        if old.get(field, "") != new.get(field, ""):
            yield AssetChange(after.name, field, old.get(field, ""), new.get(field, ""))


def _canonical(data: Mapping[str, object]) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def asset_data(asset: Asset) -> dict[str, object]:
    """Return an asset as plain data, without its claims."""
    control = asset.control
    return {
        "name": asset.name,
        "addresses": [address_text(point) for point in asset.addresses],
        "labels": {
            key: {"value": label.value, "rule": label.rule, **({"told": label.told} if label.told else {})}
            for key, label in asset.labels.items()
        },
        "realm": asset.realm,
        "workload": asset.workload,
        "enforcer": asset.enforcer,
        "sources": list(asset.sources),
        "control": {"from": list(control.networks), "port": control.port} if control else None,
        "attributes": asset.attributes,
        **({"also": list(asset.also)} if asset.also else {}),
    }


def asset_of(entry: Mapping[str, object]) -> Asset:
    """Return the asset that `asset_data` wrote. Raise KeyError, TypeError or ValueError for any other data."""
    control = entry["control"]
    attributes = entry["attributes"]
    if not isinstance(attributes, dict):
        raise TypeError("attributes are not a mapping")
    return Asset(
        name=_text(entry["name"]),
        addresses=tuple(sorted(map(point_of, _texts(entry["addresses"])))),
        labels={
            key: Label(_text(label["value"]), _text(label["rule"]), _text(label.get("told", "")))
            for key, label in _mapping(entry["labels"])
        },
        realm=_text(entry["realm"]),
        workload=entry["workload"] is True,
        enforcer=_text(entry["enforcer"]),
        sources=_texts(entry["sources"]),
        control=None if control is None else _control(dict(_mapping(control))),
        attributes=attributes,
        also=_texts(entry.get("also", [])),
    )


def _control(entry: Mapping[str, object]) -> Control:
    port = entry["port"]
    if not isinstance(port, int):
        raise TypeError("a port is not a number")
    return Control(_texts(entry["from"]), port)


def _fields(asset: Asset) -> dict[str, str]:
    control = asset.control
    return {
        "addresses": ", ".join(address_text(point) for point in asset.addresses),
        **{f"label {key}": label.value for key, label in asset.labels.items()},
        **{f"rule of label {key}": label.rule for key, label in asset.labels.items()},
        "realm": asset.realm,
        "workload": "true" if asset.workload else "false",
        "enforcer": asset.enforcer,
        "sources": ", ".join(asset.sources),
        "other names": ", ".join(asset.also),
        "control": f"from {', '.join(control.networks)} to port {control.port}" if control else "",
    }


def _mapping(value: object) -> list[tuple[str, dict[str, object]]]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not a mapping")
    return list(value.items())


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return tuple(_text(item) for item in value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value
