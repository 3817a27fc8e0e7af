"""Which addresses were accepted that hosts alone say they have: kept in `.ringfence/claims.json`, with who and when."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from ringfence.files import PRIVATE, locked, regular_file, write_whole
from ringfence.model.addresses import point_of
from ringfence.model.errors import InputError, OutsideError, Place
from ringfence.person import person
from ringfence.sources.claims import Claim
from ringfence.sources.snapshots import TIME

FILE = "claims.json"
FORMAT = 1
FIRST_GATHERING = "first gathering"
BY_A_PERSON = "accepted"
_REMEDY = "bring it back, or delete it: the next gathering then counts as the first"


def read_accepted(path: Path) -> frozenset[Claim] | None:
    """Return the claims that a file keeps, None if there is no file. Raise InputError for a damaged file."""
    entries = _entries(path)
    return None if entries is None else frozenset(entries)


def accept_claims(path: Path, claims: Iterable[Claim], now: datetime, how: str) -> None:
    """Add claims to those that are kept, in a file that only its owner can read; two people can do it at once.

    Raise InputError if the kept claims are damaged, OutsideError if they cannot be written.
    """
    try:
        with locked(path):
            _accept(path, claims, now, how)
    except OSError as error:
        raise OutsideError(f"the accepted addresses cannot be kept: {error.strerror}", Place(str(path))) from error


def _accept(path: Path, claims: Iterable[Claim], now: datetime, how: str) -> None:
    entries = dict(_entries(path) or {})
    entry = {"by": person(), "at": now.astimezone(UTC).strftime(TIME), "how": how}
    for claim in claims:
        entries.setdefault(claim, entry)
    data = {
        "format": FORMAT,
        "accepted": [{"host": claim.host, "address": claim.address, **entries[claim]} for claim in sorted(entries)],
    }
    write_whole(path, json.dumps(data, indent=1, sort_keys=True) + "\n", PRIVATE)


def _entries(path: Path) -> dict[Claim, Mapping[str, str]] | None:
    try:
        data = json.loads(regular_file(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"the accepted addresses cannot be read: {error.strerror}", Place(str(path))) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"these are not valid accepted addresses: {error}", Place(str(path)), _REMEDY) from error
    try:
        if data["format"] != FORMAT:
            raise InputError(f"this file has format {data['format']!r}, not {FORMAT}", Place(str(path)), _REMEDY)
        found: dict[Claim, Mapping[str, str]] = {}
        for entry in data["accepted"]:
            point_of(entry["address"])
            said = {key: str(value) for key, value in entry.items() if key not in ("host", "address")}
            found[Claim(str(entry["host"]), str(entry["address"]))] = said
    except (KeyError, TypeError, AttributeError) as error:
        message = f"the accepted addresses are damaged: {type(error).__name__} {error}"
        raise InputError(message, Place(str(path)), _REMEDY) from error
    return found
