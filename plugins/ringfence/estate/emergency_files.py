"""Reading the file of an emergency; apart from what writes one, which waits for no library of shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from ringfence.files import regular_file
from ringfence.model.addresses import addresses_of
from ringfence.model.emergencies import FOLDER, ID, SUFFIX, EmergencyEnd, HostState, Kind, Member, Order
from ringfence.model.errors import InputError, Place
from ringfence.model.safe_text import clean_line
from ringfence.model.services import Services, parse_service, union
from ringfence.wire.emergency_lines import LAST_SECOND, LONGEST, MOST_WHO, MOST_WHY

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
    who: str = Field(max_length=MOST_WHO)
    why: str = Field(max_length=MOST_WHY)
    since: int = Field(ge=0, le=LAST_SECOND)
    ends: int = Field(ge=0, le=LAST_SECOND)
    # files of before have the time alone, as `released`
    released: int = Field(ge=0, le=LAST_SECOND, validation_alias=AliasChoices("released_at", "released"))
    released_by: str = Field(default="", max_length=MOST_WHO)
    approved_by: list[Annotated[str, Field(max_length=MOST_WHO)]] = Field(default_factory=list, max_length=100)
    first: _EndEntry
    second: _EndEntry
    service: str
    services: list[str]
    hosts: dict[str, Literal["held", "released", "not reached"]]


def read_order(path: Path) -> Order:
    """Return the emergency of a file. Raise InputError where it is none."""
    place = Place(f"{FOLDER}/{path.name}", 1)
    try:
        read = _File.model_validate_json(regular_file(path))
        if read.id != path.name.removesuffix(SUFFIX) or not read.id.startswith(_LETTERS[Kind(read.kind)]):
            raise ValueError("its name and its id differ")
        if read.ends and not 0 < read.ends - read.since <= LONGEST:
            raise ValueError("it must end after it begins, and within 30 days")
        if any(clean_line(text) != text for text in (read.who, read.why, read.released_by, *read.approved_by)):
            raise ValueError("'who', 'why', 'released_by' and 'approved_by' are text on one line")
        services = union(map(parse_service, read.services)) if read.services else Services()
        return Order(
            id=read.id,
            kind=Kind(read.kind),
            who=read.who,
            why=read.why,
            since=read.since,
            ends=read.ends,
            released=read.released,
            released_by=read.released_by,
            approved_by=tuple(read.approved_by),
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


def _end(entry: _EndEntry) -> EmergencyEnd:
    members = tuple(Member(one.name, addresses_of(one.addresses), one.realm) for one in entry.assets)
    return EmergencyEnd(tuple(entry.said), members, addresses_of(entry.addresses))
