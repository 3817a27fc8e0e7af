"""Connections that Linux tracks, as `conntrack -L` lists and `conntrack -E` reports them, in text.

The first tuple of a line is the question, the second the answer: the server is whoever answers, behind destination NAT
the real one, and the client is who asked, before source NAT; so the host's own filter sees them.
"""

# ruff: noqa: S608 - the SQL is put together from names of tables of ours
from __future__ import annotations

from pathlib import Path

import duckdb

from ringfence.flows.log_lines import line_place, lines_table, log_files
from ringfence.flows.reading import Reading
from ringfence.flows.sightings import add_sightings, new_sightings
from ringfence.model.errors import InputError, Place

SOURCE = "conntrack"
# `conntrack v1.4.7 (conntrack-tools): 12 flow entries have been shown.`
_ROW = "NOT starts_with(line, 'conntrack v') AND trim(line, ' \t\r') <> ''"
_HEAD = r"^\s*(?:\[([0-9]+\.[0-9]+)\])?\s*(?:\[([A-Z]+)\])?\s*(?:ipv[46]\s+[0-9]+\s+)?([a-z0-9-]+)\s+([0-9]+)\b"


def sightings(connection: duckdb.DuckDBPyConnection, path: Path, reading: Reading) -> str:
    """Return the table of sightings of a file, each once however many events it had."""
    files = log_files(path, reading)
    for parquet in files.parquet:
        reading.reject(InputError("conntrack's text is not read from Parquet"), Place(str(parquet)))
    found = new_sightings(connection)
    with lines_table(connection, files, reading) as lines:
        add_sightings(
            connection, found, _raw(lines, reading), reading, lambda n: line_place(connection, lines, files, n)
        )
    return found


def _raw(lines: str, reading: Reading) -> str:
    assert reading.observed is not None
    observed = f"TIMESTAMP '{reading.observed:%Y-%m-%d %H:%M:%S}'"
    parts = {
        "head": f"regexp_extract(line, '{_HEAD}', ['time', 'event', 'name', 'number'])",
        "src": r"regexp_extract_all(line, '\bsrc=(\S+)', 1)",
        "dst": r"regexp_extract_all(line, '\bdst=(\S+)', 1)",
        "sport": r"regexp_extract_all(line, '\bsport=(\S+)', 1)",
        "dport": r"regexp_extract_all(line, '\bdport=(\S+)', 1)",
        "type": r"regexp_extract_all(line, '\btype=(\S+)', 1)",
        "packets": r"regexp_extract_all(line, '\bpackets=([0-9]{1,18})\b', 1)",
        "bytes": r"regexp_extract_all(line, '\bbytes=([0-9]{1,18})\b', 1)",
    }
    taken = ", ".join(f"{sql} AS {name}" for name, sql in parts.items())
    rows = f"SELECT n, line, {taken} FROM {lines} WHERE {_ROW}"
    time = (
        f"CASE WHEN head.time = '' THEN {observed}"
        " ELSE make_timestamp(try_cast(try_cast(head.time AS DECIMAL(38, 6)) * 1000000 AS BIGINT)) END"
    )
    return f"""
SELECT n, true AS colon,
    CASE WHEN head.number = '' OR len(src) NOT IN (1, 2) OR len(dst) <> len(src)
        THEN if(starts_with(ltrim(line), '<'), 'XML is not read: leave -o xml out', 'not a line of conntrack -L or -E')
        END AS malformed,
    false AS empty, src[1] AS src, coalesce(src[2], dst[1]) AS dst, sport[1] AS sport,
    CASE WHEN len(type) > 0 THEN type[1] ELSE coalesce(sport[2], dport[1]) END AS dport, head.number AS protocol,
    {time} AS first, {time} AS last, head.time AS times,
    (packets[1]::BIGINT + coalesce(packets[2]::BIGINT, 0))::VARCHAR AS packets,
    (bytes[1]::BIGINT + coalesce(bytes[2]::BIGINT, 0))::VARCHAR AS bytes,
    -- closed before any answer was seen: by a reset
    NULL AS observer, contains(line, ' CLOSE ') AND contains(line, '[UNREPLIED]') AS refused, 1 AS said,
    contains(line, '[UNREPLIED]') AS alone, false AS reset,
    NULL AS attributes
FROM ({rows})"""
