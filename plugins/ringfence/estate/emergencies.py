"""The emergencies of a workspace: a file each below `emergencies/`, which a team commits."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ringfence.files import regular_file, write_whole
from ringfence.model.addresses import addresses_of, range_texts
from ringfence.model.emergencies import FOLDER, EmergencyEnd, HostState, Kind, Member, Order
from ringfence.model.errors import InputError, InputErrors, OutsideError, Place
from ringfence.model.intervals import IntervalSet
from ringfence.model.services import Services, parse_service, service_texts, union

SUFFIX = ".json"
ID = re.compile(r"[qp]-[0-9a-f]{8}")
LONGEST_WORDS = 500
_REMEDY = "take the file back from git, or delete it: hosts say by 'ringfence info' what they hold"
_LETTERS = {Kind.QUARANTINE: "q", Kind.PERMISSION: "p"}


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _MemberEntry(_Entry):
    name: str
    realm: str
    addresses: list[str]


class _EndEntry(_Entry):
    said: list[str]
    assets: list[_MemberEntry]
    addresses: list[str]


class _File(_Entry):
    format: int = Field(ge=1, le=1)
    id: str = Field(pattern=f"^{ID.pattern}$")
    kind: Literal["quarantine", "permission"]
    who: str = Field(max_length=LONGEST_WORDS)
    why: str = Field(max_length=LONGEST_WORDS)
    since: int = Field(ge=0)
    ends: int = Field(ge=0)
    released: int = Field(ge=0)
    first: _EndEntry
    second: _EndEntry
    service: str
    services: list[str]
    hosts: dict[str, Literal["held", "released", "not reached"]]


def orders(directory: Path) -> tuple[Order, ...]:
    """Return every emergency that a workspace knows of, the newest last.

    Raise InputErrors for files that are no emergency: what stands is not told while one of them cannot be read.
    """
    found: list[Order] = []
    errors: list[InputError] = []
    folder = directory / FOLDER
    for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else ():
        try:
            found.append(read_order(path))
        except InputError as error:
            errors.append(error)
    if errors:
        raise InputErrors(errors)
    return tuple(sorted(found, key=lambda one: (one.since, one.id)))


def read_order(path: Path) -> Order:
    """Return the emergency of a file. Raise InputError where it is none."""
    place = Place(f"{FOLDER}/{path.name}", 1)
    try:
        read = _File.model_validate_json(regular_file(path))
        if read.id != path.name.removesuffix(SUFFIX) or not read.id.startswith(_LETTERS[Kind(read.kind)]):
            raise ValueError("its name and its id differ")
        services = union(map(parse_service, read.services)) if read.services else Services()
        return Order(
            id=read.id,
            kind=Kind(read.kind),
            who=read.who,
            why=read.why,
            since=read.since,
            ends=read.ends,
            released=read.released,
            first=_end(read.first),
            second=_end(read.second),
            service=read.service,
            services=services,
            hosts={name: HostState(state) for name, state in read.hosts.items()},
            place=place,
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"this is not an emergency: {where}: {first['msg']}", place, _REMEDY) from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place) from error
    except (ValueError, InputError) as error:
        said = error.message if isinstance(error, InputError) else str(error)
        raise InputError(f"this is not an emergency: {said}", place, _REMEDY) from error


def keep_order(directory: Path, order: Order) -> Order:
    """Write an emergency into the workspace and return it with its place. Raise OutsideError where that fails."""
    path = directory / FOLDER / f"{order.id}{SUFFIX}"
    try:
        write_whole(path, json.dumps(order_data(order), indent=2) + "\n")
    except OSError as error:
        raise OutsideError(f"the emergency is not kept: {error.strerror}", Place(str(path))) from error
    return read_order(path)


def order_data(order: Order) -> dict[str, object]:
    """Return plain data of an emergency, as its file has it."""
    points = order.services.v4 | order.services.v6
    return {
        "format": 1,
        "id": order.id,
        "kind": str(order.kind),
        "who": order.who,
        "why": order.why,
        "since": order.since,
        "ends": order.ends,
        "released": order.released,
        "first": _end_data(order.first),
        "second": _end_data(order.second),
        "service": order.service,
        "services": list(service_texts(points)),
        "hosts": {name: str(state) for name, state in sorted(order.hosts.items())},
    }


def _end(entry: _EndEntry) -> EmergencyEnd:
    members = tuple(Member(one.name, addresses_of(one.addresses), one.realm) for one in entry.assets)
    return EmergencyEnd(tuple(entry.said), members, addresses_of(entry.addresses))


def _end_data(end: EmergencyEnd) -> Mapping[str, object]:
    return {
        "said": list(end.said),
        "assets": [{"name": one.name, "realm": one.realm, "addresses": _texts(one.addresses)} for one in end.members],
        "addresses": _texts(end.outside),
    }


def _texts(addresses: IntervalSet) -> list[str]:
    return list(range_texts(addresses))
