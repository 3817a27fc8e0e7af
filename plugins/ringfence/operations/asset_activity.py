"""When something was last seen of each asset, in flows that are judged already."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence.analysis.picture import JudgedPicture


def last_seen(judged: JudgedPicture) -> dict[str, datetime]:
    """Return when a flow of each asset was last seen, in UTC; assets of which nothing was seen are not there."""
    found: dict[str, datetime] = {}
    with judged.lock:
        for side, ends in (("client", judged.flows.clients), ("server", judged.flows.servers)):
            query = f"SELECT {side}, max(last) FROM picture_flows GROUP BY {side}"  # noqa: S608  # a name of ours
            for number, time in judged.engine.rows(query):
                name = ends[int(str(number))].asset
                if name is not None and isinstance(time, datetime):
                    seen = time.replace(tzinfo=UTC)
                    found[name] = max(seen, found.get(name, seen))
    return found
