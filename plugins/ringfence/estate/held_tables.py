"""What the hosts of a workspace are known to hold, and the tables that this means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ringfence.enforcers import held_by_host
from ringfence.model.problems import Problem, Severity
from ringfence.plan.state_file import anything_known
from ringfence.wire.first_few import first_few
from ringfence.wire.plan_format import SHORT

if TYPE_CHECKING:
    from ringfence.estate.estate import Estate
    from ringfence.estate.listening import Listener
    from ringfence.model.tables import VerdictTable
    from ringfence.plan import Held
    from ringfence.plan.artefact import Plan


def known_records(estate: Estate) -> dict[str, Held]:
    """Return the known state of every host, by name."""
    if not anything_known(estate.directory, estate.plans):
        return {}
    from ringfence.plan import known

    return known(estate.directory, estate.plans, estate.now)


def held_tables(estate: Estate, held: Mapping[str, Held], listener: Listener) -> dict[str, VerdictTable]:
    """Return the tables that hosts hold now, by name.

    A host that holds one which no plan here has is named in a warning and left out: its plan was made elsewhere, its
    directory is gone, or the host does not say the truth.
    """
    if not held:
        return {}
    from ringfence.plan.store import table_text
    from ringfence.plan.verdict_table_json import table_of

    read: dict[str, VerdictTable | None] = {}
    found: dict[str, VerdictTable] = {}
    unknown: list[str] = []
    for name, one in sorted(held.items()):
        if not one.table:
            continue
        if one.table not in read:
            text = table_text(estate.plans, one.table)
            read[one.table] = None if text is None else table_of(text)
        table = read[one.table]
        if table is None:
            unknown.append(name)
        else:
            found[name] = table
    if any(map(held_by_host, {asset.enforcer for asset in estate.snapshot.assets})):
        found |= _in_hosts(estate, held)
    if unknown:
        message = f"{first_few(unknown)}: no plan in {estate.plans} has the table that is held there"
        remedy = "the diff and the simulation take such a host as open; with that plan's directory they would know"
        listener.problems([Problem(Severity.WARNING, message, remedy=remedy)])
    return found


def _in_hosts(estate: Estate, held: Mapping[str, Held]) -> dict[str, VerdictTable]:
    """Return the tables that hosts hold of containers and of whom they forward for, as far as their plans are here."""
    from ringfence.plan.store import read, table_text
    from ringfence.plan.verdict_table_json import table_of

    plans: dict[str, Plan | None] = {}
    found = {}
    for name, one in held.items():
        if one.plan not in plans:
            directory = estate.plans / one.plan[:SHORT]
            plans[one.plan] = read(directory) if one.plan and directory.is_dir() else None
        plan = plans[one.plan]
        host = plan.hosts.get(name) if plan else None
        if host is None or host.ruleset != one.ruleset:
            continue
        inside = [(container, its.table) for container, its in host.containers.items()]
        way = [(asset, its.table) for its in host.forwarded for asset in its.assets]
        for workload, digest in (*way, *inside):
            if workload not in held and (text := table_text(estate.plans, digest)) is not None:
                found[workload] = table_of(text)
    return found
