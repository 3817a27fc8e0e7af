"""Flows as JSON: one object of the word list's fields a line, or a list of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TextIO

from ringfence.flows.gathering import at
from ringfence.flows.reading import Reading
from ringfence.flows.records import clean_text, flow_of
from ringfence.flows.text_lines import alone, files_below, open_text
from ringfence.model.errors import InputError, Place
from ringfence.model.flows import Flow


@dataclass(frozen=True, slots=True)
class Twice:
    """An object of JSON in which a name stands twice: which of the two was meant, nobody can say."""

    name: str


def read_json(path: Path, reading: Reading) -> Iterator[Flow]:
    """Yield the flows of files of JSON lines or of one JSON list; fields of other names are passed over."""
    several = path.is_dir()
    for file in files_below(path, reading):
        with alone(file, several, reading), at(file, reading):
            yield from _flows(file, reading)


def _flows(path: Path, reading: Reading) -> Iterator[Flow]:
    observed = reading.observed or datetime.now(UTC)
    with open_text(path, reading) as file:
        for place, value in _values(file, path, reading):
            try:
                if isinstance(value, Twice):
                    raise InputError(f"'{clean_text(value.name)}' stands twice", remedy="say it once")
                if not isinstance(value, dict):
                    raise InputError("no JSON object stands here")
                if not value.keys() & _ENDS:
                    raise _of_others(value)
                flow = flow_of(value, observed=observed, source="json", latest=reading.latest)
            except InputError as error:
                reading.reject(error, place)
            else:
                yield flow


_ENDS = {"client", "server"}
_NAMED = 8


def _of_others(value: dict[str, object]) -> InputError:
    """Return the error for an object that names no end: one that another program wrote, in words of its own."""
    names = ", ".join(f"'{clean_text(name)}'" for name in list(value)[:_NAMED])
    more = ", …" if len(value) > _NAMED else ""
    return InputError(
        f"neither client nor server is a field of the object: it has {names or 'none'}{more}",
        remedy="rename them: jq -c '{client: .src_ip, server: .dest_ip, port: .dest_port, protocol: .proto}' FILE",
    )


def json_lines(lines: Iterable[str], path: Path, reading: Reading, first: int = 1) -> Iterator[tuple[Place, object]]:
    """Yield every line that is JSON with its place, the first at line `first`; the others go to the reading."""
    for number, line in enumerate(lines, first):
        if not line or line.isspace():
            continue
        place = Place(str(path), number)
        try:
            yield place, json.loads(line, object_pairs_hook=_object)
        except (ValueError, RecursionError) as error:
            reading.reject(InputError(f"not valid JSON: {error}"), place)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object] | Twice:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    return Twice(next(name for name in names if names.count(name) > 1))


def _values(file: TextIO, path: Path, reading: Reading) -> Iterator[tuple[Place, object]]:
    first = file.readline()
    if not first.lstrip().startswith("["):
        yield from json_lines(chain([first], file), path, reading)
        return
    place = Place(str(path))
    try:
        entries = json.loads(first + file.read(), object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid JSON: {error}", place) from error
    for value in entries if isinstance(entries, list) else [entries]:
        yield place, value
