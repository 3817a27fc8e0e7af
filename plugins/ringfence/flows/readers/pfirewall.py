"""The log of the Windows firewall, pfirewall.log: connections that it allowed and packets that it dropped.

The sender of a row is the client, except where the row's TCP flags say that the packet began nothing.
"""

# ruff: noqa: S608 - the SQL is put together from names of fields and tables of ours
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

from ringfence.flows.log_lines import formats, line_place, lines_table, log_files, miscounted
from ringfence.flows.reading import Reading
from ringfence.flows.sightings import add_sightings, new_sightings
from ringfence.model.errors import InputError, Place

SOURCE = "pfirewall"
# https://learn.microsoft.com/windows/security/operating-system-security/network-security/windows-firewall/
FIELDS = (
    *("date", "time", "action", "protocol", "src-ip", "dst-ip", "src-port", "dst-port", "size", "tcpflags", "tcpsyn"),
    *("tcpack", "tcpwin", "icmptype", "icmpcode", "info", "path"),
)
NEEDED = ("date", "time", "action", "protocol", "src-ip", "dst-ip", "src-port", "dst-port")
LOST = "INFO-EVENTS-LOST"
_ROW = "NOT starts_with(ltrim(line), '#') AND trim(line, ' \t\r') <> ''"


def sightings(connection: duckdb.DuckDBPyConnection, path: Path, reading: Reading) -> str:
    """Return the table of sightings of a file; raise InputError for a header of which no flow can be made."""
    files = log_files(path, reading)
    for parquet in files.parquet:
        reading.reject(InputError("pfirewall.log is not read from Parquet"), Place(str(parquet)))
    found = new_sightings(connection)
    with lines_table(connection, files, reading) as lines:

        def place(n: int) -> Place:
            return line_place(connection, lines, files, n)

        headers = _headers(connection, lines, reading, place)
        for fields, query in formats(connection, lines, headers, FIELDS, _ROW):
            add_sightings(connection, found, _raw(fields, query), reading, place)
    return found


def _headers(
    connection: duckdb.DuckDBPyConnection, lines: str, reading: Reading, place: Callable[[int], Place]
) -> dict[int, tuple[str, ...] | None]:
    """Return the fields that lines `#Fields:` name, by their number; a note says that times are taken for UTC."""
    found: dict[int, tuple[str, ...] | None] = {}
    query = f"SELECT n, line FROM {lines} WHERE starts_with(lower(ltrim(line)), '#fields:') ORDER BY n"
    for n, line in connection.execute(query).fetchall():
        fields = tuple(line.lower().partition(":")[2].split())
        missing = [name for name in NEEDED if name not in fields]
        found[n] = None if missing else fields
        if missing:
            reading.reject(InputError(f"the fields lack {', '.join(missing)}: no pfirewall.log"), place(n))
    local = f"SELECT min(n) FROM {lines} WHERE regexp_matches(line, '^#time format: *local', 'i')"
    for (n,) in connection.execute(local).fetchall():
        if n is not None:
            reading.warn("the times are local ones of a zone that is not named, and are taken for UTC", place(n))
    return found


def _raw(fields: tuple[str, ...], rows: str) -> str:
    def value(name: str) -> str:
        return f"nullif(l[{fields.index(name) + 1}], '-')" if name in fields else "NULL::VARCHAR"

    count, action, protocol = len(fields), f"upper({value('action')})", f"lower({value('protocol')})"
    lost = f"coalesce({action} = '{LOST}', false)"
    time = f"try_cast(concat({value('date')}, ' ', {value('time')}) AS TIMESTAMP)"
    is_icmp = f"{protocol} IN ('icmp', 'icmpv6', '1', '58')"
    # Dropped packets that carry ACK and no SYN belong to a connection of which nothing is known.
    later = f"contains(upper({value('tcpflags')}), 'A') AND NOT contains(upper({value('tcpflags')}), 'S')"
    answer = f"contains(upper({value('tcpflags')}), 'S') AND contains(upper({value('tcpflags')}), 'A')"
    columns = {
        "n": "n",
        "colon": "colon",
        "malformed": f"CASE WHEN {lost} THEN NULL"
        f" WHEN len(l) NOT BETWEEN {count} AND {count + 1} THEN"
        f" {miscounted(count)}"
        f" WHEN coalesce({action} NOT IN ('ALLOW', 'DROP'), true)"
        f" THEN format('action ''{{}}'' is neither ALLOW nor DROP', coalesce({action}, '')) END",
        "empty": lost,
        "src": value("src-ip"),
        "dst": value("dst-ip"),
        "sport": value("src-port"),
        "dport": f"CASE WHEN {is_icmp} THEN {value('icmptype')} ELSE {value('dst-port')} END",
        "protocol": f"CASE WHEN {protocol} = 'icmp' AND contains({value('src-ip')}, ':') THEN 'icmpv6'"
        f" ELSE {protocol} END",
        "first": time,
        "last": time,
        "times": f"concat_ws(' ', {value('date')}, {value('time')})",
        # An allowed row is a connection, of which the log has no counts; a dropped one is a packet.
        "packets": f"CASE WHEN {action} = 'DROP' THEN '1' END",
        "bytes": value("size"),
        "observer": "NULL",
        "refused": f"{action} = 'DROP'",
        "said": f"CASE WHEN {answer} THEN -1 WHEN {later} THEN NULL ELSE 1 END",
        "alone": "false",
        "reset": "false",
        "attributes": "NULL",
    }
    split = (
        "SELECT n, contains(line, ':') AS colon,"
        f" string_split(regexp_replace(trim(line, ' \t\r'), '[ \t]+', ' ', 'g'), ' ') AS l FROM ({rows})"
    )
    return f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in columns.items())} FROM ({split})"
