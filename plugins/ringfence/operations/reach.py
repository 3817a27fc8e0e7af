"""Exactly what may talk to what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ringfence.analysis.reach import reach as reached
from ringfence.estate.queries import QueryReader

if TYPE_CHECKING:
    from ringfence.analysis.reach import Row
    from ringfence.estate import Estate


def reach(
    estate: Estate, sources: str, destinations: str, *, by_address: bool = False, full: bool = False
) -> Iterator[Row]:
    """Return a row for every pair of assets or addresses that two selectors choose, without the built-ins."""
    queries = QueryReader(estate.workspace.definitions, estate.snapshot)
    return reached(
        estate.compiled(full=full), queries.selectors(sources), queries.selectors(destinations), by_address=by_address
    )
