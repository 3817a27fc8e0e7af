"""A question to flows that can be cancelled while DuckDB counts or Python judges."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from ringfence.rollout.cancellation import Cancelled

if TYPE_CHECKING:
    from ringfence.model.judging import SoFar, Told
    from ringfence.operations.execution import Execution


def heeding(execution: Execution, told: Told | None = None) -> Told:
    """Return what hears how much of how much is done, passes that on, and raises Cancelled where that is wanted."""

    def heard(done: int, every: int, so_far: SoFar | None = None) -> None:
        execution.cancel.heed()
        if told is not None:
            told(done, every, so_far)

    return heard


@contextmanager
def interruptible(execution: Execution, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Have a cancellation end what DuckDB computes. Raise Cancelled where that was wanted."""
    execution.cancel.on_cancel(connection.interrupt)
    try:
        yield
    except duckdb.InterruptException as error:
        raise Cancelled from error
    finally:
        execution.cancel.forget(connection.interrupt)
    execution.cancel.heed()
