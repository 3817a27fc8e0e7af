"""The flows of a window as numbers: each distinct end and service once, so that judging and grouping cost little."""

# ruff: noqa: S608 - the SQL is put together from column names of ours
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from ringfence.analysis.simulate_ends import End
from ringfence.flows.engine import DuckEngine
from ringfence.flows.window_files import reading_files
from ringfence.model.flows import REFUSED

if TYPE_CHECKING:
    import duckdb

    from ringfence.flows.window import FlowWindow

Service = tuple[int, int | None]
_END = ("address", "asset", "unit", "owner", "said")


@dataclass(frozen=True)
class PictureFlows:
    """The table `picture_flows` of a connection.

    It has `id`, the numbers of both ends and of the service, `refused`, `connections`, and `last`, when the last was
    seen. `clients`, `servers` and `services` say what the numbers stand for.
    """

    connection: duckdb.DuckDBPyConnection
    clients: tuple[End, ...]
    servers: tuple[End, ...]
    services: tuple[Service, ...]

    @staticmethod
    def of(window: FlowWindow) -> PictureFlows:
        """Return the flows of a window; it has to stay open."""
        engine = DuckEngine(window.connection)
        distinct = window.timed_here()
        for side in ("client", "server"):
            engine.keep(f"picture_{side}s", _ends(side, processes=distinct.processes))
        services = "SELECT DISTINCT protocol, port FROM distinct_flows"
        engine.keep("picture_services", f"SELECT {_numbered('protocol, port')}, * FROM ({services}) AS s")
        with reading_files():
            engine.keep("picture_flows", _flows(processes=distinct.processes))
        clients, servers = (
            tuple(map(End._make, engine.rows(f"SELECT {', '.join(_END)} FROM picture_{side}s ORDER BY number")))
            for side in ("client", "server")
        )
        named = engine.rows("SELECT protocol, port FROM picture_services ORDER BY number")
        return PictureFlows(window.connection, clients, servers, cast(tuple[Service, ...], tuple(named)))


def _ends(side: str, *, processes: bool) -> str:
    named = [side, f"{side}_asset", f"{side}_unit", f"{side}_user", f"{side}_process IS NOT NULL"]
    if not processes:
        named[2:] = ["NULL::VARCHAR", "NULL::VARCHAR", "false"]
    columns = ", ".join(f"{told} AS {name}" for told, name in zip(named, _END, strict=True))
    distinct = f"SELECT DISTINCT {columns} FROM distinct_flows"
    return f"SELECT {_numbered(', '.join(_END))}, * FROM ({distinct}) AS ends"


def _numbered(order: str) -> str:
    return f"(row_number() OVER (ORDER BY {order}) - 1)::INTEGER AS number"


def _flows(*, processes: bool) -> str:
    ends = "".join(
        f" JOIN picture_{side}s AS {side[0]} ON {_same(side, processes=processes)}" for side in ("client", "server")
    )
    return (
        "SELECT (row_number() OVER () - 1)::INTEGER AS id, c.number AS client, s.number AS server,"
        f" v.number AS service, f.outcome = '{REFUSED}' AS refused, f.connections::BIGINT AS connections,"
        f" f.last_seen AS last FROM distinct_flows AS f{ends}"
        " JOIN picture_services AS v ON v.protocol = f.protocol AND v.port IS NOT DISTINCT FROM f.port"
    )


def _same(side: str, *, processes: bool) -> str:
    ends = side[0]
    same = [f"f.{side} = {ends}.address", f"f.{side}_asset IS NOT DISTINCT FROM {ends}.asset"]
    if processes:
        same += [f"f.{side}_unit IS NOT DISTINCT FROM {ends}.unit", f"f.{side}_user IS NOT DISTINCT FROM {ends}.owner"]
        same.append(f"(f.{side}_process IS NOT NULL) = {ends}.said")
    return " AND ".join(same)
