"""The plans of a workspace, by name: found, and every file of one checked before anything is done with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.analysis.lookup import TableLookup
from ringfence.files import regular_file
from ringfence.plan import find, read, verify_files
from ringfence.plan.store import Head, directories, heads
from ringfence.wire.plan_format import SIGNATURE_FILE

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.tables import VerdictTable
    from ringfence.plan import Plan

__all__ = ["ChosenPlan", "ListedPlan", "TableLookup", "chosen_plan", "list_plans", "plan_names", "tables_of"]


@dataclass(frozen=True, slots=True)
class ChosenPlan:
    """A plan and the directory that it was read from."""

    plan: Plan
    directory: Path

    @property
    def signed(self) -> bool:
        """Return whether somebody signed it; who, a rollout checks."""
        return (self.directory / SIGNATURE_FILE).exists()


@dataclass(frozen=True, slots=True)
class ListedPlan:
    """A plan as lists show it."""

    head: Head
    directory: Path

    @property
    def signed(self) -> bool:
        """Return whether somebody signed it."""
        return (self.directory / SIGNATURE_FILE).exists()

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        head = self.head
        return {
            "id": head.short,
            "digest": head.digest,
            "number": head.sequence,
            "made": head.created,
            "hosts": head.hosts,
            "signed": self.signed,
            "bytes": head.size,
        }


def list_plans(estate: Estate) -> list[ListedPlan]:
    """Return the plans of a workspace, the newest last. Raise InputError at a broken one."""
    found = (ListedPlan(head, directory) for directory, head in heads(estate.plans))
    return sorted(found, key=lambda one: (one.head.sequence, one.head.created))


def chosen_plan(estate: Estate, name: str) -> ChosenPlan:
    """Return a plan with its directory. Raise InputError where a file of it is missing or was changed."""
    directory = find(estate.plans, name).absolute()
    plan = read(directory)
    verify_files(directory, plan)
    return ChosenPlan(plan, directory)


def plan_names(plans: Path) -> list[str]:
    """Return the names of all plans."""
    return [directory.name for directory in directories(plans)]


def tables_of(chosen: ChosenPlan) -> dict[str, VerdictTable]:
    """Return the table that a plan gives each host and container, by name."""
    from ringfence.plan.verdict_table_json import table_of

    folder = chosen.directory / "tables"
    digests = set(chosen.plan.workloads.values())
    tables = {one: table_of(regular_file(folder / f"{one}.json").decode()) for one in digests}
    return {name: tables[digest] for name, digest in chosen.plan.workloads.items()}
