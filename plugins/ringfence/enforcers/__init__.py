"""The enforcers: from a verdict table to what one kind of host or service loads; found by entry point."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Protocol, runtime_checkable

from ringfence.model.errors import InputError
from ringfence.model.tables import VerdictTable

GROUP = "ringfence.enforcers"


@runtime_checkable
class Enforcer(Protocol):
    """What an enforcer offers. Both functions depend on nothing but the table, so equal tables give equal bytes."""

    def render(self, table: VerdictTable) -> str:
        """Return what the target loads."""
        ...

    def process_elements(self, table: VerdictTable) -> list[dict[str, object]]:
        """Return what the target fills in for each process at run time: the `processes` of a plan's host."""
        ...


def names() -> tuple[str, ...]:
    """Return the names of the installed enforcers, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def enforcer(name: str) -> Enforcer:
    """Return the enforcer of a name. Raises InputError, with the names there are, where none is installed."""
    for point in entry_points(group=GROUP, name=name):
        found = point.load()
        if not isinstance(found, Enforcer):
            raise InputError(f"'{point.value}' is no enforcer", remedy="it needs render() and process_elements()")
        return found
    raise InputError(f"no enforcer is called '{name}'", remedy=f"installed are: {', '.join(names()) or 'none'}")
