"""Exactly what may talk to what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ringfence.analysis.peer_resolution import Ends
from ringfence.analysis.reach import reach as reached
from ringfence.estate.queries import QueryReader
from ringfence.model.selectors import ANY
from ringfence.operations.emergencies import standing_about
from ringfence.operations.execution import Execution

if TYPE_CHECKING:
    from ringfence.analysis.reach import Row
    from ringfence.estate import Estate
    from ringfence.model.selectors import Selector


def reach(
    estate: Estate,
    sources: str,
    destinations: str,
    execution: Execution | None = None,
    *,
    by_address: bool = False,
    full: bool = False,
) -> Iterator[Row]:
    """Return a row for every pair of assets or addresses that two selectors choose, without the built-ins.

    The listener is told what stands about these: what a quarantine cuts has no row that could say so.
    """
    listener = (execution or Execution()).listener
    queries = QueryReader(estate.workspace.definitions, estate.snapshot)
    clients, servers = queries.selectors(sources), queries.selectors(destinations)
    for line in _standing(estate, clients, servers):
        listener.note(line)
    tables = estate.in_force(full=full, only=_chosen(estate, (*clients, *servers)))
    return reached(tables, clients, servers, by_address=by_address)


def _standing(estate: Estate, *ends: Sequence[Selector]) -> Iterator[str]:
    """Yield what stands about the assets of the narrower end, about all where both ends may be anybody."""
    chosen = [names for selectors in ends if (names := _chosen(estate, selectors)) is not None]
    return standing_about(estate, {name for names in chosen for name in names} if chosen else None)


def _chosen(estate: Estate, selectors: Sequence[Selector]) -> list[str] | None:
    """Return the names of the assets that selectors choose, None where that may be all."""
    if ANY in selectors:
        return None
    chosen = Ends(estate.snapshot, estate.workspace.settings).assets(selectors)
    return [asset.name for asset, _ in chosen]
