"""The SQL of a simulation: flows joined to the classes of their ends and services, and to the verdicts of these."""

# ruff: noqa: S608 - the SQL is put together from column names of ours and numbers
from __future__ import annotations

from collections.abc import Sequence

from ringfence.flows.window import FlowWindow
from ringfence.model.flows import REFUSED
from ringfence.model.rules import Direction

SIDES = {"client": Direction.OUT, "server": Direction.IN}
JUDGED = f"outcome <> '{REFUSED}'"
GROUP = (
    "c.class AS client_class, s.class AS server_class, coalesce(c.holder = s.holder, false) AS itself,"
    " v.service AS service"
)
GROUP_KINDS = {"client_class": "INTEGER", "server_class": "INTEGER", "itself": "BOOLEAN", "service": "INTEGER"}
_PROCESS = {"unit": "unit", "user": "owner"}


def flows_with_classes(window: FlowWindow) -> str:
    """Return the SQL of all flows with their ends and services."""
    return (
        f"distinct_flows AS f JOIN simulated_client AS c ON {_same('client', 'c', window)}"
        f" JOIN simulated_server AS s ON {_same('server', 's', window)}"
        " JOIN simulated_services AS v ON v.protocol = f.protocol AND v.port IS NOT DISTINCT FROM f.port"
    )


def with_verdicts(flows: str, verdicts: Sequence[int]) -> str:
    """Return the SQL of flows with their group, and with the verdict where it is one of some."""
    # apart, or DuckDB's planner joins the ends to each other first
    return (
        f"WITH grouped AS MATERIALIZED ({flows}) SELECT grouped.*, g.verdict FROM grouped JOIN simulated AS g"
        " ON g.client_class = grouped.client_class AND g.server_class = grouped.server_class"
        " AND g.itself = grouped.itself AND g.service = grouped.service"
        f" WHERE g.verdict IN ({', '.join(map(str, verdicts))})"
    )


def is_label(ends: str, label: int | None) -> str:
    """Return the condition that an end has a combination of labels, by its number; None is that of no asset."""
    return f"{ends}.label IS NULL" if label is None else f"{ends}.label = {label}"


def _same(side: str, ends: str, window: FlowWindow) -> str:
    same = [f"f.{side} = {ends}.address", f"f.{side}_asset IS NOT DISTINCT FROM {ends}.asset"]
    if window.distinct.processes:
        same += [f"f.{side}_{kind} IS NOT DISTINCT FROM {ends}.{name}" for kind, name in _PROCESS.items()]
        same.append(f"(f.{side}_process IS NOT NULL) = {ends}.said")
    return " AND ".join(same)
