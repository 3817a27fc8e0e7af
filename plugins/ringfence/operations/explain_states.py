"""A connection beside what the files say of it: what hosts hold, what the draft would do, what was seen, what was read.

These cost more than the files' own answer (`operations/explain.py`), so they are asked for apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ringfence.analysis.enforced_on_the_way import needed
from ringfence.analysis.explain import explain as explained
from ringfence.analysis.query_endpoints import meant
from ringfence.estate.alternatives import compiled_as
from ringfence.estate.held_tables import held_tables, known_records
from ringfence.estate.queries import QueryReader
from ringfence.model.addresses import address_text
from ringfence.model.flows import REFUSED
from ringfence.model.intervals import IntervalSet
from ringfence.model.services import service_texts
from ringfence.operations.draft import policy_of, show
from ringfence.operations.execution import Execution
from ringfence.operations.interrupting import interruptible
from ringfence.operations.kept_proofs import KeptProof, kept_proofs

if TYPE_CHECKING:
    from ringfence.analysis.explain import Explanation
    from ringfence.estate import Estate
    from ringfence.model.assets import Asset
    from ringfence.model.services import Services
    from ringfence.model.tables import ProcessClass
    from ringfence.operations.flow_selection import FlowSelection


@dataclass(frozen=True, slots=True)
class Asked:
    """Two ends, each an asset's name or an address, a service in words, and a process of the client."""

    source: str
    destination: str
    service: str
    process: ProcessClass | None = None


@dataclass(frozen=True, slots=True)
class LastRead:
    """What a host is known to hold: the table's digest (empty: none of ours), since when, and what verify found."""

    host: str
    table: str
    known: str
    proof: KeptProof | None


@dataclass(frozen=True, slots=True)
class Sightings:
    """Connections that were seen with one outcome, by the client's process (empty where nobody said it)."""

    service: str
    process: str
    refused: bool
    connections: int
    last: datetime


def meant_by(estate: Estate, word: str) -> tuple[Asset, ...]:
    """Return the assets that a word may stand for: those called so, else those that hold the address."""
    return meant(estate.snapshot, word)


def explain_held(estate: Estate, asked: Asked, execution: Execution | None = None) -> Explanation:
    """Return the answers by the tables that hosts hold: where they hold none, no rule decides.

    A rule that the files do not have any more has its name and no place.
    """
    held = held_tables(estate, known_records(estate), (execution or Execution()).listener)
    ends = _ends(estate, asked)
    some = needed(estate.snapshot, estate.workspace.settings, ends)
    tables = {name: held[name] for name in some if name in held}
    compiled = estate.with_emergencies(replace(estate.compiled(only=ends), tables=tables, why={}))
    return explained(compiled, asked.source, asked.destination, _services(estate, asked), asked.process)


def explain_draft(estate: Estate, asked: Asked) -> Explanation | None:
    """Return the answers under the draft, None where it changes nothing. Raise InputErrors where it is no policy."""
    edited = show(estate).edited
    if not edited.texts:
        return None
    compiled = estate.with_emergencies(compiled_as(estate, policy=policy_of(estate, edited)))
    return explained(compiled, asked.source, asked.destination, _services(estate, asked), asked.process)


def last_read(estate: Estate, asked: Asked) -> tuple[LastRead, ...]:
    """Return what is known of each end that is a host, without asking it."""
    records, proofs = known_records(estate), kept_proofs(estate)
    return tuple(
        LastRead(name, records[name].table, str(records[name].seen), proofs.get(name))
        for name in _ends(estate, asked)
        if name in records
    )


def seen_between(
    estate: Estate, asked: Asked, flows: FlowSelection, execution: Execution | None = None
) -> tuple[Sightings, ...]:
    """Return what was seen between the two ends on the service, the busiest first. Raise Cancelled where cancelled."""
    execution = execution or Execution()
    services = _services(estate, asked)
    window = flows.window(estate, execution.listener)
    try:
        with interruptible(execution, window.connection), execution.listener.working("looking what was seen"):
            _ = window.distinct
            for side, word in (("client", asked.source), ("server", asked.destination)):
                window.engine.put(f"asked_{side}", {"word": "VARCHAR"}, [_words(estate, word)])
            rows = window.engine.rows(_SEEN)
    finally:
        window.close()
    found = [_sighting(row) for row in rows if _within(row, services.v4 | services.v6)]
    return tuple(sorted(found, key=lambda one: -one.connections))


_SEEN = (
    "SELECT protocol, port, coalesce(client_unit, client_user, client_process, '') AS process, outcome,"
    " sum(connections), max(last_seen) FROM observations"
    " WHERE (client_asset IN (SELECT word FROM asked_client) OR client IN (SELECT word FROM asked_client))"
    " AND (server_asset IN (SELECT word FROM asked_server) OR server IN (SELECT word FROM asked_server))"
    " GROUP BY ALL ORDER BY ALL"
)
_ANY_PORT = 65536


def _within(row: tuple[object, ...], asked: IntervalSet) -> bool:
    protocol = int(str(row[0]))
    if row[1] is None:
        return asked.meets(IntervalSet(((protocol * _ANY_PORT, protocol * _ANY_PORT + _ANY_PORT - 1),)))
    return protocol * _ANY_PORT + int(str(row[1])) in asked


def _sighting(row: tuple[object, ...]) -> Sightings:
    protocol, port, process, outcome, connections, last = row
    low = int(str(protocol)) * _ANY_PORT + int(str(port or 0))
    high = low if port is not None else low + _ANY_PORT - 1
    service = service_texts(IntervalSet(((low, high),)))[0]
    assert isinstance(last, datetime)
    refused = outcome == REFUSED
    return Sightings(service, str(process), refused, int(str(connections)), last.replace(tzinfo=UTC))


def _services(estate: Estate, asked: Asked) -> Services:
    return QueryReader(estate.workspace.definitions, estate.snapshot).services(asked.service)


def _ends(estate: Estate, asked: Asked) -> list[str]:
    return list(
        dict.fromkeys(asset.name for one in (asked.source, asked.destination) for asset in meant_by(estate, one))
    )


def _words(estate: Estate, word: str) -> Sequence[str]:
    """Return the names and addresses that flows call an end by."""
    found = [word]
    for asset in meant_by(estate, word):
        found += [asset.name, *map(address_text, asset.addresses)]
    return list(dict.fromkeys(found))
