"""Why a connection between two ends is allowed or denied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.analysis.explain import explain as explained
from ringfence.analysis.query_endpoints import meant
from ringfence.estate.queries import QueryReader
from ringfence.operations.forwarding_ways import ways_of
from ringfence.operations.other_firewalls import other_firewalls

if TYPE_CHECKING:
    from ringfence.analysis.explain import Explanation
    from ringfence.estate import Estate
    from ringfence.model.tables import ProcessClass


def explain(
    estate: Estate,
    source: str,
    destination: str,
    service: str,
    process: ProcessClass | None = None,
    *,
    full: bool = False,
) -> Explanation:
    """Return the answers for every port of a service; with `full`, as if every mode were full."""
    services = QueryReader(estate.workspace.definitions, estate.snapshot).services(service)
    ends = [asset.name for word in (source, destination) for asset in meant(estate.snapshot, word)]
    compilation = estate.in_force(full=full, only=ends)
    ways, others = ways_of(estate)
    return explained(
        compilation, source, destination, services, process, {**others, **other_firewalls(estate, ends)}, ways
    )


def process_of(text: str) -> ProcessClass | None:
    """Return the process that a word means: a unit, or `user:NAME`; None for an empty word."""
    from ringfence.model.tables import ProcessClass

    kind, _, name = text.strip().rpartition(":")
    if not name:
        return None
    return ProcessClass(None, name) if kind == "user" else ProcessClass(text.strip(), None)
