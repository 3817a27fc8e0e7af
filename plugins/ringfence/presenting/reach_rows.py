"""What may talk to what, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ringfence.model.services import service_texts

if TYPE_CHECKING:
    from ringfence.analysis.reach import Row
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
            ", ".join(service_texts(row.services)),
        )


def _process(process: ProcessClass | None) -> str:
    if process is None:
        return ""
    return str(process) or "any other"
