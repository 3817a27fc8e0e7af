"""Exactly what may talk to what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ringfence.analysis.peer_resolution import Ends
from ringfence.analysis.reach import reach as reached
from ringfence.estate.queries import QueryReader
from ringfence.model.selectors import ANY

if TYPE_CHECKING:
    from ringfence.analysis.reach import Row
    from ringfence.estate import Estate
    from ringfence.model.selectors import Selector


def reach(
    estate: Estate, sources: str, destinations: str, *, by_address: bool = False, full: bool = False
) -> Iterator[Row]:
    """Return a row for every pair of assets or addresses that two selectors choose, without the built-ins."""
    queries = QueryReader(estate.workspace.definitions, estate.snapshot)
    clients, servers = queries.selectors(sources), queries.selectors(destinations)
    tables = estate.in_force(full=full, only=_chosen(estate, (*clients, *servers)))
    return reached(tables, clients, servers, by_address=by_address)


def _chosen(estate: Estate, selectors: Sequence[Selector]) -> list[str] | None:
    """Return the names of the assets that selectors choose, None where that may be all."""
    if ANY in selectors:
        return None
    chosen = Ends(estate.snapshot, estate.workspace.settings).assets(selectors)
    return [asset.name for asset, _ in chosen]
