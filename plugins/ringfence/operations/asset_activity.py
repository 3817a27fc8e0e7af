"""When something was last seen of each asset in the flows of a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ringfence.operations.execution import Execution
from ringfence.operations.interrupting import interruptible

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.operations.flow_selection import FlowSelection

_LAST = (
    "SELECT asset, max(last_seen) FROM ("
    " SELECT client_asset AS asset, last_seen FROM flows WHERE client_asset IS NOT NULL"
    " UNION ALL SELECT server_asset, last_seen FROM flows WHERE server_asset IS NOT NULL)"
    " GROUP BY asset"
)


def last_seen(estate: Estate, flows: FlowSelection, execution: Execution | None = None) -> dict[str, datetime]:
    """Return when a flow of each asset was last seen, in UTC; assets of which nothing was seen are not there.

    Raise Cancelled where it was cancelled.
    """
    execution = execution or Execution()
    window = flows.window(estate, execution.listener)
    try:
        with interruptible(execution, window.connection), execution.listener.working("looking who was seen"):
            rows = list(window.rows(_LAST))
    finally:
        window.close()
    return {str(name): time.replace(tzinfo=UTC) for name, time in rows if isinstance(time, datetime)}
