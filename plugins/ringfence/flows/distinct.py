"""Distinct flows of observations: both ends' reports of one flow joined, and what sources repeat counted once.

Two hosts that report the same connection each know their own process. A process that one end did not say is taken from
the other end's report where that names a single one, and what both ends counted is counted once.
"""

# ruff: noqa: S608 - the SQL is put together from column names of ours
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.flows.columns import COLUMNS, COUNTS
from ringfence.flows.engine import Engine
from ringfence.flows.reasons import ranked, word

KEY = ("client", "client_asset", "server", "server_asset", "protocol", "port", "outcome")
SAID = ("direction_by", "attributes")  # the strongest reason, and what any one observation of a flow says of it
LAST = ", max(last_seen) AS last_seen"
CLIENT_PROCESS = ("client_unit", "client_user", "client_process")
SERVER_PROCESS = ("server_unit", "server_user", "server_process")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of observations before they are looked at.

    No process is named, all are of one source, no direction was guessed.
    """

    no_process: bool = False
    one_source: bool = False
    no_guess: bool = False


@dataclass(frozen=True, slots=True)
class Distinct:
    """The view `distinct_flows` of an engine: KEY, the processes and `connections`, a row for each distinct flow.

    Where `processes` says that any observation names a process, it is the table `flows` with all of its columns. Else,
    and so it is with most traffic, it is one grouping of few columns, with `last_seen` where it is `timed`. `count` is
    how many rows it has, `connections` their sum.
    """

    processes: bool
    count: int
    connections: int
    timed: bool = True

    @staticmethod
    def made(engine: Engine, known: Known, *, timed: bool = False) -> Distinct:
        """Make the view over the table or view `observations`."""
        processes = (*CLIENT_PROCESS, *SERVER_PROCESS)
        said = False
        if not known.no_process:
            any_said = " OR ".join(f"count({name}) > 0" for name in processes)
            ((told,),) = engine.rows(f"SELECT {any_said} AS said FROM observations")
            said = bool(told)
        if said:
            engine.keep("flows", joined("observations"))
            engine.view("distinct_flows", "SELECT * FROM flows")
        else:
            _group(engine, known, LAST if timed else "")
            named = ", ".join(f"CAST(NULL AS VARCHAR) AS {name}" for name in processes)
            engine.view(
                "distinct_flows",
                f"SELECT {', '.join(KEY)}, {named}, connections{', last_seen' if timed else ''} FROM distinct_keys",
            )
        sums = "SELECT count(*) AS flows, coalesce(sum(connections), 0) AS connections FROM distinct_flows"
        ((count, connections),) = engine.rows(sums)
        return Distinct(said, int(str(count)), int(str(connections)), timed or said)


def same_key(one: str, other: str) -> str:
    """Return the condition that two rows are of the same ends, service and outcome."""
    nullable = ("client_asset", "server_asset", "port")
    return " AND ".join(
        f"{one}.{name} {'IS NOT DISTINCT FROM' if name in nullable else '='} {other}.{name}" for name in KEY
    )


def busiest_first(rows: str) -> str:
    """Return the order of rows of flows for people: the most connections first, then by everything that tells apart."""
    ends = ("client", "server", "protocol", "port", *CLIENT_PROCESS, *SERVER_PROCESS)
    order = ", ".join(f"{rows}.{name}" for name in (*ends, "client_asset", "server_asset", "outcome"))
    return f"{rows}.connections DESC, {order}"


def _group(engine: Engine, known: Known, last: str) -> None:
    key = ", ".join(KEY)
    several = False
    if not known.one_source:
        ((told,),) = engine.rows(_SEVERAL_SOURCES)
        several = bool(told)
    counted = f"SELECT {key}, sum(connections) AS connections{last} FROM observations GROUP BY {key}"
    if several:
        by_source = f"SELECT {key}, sum(connections) AS connections{last} FROM observations GROUP BY {key}, {_SOURCE}"
        counted = f"SELECT {key}, max(connections) AS connections{last} FROM ({by_source}) AS by_source GROUP BY {key}"
    engine.keep("distinct_keys", counted)


def summed(observations: str) -> str:
    """Return the SQL that sums what one source said of one flow and its processes, whatever the times.

    What `joined` makes of it is what it makes of the observations themselves.
    """
    same = ", ".join((*KEY, *CLIENT_PROCESS, *SERVER_PROCESS, "source"))
    sums = ", ".join(f"sum({name}) AS {name}" for name in COUNTS)
    query = (
        f"SELECT {same}, min(first_seen) AS first_seen, max(last_seen) AS last_seen, {sums},"
        f" min({ranked('direction_by')}) AS direction_by, min(attributes) AS attributes"
        f" FROM {observations} AS o GROUP BY {same}"
    )
    chosen = ", ".join(f"{word(name)} AS {name}" if name == "direction_by" else name for name in COLUMNS)
    return f"SELECT {chosen} FROM ({query}) AS sums"


def joined(observations: str) -> str:
    """Return the SQL that makes one row a flow of a table of observations; the module's first lines say how."""
    key, client, server = ", ".join(KEY), ", ".join(CLIENT_PROCESS), ", ".join(SERVER_PROCESS)
    said = ", ".join(f"min({name}) AS {name}" for name in SAID)
    sums = ", ".join(f"sum({name}) AS {name}" for name in COUNTS)
    largest = ", ".join(f"max({name}) AS {name}" for name in COUNTS)
    chosen = ", ".join(f"{word(name)} AS {name}" if name == "direction_by" else name for name in COLUMNS)
    told = ", ".join(
        f"{how}({name}) OVER (PARTITION BY {key}) AS {name}_{how}"
        for name in (*CLIENT_PROCESS, *SERVER_PROCESS)
        for how in ("min", "max", "count")
    )
    filled = ", ".join(
        f"CASE WHEN {side}_said OR {many} <> 1 THEN {name} ELSE {name}_min END AS {name}"
        for side, many, names in (("c", "clients", CLIENT_PROCESS), ("s", "servers", SERVER_PROCESS))
        for name in names
    )
    return f"""
WITH seen AS (
    SELECT {key}, {client}, {server}, coalesce(source, '') AS source, min(first_seen) AS first_seen,
        max(last_seen) AS last_seen, {sums}, {said.replace("min(direction_by)", f"min({ranked('direction_by')})")}
    FROM {observations} GROUP BY {key}, {client}, {server}, coalesce(source, '')
), marked AS (
    SELECT *, coalesce({client}) IS NOT NULL AS c_said, coalesce({server}) IS NOT NULL AS s_said FROM seen
), told AS (
    SELECT *, sum(CASE WHEN c_said THEN 1 ELSE 0 END) OVER (PARTITION BY {key}) AS c_count,
        sum(CASE WHEN s_said THEN 1 ELSE 0 END) OVER (PARTITION BY {key}) AS s_count, {told}
    FROM marked
), numbered AS (
    SELECT *, {_how_many("c_count", CLIENT_PROCESS)} AS clients, {_how_many("s_count", SERVER_PROCESS)} AS servers
    FROM told
), filled AS (
    SELECT {key}, {filled}, source, first_seen, last_seen, {", ".join((*COUNTS, *SAID))}
    FROM numbered
    WHERE NOT (starts_with(source, 'hosts:') AND (
        (s_said AND NOT c_said AND clients > 1) OR (c_said AND NOT s_said AND clients = 1 AND servers > 1)))
), by_source AS (
    SELECT {key}, {client}, {server}, source, min(first_seen) AS first_seen, max(last_seen) AS last_seen, {sums}, {said}
    FROM filled GROUP BY {key}, {client}, {server}, source
), once AS (
    SELECT {key}, {client}, {server}, min(first_seen) AS first_seen, max(last_seen) AS last_seen, {largest}, {said},
        array_to_string(list_sort(list(source)), ' ') AS source
    FROM by_source GROUP BY {key}, {client}, {server}
)
SELECT {chosen} FROM once"""


def _how_many(said: str, names: Sequence[str]) -> str:
    """Return the SQL that tells how many processes the reports of one flow name at an end: 0, 1, or 2 for more."""
    same = " AND ".join(f"{name}_min IS NOT DISTINCT FROM {name}_max AND {name}_count IN (0, {said})" for name in names)
    return f"CASE WHEN {said} = 0 THEN 0 WHEN {same} THEN 1 ELSE 2 END"


_SOURCE = "coalesce(source, '')"
_SEVERAL_SOURCES = (
    f"SELECT count(*) > 1 AS several FROM (SELECT DISTINCT {_SOURCE} AS source FROM observations LIMIT 2) AS sources"
)
