"""The denials that hosts' kernels recorded, as `ringfence info --json` prints and `policy_info` returns them.

A record names the peer; the end that the host itself is, is the host's address in the inventory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ringfence.flows.reading import Reading
from ringfence.flows.records import clean_text, flow_of
from ringfence.flows.text_lines import open_text
from ringfence.flows.unpacked import unpacked
from ringfence.model.addresses import address_text, family_of, point_of
from ringfence.model.errors import InputError, Place
from ringfence.model.flows import ANSWERED, REFUSED, Flow

SOURCE = "denials"
# An entry is forgotten an hour after its last packet (enforcers/*/outcomes.py).
REMEMBERED_FOR = 3600
# What a record carries at most: 4,096 entries for each rule, direction and family.
MOST_ROWS = 100_000
_LOOKED_AT = 1 << 16
_JSON = re.compile(rb"\{\s*[\"}]|\[\s*[{\]]")  # a line of dmesg begins with a bracket too


def is_report(path: Path) -> bool:
    """Tell whether a file is JSON of `info` and no journal: a journal's lines are objects with a time each."""
    with unpacked(path) as (buffer, _):
        start = buffer.peek(_LOOKED_AT)[:_LOOKED_AT].lstrip(b"\xef\xbb\xbf \t\r\n")
    return bool(_JSON.match(start)) and b'"__REALTIME_TIMESTAMP"' not in start and b'"MESSAGE"' not in start


def recorded(path: Path, reading: Reading) -> Iterator[Flow]:
    """Yield the denials of a file; raise InputError for one that is no JSON."""
    place = Place(str(path))
    with open_text(path, reading) as file:
        try:
            value = json.loads(file.read())
        except (ValueError, RecursionError) as error:
            raise InputError(f"not valid JSON: {error}", place) from error
    found = list(_results(value, path.stem))
    if not found:
        remedy = "give what 'ringfence info --json' prints, or lines that a kernel logged"
        raise InputError("no denials stand in it", place, remedy)
    for host, result in found:
        yield from _denials(host, result, place, reading)


def _results(value: object, stem: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield every result with its host: of `info --json`, of `{host: result}`, or one that its file is named after."""
    if isinstance(value, list):
        for one in value:
            yield from _results(one, stem)
    elif isinstance(value, dict):
        if isinstance(value.get("denials"), list):
            yield str(value.get("host") or stem), value
        elif isinstance(value.get("hosts"), list):
            yield from _results(value["hosts"], stem)
        else:
            for host, one in value.items():
                if isinstance(one, dict) and isinstance(one.get("denials"), list):
                    yield host, one


def _denials(host: str, result: Mapping[str, object], place: Place, reading: Reading) -> Iterator[Flow]:
    rows = result["denials"]
    assert isinstance(rows, list)
    shown = clean_text(host)
    own = None if reading.hosts is None else reading.hosts.get(host)
    if own is None:
        remedy = "run this in the workspace whose hosts these are"
        error = InputError(f"no host of the inventory is called '{shown}'", remedy=remedy)
        reading.reject(error, place, max(len(rows), 1))
        return
    observed = reading.observed or datetime.now(UTC)
    several = {family: len([one for one in own if family_of(one) == family]) for family in (4, 6)}
    for family, count in several.items():
        if count > 1 and any(_family(row) == family for row in rows):
            told = f"{shown} has {count} addresses of IPv{family}: denials do not say which, the first is taken"
            reading.warn(told, place)
    for number, row in enumerate(rows[:MOST_ROWS], 1):
        try:
            if not isinstance(row, dict):
                raise InputError("not a JSON object")
            record = _record(row, own, observed)
            yield flow_of(record, observed=observed, source=f"{SOURCE}:{shown}", latest=reading.latest)
        except InputError as error:
            reading.reject(InputError(f"{shown}, denial {number}: {error.message}", remedy=error.remedy), place)
    if len(rows) > MOST_ROWS:
        reading.reject(InputError(f"{shown}: more than {MOST_ROWS} denials"), place, len(rows) - MOST_ROWS)


def _record(row: Mapping[str, object], own: frozenset[int], observed: datetime) -> dict[str, object]:
    effect, direction = row.get("effect"), row.get("direction")
    if effect not in ("deny", "watch") or direction not in ("in", "out"):
        raise InputError("no denial: effect is deny or watch, direction in or out")
    peer = str(row.get("peer"))
    family = family_of(point_of(peer))
    mine = min((one for one in own if family_of(one) == family), default=None)
    if mine is None:
        raise InputError(f"the host has no address of IPv{family}")
    ends = (peer, address_text(mine)) if direction == "in" else (address_text(mine), peer)
    expires = row.get("expires")
    age = REMEMBERED_FOR - expires if isinstance(expires, int) and 0 <= expires <= REMEMBERED_FOR else 0
    return {
        "client": ends[0],
        "server": ends[1],
        **{name: row.get(name) for name in ("port", "protocol", "packets", "bytes")},
        "first_seen": (observed - timedelta(seconds=age)).isoformat(),
        "outcome": REFUSED if effect == "deny" else ANSWERED,
        "attributes": {
            "direction": direction,
            "effect": effect,
            "rule": row.get("rule"),
            **({"rule_name": row["name"]} if isinstance(row.get("name"), str) else {}),
        },
    }


def _family(row: object) -> int:
    return 6 if isinstance(row, dict) and ":" in str(row.get("peer")) else 4
