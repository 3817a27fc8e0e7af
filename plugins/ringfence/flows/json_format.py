"""Flows as JSON lines: one object of the word list's fields a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from ringfence.flows.reading import Reading
from ringfence.flows.records import flow_of, record_of
from ringfence.model.errors import InputError, Place
from ringfence.model.flows import Flow


def read_json(path: Path, reading: Reading) -> Iterator[Flow]:
    """Yield the flows of a file of JSON lines; empty lines and fields of other names are passed over."""
    observed = reading.observed or datetime.now(UTC)
    for place, value in json_lines(path, reading):
        try:
            if not isinstance(value, dict):
                raise InputError("the line holds no JSON object")
            flow = flow_of(value, observed=observed, source="json")
        except InputError as error:
            reading.reject(error, place)
        else:
            yield flow


def json_lines(path: Path, reading: Reading) -> Iterator[tuple[Place, object]]:
    """Yield every line that is JSON with its place; the others go to the reading."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.isspace():
                continue
            place = Place(str(path), number)
            try:
                yield place, json.loads(line)
            except (ValueError, RecursionError) as error:
                reading.reject(InputError(f"no JSON: {error}"), place)


def write_json(flows: Iterable[Flow], file: TextIO) -> int:
    """Write flows as JSON lines and return how many; `read_json` gives the same flows back."""
    count = 0
    for count, flow in enumerate(flows, 1):  # noqa: B007 - the count of the last one is the answer
        file.write(json.dumps(record_of(flow), ensure_ascii=False) + "\n")
    return count
