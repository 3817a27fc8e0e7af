"""A verdict table read back from its canonical text in an earlier plan."""

from __future__ import annotations

from itertools import chain

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ringfence.model.addresses import addresses_of
from ringfence.model.assets import Control
from ringfence.model.errors import InputError
from ringfence.model.intervals import IntervalSet
from ringfence.model.memberships import Membership
from ringfence.model.processes import PLATFORMS, kinds_of
from ringfence.model.rules import Mode
from ringfence.model.tables import (
    Cell,
    DirectionTable,
    Effect,
    Outcome,
    ProcessClass,
    ServiceMap,
    VerdictTable,
)
from ringfence.wire.plan_format import TABLE_FORMAT


class _Shape(BaseModel):
    model_config = ConfigDict(defer_build=True, extra="forbid")


class _Cell(_Shape):
    local: str
    unit: str | None = None
    user: str | None = None
    program: str | None = None
    service: str | None = None
    remote: str
    services: str
    inside: list[str] = []
    outside: list[str] = []


class _Direction(_Shape):
    mode: Mode
    units: list[str] | None = None
    users: list[str] | None = None
    programs: list[str] | None = None
    services: list[str] | None = None
    cells: list[_Cell]


class _Control(_Shape):
    networks: list[str] = Field(alias="from")
    port: int


class _Table(_Shape):
    format: int = Field(ge=TABLE_FORMAT, le=TABLE_FORMAT)
    control: _Control | None
    inbound: _Direction = Field(alias="in")
    outbound: _Direction = Field(alias="out")
    addresses: dict[str, list[str]]
    services: dict[str, list[tuple[int, int, Effect, str, bool]]]
    rules: dict[str, str]


_ADAPTER = TypeAdapter(_Table)


def table_of(text: str) -> VerdictTable:
    """Return the table of a canonical text. Raise InputError if the text is not a valid table.

    The text of the returned table is equal to `text`, to the byte.
    """
    try:
        shape = _ADAPTER.validate_json(text)
        table = _built(shape)
    except (ValidationError, KeyError, ValueError) as error:
        raise InputError(f"this is not a valid verdict table: {_reason(error)}") from error
    if table.text() != text:
        raise InputError("this verdict table is not in its canonical form")
    return table


def _built(shape: _Table) -> VerdictTable:
    sets = {name: addresses_of(texts) for name, texts in shape.addresses.items()}
    maps = {
        name: ServiceMap(tuple((low, high, Outcome(effect, rule, log)) for low, high, effect, rule, log in pieces))
        for name, pieces in shape.services.items()
    }
    control = Control(tuple(shape.control.networks), shape.control.port) if shape.control else None
    return VerdictTable(
        _direction(shape.inbound, sets, maps), _direction(shape.outbound, sets, maps), control, shape.rules
    )


def _direction(shape: _Direction, sets: dict[str, IntervalSet], maps: dict[str, ServiceMap]) -> DirectionTable:
    kinds = kinds_of(kind for kind in chain(*PLATFORMS.values()) if getattr(shape, f"{kind}s") is not None)
    named = tuple((kind, tuple(getattr(shape, f"{kind}s") or ())) for kind in kinds)
    cells = tuple(
        Cell(
            sets[cell.local],
            ProcessClass(**{kind: getattr(cell, kind) for kind in kinds}),
            sets[cell.remote],
            maps[cell.services],
            Membership(tuple(cell.inside), tuple(cell.outside)),
        )
        for cell in shape.cells
    )
    return DirectionTable(shape.mode, cells, named=named)


def _reason(error: ValidationError | KeyError | ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the text"
        return f"{where}: {first['msg']}"
    if isinstance(error, KeyError):
        return f"'{error.args[0]}' is not defined in it"
    return str(error)
