"""Ends of flows whose address several assets held: both are looked for together, in realms that see each other.

Of the assets that held the two addresses those two are taken that are, in this order: the observer itself, in its
realm, in a realm that it sees; of one realm, of two that see each other. What then is still several is ambiguous: the
first by name is taken, and it is told.
"""

# ruff: noqa: S608 - the SQL is put together from names of ours
from __future__ import annotations

from collections.abc import Iterable

import duckdb

from ringfence.model.assets import Snapshot
from ringfence.model.counts import counted
from ringfence.wire.first_few import first_few

_TOLD = 20
AMBIGUOUS = "ambiguous_ends"


def visible_realms(snapshots: Iterable[Snapshot]) -> list[tuple[str, str]]:
    """Return the pairs of two realms of which one sees the other, in both orders."""
    pairs = {
        (one, other)
        for snapshot in snapshots
        for realm, seen in snapshot.sees.items()
        for there in seen
        for one, other in ((realm, there), (there, realm))
        if one != other
    }
    return sorted(pairs)


def none_ambiguous(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the empty table of ambiguous ends."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {AMBIGUOUS} (address VARCHAR, names VARCHAR[], flows BIGINT)")


def resolve_shared(connection: duckdb.DuckDBPyConnection, flows: str) -> str:
    """Return the SQL of a table of flows with the assets of both ends.

    The tables `held_first`, `held_all`, `held_shared`, `observers`, `spans` and `seen_realms` say who held what.
    """
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE flows_spanned AS SELECT f.*, sp.since AS span,"
        " CASE WHEN split_part(source, ':', 1) IN ('hosts', 'denials')"
        " THEN nullif(source[strpos(source, ':') + 1:], '') END AS observer"
        f" FROM {flows} f ASOF JOIN spans sp ON f.first_seen >= sp.since"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE shared_pairs AS SELECT client, server, observer, span, count(*) AS flows"
        " FROM flows_spanned WHERE client IN (FROM held_shared) OR server IN (FROM held_shared) GROUP BY ALL"
    )
    near = ", ".join(
        f"CASE WHEN {e}.name IS NULL OR p.observer IS NULL OR {e}.name = p.observer THEN 0 WHEN {e}.realm = o.realm"
        f" THEN 1 WHEN v{e}.one IS NOT NULL THEN 2 ELSE 3 END AS {e}_near"
        for e in "cs"
    )
    held = " ".join(
        f"LEFT JOIN held_all {e} ON {e}.address = p.{end} AND {_at(e)}"
        f" LEFT JOIN seen_realms v{e} ON v{e}.one = o.realm AND v{e}.other = {e}.realm"
        for e, end in (("c", "client"), ("s", "server"))
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE shared_ends AS
WITH candidates AS (
    SELECT p.*, c.name AS c_name, s.name AS s_name, {near}, CASE WHEN c.realm IS NULL OR s.realm IS NULL
        OR c.realm = s.realm THEN 0 WHEN v.one IS NOT NULL THEN 1 ELSE 2 END AS apart
    FROM shared_pairs p LEFT JOIN observers o ON o.name = p.observer AND {_at("o")} {held}
    LEFT JOIN seen_realms v ON v.one = c.realm AND v.other = s.realm
), best AS (
    SELECT * FROM candidates QUALIFY
        rank() OVER (PARTITION BY client, server, observer, span ORDER BY c_near, s_near, apart) = 1
)
SELECT client, server, observer, span, flows, min(struct_pack(c := c_name, s := s_name)) AS chosen,
    list_sort(list_distinct(list(c_name))) AS c_names, list_sort(list_distinct(list(s_name))) AS s_names
FROM best GROUP BY client, server, observer, span, flows"""
    )
    connection.execute(
        f"INSERT INTO {AMBIGUOUS} SELECT address, names, sum(flows) FROM (SELECT client AS address, c_names AS names,"
        " flows FROM shared_ends UNION ALL SELECT server, s_names, flows FROM shared_ends WHERE client <> server)"
        " WHERE len(names) > 1 GROUP BY ALL"
    )
    first = " ".join(
        f"LEFT JOIN held_first {e} ON {e}.address = f.{end} AND {_at(e, 'f')}"
        for e, end in (("c", "client"), ("s", "server"))
    )
    return (
        "SELECT f.* EXCLUDE (span, observer), if(x.span IS NULL, c.name, x.chosen.c) AS client_asset,"
        " if(x.span IS NULL, s.name, x.chosen.s) AS server_asset"
        f" FROM flows_spanned f {first} LEFT JOIN shared_ends x ON x.client = f.client AND x.server = f.server"
        " AND x.observer IS NOT DISTINCT FROM f.observer AND x.span = f.span"
    )


def ambiguous(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Return a sentence for each address whose holder was ambiguous when flows were last resolved."""
    rows = connection.execute(
        f"SELECT address, names, sum(flows)::BIGINT FROM {AMBIGUOUS} GROUP BY ALL ORDER BY 3 DESC, 1"
    ).fetchall()
    told = [
        f"{address} is held by {first_few(names, 3)}, and nothing says whose {counted(flows, 'flow')} of it "
        f"{'is' if flows == 1 else 'are'}: {names[0]}'s, as the first by name"
        for address, names, flows in rows[:_TOLD]
    ]
    if len(rows) > _TOLD:
        told.append(f"{counted(len(rows) - _TOLD, 'more address', 'more addresses')} of flows may be several assets'")
    return tuple(told)


def _at(alias: str, of: str = "p") -> str:
    return f"{of}.span >= {alias}.since AND {of}.span < {alias}.until"
