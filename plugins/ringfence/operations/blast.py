"""What one asset reaches: now, over how many hops, and under the policy as it is in the files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.analysis.blast import Blast, Compared
from ringfence.analysis.blast import blast as blast_of
from ringfence.analysis.peer_resolution import Ends
from ringfence.analysis.simulate import DEFAULT_KEYS
from ringfence.estate.held_tables import held_tables, known_records
from ringfence.estate.queries import QueryReader
from ringfence.model.errors import InputError
from ringfence.operations.emergencies import standing_about
from ringfence.operations.execution import Execution

if TYPE_CHECKING:
    from ringfence.estate import Estate


_ONE_ASSET = "name one asset: ringfence assets lists them; from networks 'ringfence reach --from internet' says it"


@dataclass(frozen=True, slots=True)
class BlastRequest:
    """From which asset, over at most how many hops, and on which services; any number, and any, where not said.

    `keys` are the labels that the answer tells assets apart by, the usual ones where none are said.
    """

    asset: str
    hops: int | None = None
    services: str | None = None
    keys: tuple[str, ...] = ()


def blast(estate: Estate, request: BlastRequest, execution: Execution | None = None) -> Blast:
    """Return what an asset reaches. Raise InputErrors for an asset or a service that there is not."""
    listener = (execution or Execution()).listener
    queries = QueryReader(estate.workspace.definitions, estate.snapshot)
    settings = estate.workspace.settings
    found = Ends(estate.snapshot, settings).assets(queries.selectors(request.asset))
    if len(found) != 1:
        many = f"chooses {len(found)} assets" if found else "is no asset with an address"
        raise InputError(f"'{request.asset}' {many}", remedy=_ONE_ASSET)
    known = {key for asset in estate.snapshot.assets for key in asset.labels}
    for key in request.keys:
        if key not in known:
            raise InputError(f"no asset has a label '{key}'", remedy=f"the keys are: {', '.join(sorted(known))}")
    services = queries.services(request.services) if request.services else None
    for line in standing_about(estate, {found[0][0].name}):
        listener.note(line)
    held = estate.overridden(held_tables(estate, known_records(estate), listener))
    compiled = estate.in_force()
    # a host that nothing brings its table to goes on with what it holds
    draft = {**compiled.tables, **{name: held[name] for name in compiled.why if name in held}}
    with listener.working("following the ways"):
        asked = Compared(estate.snapshot, settings, held, draft, request.keys or DEFAULT_KEYS)
        return blast_of(found[0][0], asked, services, request.hops)
