"""What may talk to what, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ringfence.model.services import EVERY_SERVICE, service_texts

if TYPE_CHECKING:
    from ringfence.analysis.reach import Row
    from ringfence.model.intervals import IntervalSet
    from ringfence.model.tables import ProcessClass

COLUMNS = ("from", "process", "to", "process", "services")


def reach_rows(rows: Iterable[Row]) -> Iterator[tuple[str, ...]]:
    """Yield a row for every pair, under COLUMNS."""
    for row in rows:
        yield (
            row.client,
            _process(row.client_process),
            row.server,
            _process(row.server_process),
            services_words(row.services),
        )


def services_words(services: IntervalSet) -> str:
    """Return every service, or where that is shorter, all but the rest."""
    words, rest = service_texts(services), service_texts(EVERY_SERVICE - services)
    return f"all but {', '.join(rest)}" if 0 < len(rest) < len(words) else ", ".join(words)


def _process(process: ProcessClass | None) -> str:
    if process is None:
        return ""
    return str(process) or "any other"
