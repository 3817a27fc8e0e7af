"""Flows that hosts report: results of the module `ringfence.core.linux_flows_info`, one or many."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from ringfence.flows.json_format import json_lines
from ringfence.flows.reading import Reading
from ringfence.flows.records import clean_text, flow_of, time_of
from ringfence.model.errors import InputError, Place
from ringfence.model.flows import Flow

SOURCE = "hosts"


def read_hosts(path: Path, reading: Reading) -> Iterator[Flow]:
    """Yield what hosts reported: a directory of `HOST.json`, a file of one result, of `{host: result}`, or of lines.

    The asset that reported is kept as the flow's source, `hosts:NAME`; the process is the client's where the host was
    the client, else the server's.
    """
    if path.is_dir():
        for file in sorted(path.glob("*.json")):
            yield from _file(file, reading, file.stem)
    else:
        yield from _file(path, reading, path.stem)


def _file(path: Path, reading: Reading, stem: str) -> Iterator[Flow]:
    for place, host, result in _results(path, reading, stem):
        yield from _flows(result, host, place, reading)


def _results(path: Path, reading: Reading, stem: str) -> Iterator[tuple[Place, str, Mapping[str, object]]]:
    with path.open("rb") as file:
        first = file.readline()
    try:
        one = isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        one = False
    if one:
        for place, value in json_lines(path, reading):
            yield from _named(value, place, reading, stem)
        return
    place = Place(str(path))
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"neither JSON nor lines of JSON: {error}", place) from error
    yield from _named(value, place, reading, stem)


def _named(
    value: object, place: Place, reading: Reading, stem: str
) -> Iterator[tuple[Place, str, Mapping[str, object]]]:
    if not isinstance(value, dict):
        reading.reject(InputError("no result of linux_flows_info: not a JSON object"), place)
    elif isinstance(value.get("flows"), list):
        yield place, clean_text(str(value.get("inventory_hostname") or value.get("host") or stem)), value
    else:
        for host, result in value.items():
            if isinstance(result, dict) and isinstance(result.get("flows"), list):
                yield place, clean_text(str(host)), result
            else:
                reading.reject(InputError(f"'{clean_text(str(host))}' holds no result of linux_flows_info"), place)


def _flows(result: Mapping[str, object], host: str, place: Place, reading: Reading) -> Iterator[Flow]:
    observed = reading.observed or datetime.now(UTC)
    try:
        if result.get("observed"):
            observed = time_of(str(result["observed"]), "observed")
    except InputError as error:
        reading.reject(error, place)
        return
    rows = result["flows"]
    assert isinstance(rows, list)
    for index, row in enumerate(rows):
        try:
            if not isinstance(row, dict):
                raise InputError("not a JSON object")
            yield flow_of(_record(row), observed=observed, source=f"{SOURCE}:{host}")
        except InputError as error:
            reading.reject(InputError(f"{host}, flow {index + 1}: {error.message}", remedy=error.remedy), place)


def _record(row: Mapping[str, object]) -> dict[str, object]:
    """Return a module's row under the names of the word list: its process belongs to the side that the host is."""
    record = {
        name: row.get(name) for name in ("client", "server", "port", "protocol", "connections", "packets", "bytes")
    }
    side = {"in": "server", "out": "client"}.get(str(row.get("direction")))
    if side:
        record.update({f"{side}_{name}": row.get(name) for name in ("unit", "user", "process")})
    return record
