"""What was added to a store: from where, when, how many flows and wrong rows; kept beside the ledger for people.

The flows do not depend on it: a store without it, or with a damaged one, is whole.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from ringfence.files import regular_file, write_whole
from ringfence.model.errors import OutsideError, Place

FILE = "sources.json"
# A store that is added to every minute from places that have other names each time.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class KeptSource:
    """What one place brought when it was added last.

    `added` is that time (ISO 8601, UTC), None where an earlier release added it; `flows` and `records` were read then,
    `wrong` rows were left out, `size` are the bytes of a file. `days` are those of the store that have flows of it.
    """

    name: str
    read_as: str
    added: str | None
    flows: int
    records: int
    wrong: int
    days: tuple[str, ...]
    size: int | None = None

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {**asdict(self), "days": list(self.days)}


def kept_sources(directory: Path) -> tuple[KeptSource, ...]:
    """Return what was added to a store, in the order of its names. Raise OutsideError where the file is damaged."""
    path = directory / FILE
    try:
        rows = json.loads(regular_file(path))
        found = [KeptSource(**{**row, "days": tuple(map(str, row["days"]))}) for row in rows]
        for one in found:
            if not all(isinstance(number, int) for number in (one.flows, one.records, one.wrong)):
                raise ValueError("a count is no number")
            list(map(date.fromisoformat, one.days))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise OutsideError(f"cannot be read: {error.strerror or error}", Place(str(path))) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise OutsideError(
            f"is not a valid list of sources: {error}", Place(str(path)), "delete it: no flow depends on it"
        ) from error
    return tuple(sorted(found, key=lambda one: (one.name, one.read_as)))


def keep_source(directory: Path, came: KeptSource, days: Collection[str]) -> None:
    """Write what a place brought, with the days of what it brought before; `days` are those that the store has.

    Raise OSError.
    """
    try:
        known = kept_sources(directory)
    except OutsideError:
        known = ()
    before = next((one for one in known if (one.name, one.read_as) == (came.name, came.read_as)), came)
    came = replace(came, days=tuple(sorted({*before.days, *came.days})))
    others = [one for one in known if (one.name, one.read_as) != (came.name, came.read_as)]
    newest = sorted([*still_there(others, days), came], key=lambda one: one.added or "")[-MOST:]
    write_whole(directory / FILE, json.dumps([one.data() for one in newest], indent=1) + "\n")


def still_there(sources: Iterable[KeptSource], days: Collection[str]) -> list[KeptSource]:
    """Return the sources that a store has days of, or that brought nothing but wrong rows."""
    found = (replace(one, days=tuple(day for day in one.days if day in days)) for one in sources)
    return [one for one in found if one.days or (one.wrong and not one.flows)]
