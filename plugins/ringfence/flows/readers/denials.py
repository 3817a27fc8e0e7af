"""What filters denied: lines that kernels log of packets, and the records that `ringfence info --json` prints.

A line is one packet; those of one connection are one attempt. Ringfence's own lines name the rule.
"""

# ruff: noqa: S608 - the SQL is put together from names of tables of ours
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb

from ringfence.flows.gathering import at, folded, gather
from ringfence.flows.log_lines import line_place, lines_table, log_files
from ringfence.flows.log_times import iso_time, stamp, unix_time, yearless_time
from ringfence.flows.reading import Reading
from ringfence.flows.recorded_denials import is_report, recorded
from ringfence.flows.relation import FLOW_COLUMNS, relation_of
from ringfence.flows.sightings import add_sightings, new_sightings
from ringfence.flows.text_lines import alone, files_below
from ringfence.model.counts import counted
from ringfence.model.errors import InputError, Place
from ringfence.model.flows import Flow

SOURCE = "denials"
# The prefix of the rules that log (enforcers/*/outcomes.py); the kernel writes IN= and OUT= behind every prefix.
_OURS = r"(?:^|[] :])ringfence (allow|deny|watch) (\S+) (in|out) +IN="
# firewalld writes `filter_IN_public_REJECT: `: the word may stand behind all but a letter.
_DENYING = "(?:^|[^A-Z])(?:BLOCK|DROP|DENY|DENIED|REJECT)"
_PACKET = "contains(line, ' SRC=') AND contains(line, ' DST=') AND contains(line, 'PROTO=')"
_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
_YEARLESS = r"[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}"
_HEAD = rf"^(?:<[0-9]{{1,3}}>)?(?:1 )?(?:({_ISO})|({_YEARLESS})|([0-9]{{9,10}}[.][0-9]+)) +(\S+)"
_TAG = r"^\s+(?:([\w./-]+)(?:\[([0-9]+)\])?:|([\w./-]+) - - - )"
_DMESG = r"^\[[A-Z][a-z]{2} ([A-Z][a-z]{2} [ 0-9]?[0-9]) ([0-9:]{8}) ([0-9]{4})\]"
_TIMELESS = r"^(?:<[0-9]{1,3}>)?(?:\[ *[0-9]+[.][0-9]+\]|ringfence |IN=|\[UFW )"
_KERNELS = "('kernel', 'ulogd')"
_JOURNAL = "['$.MESSAGE', '$.__REALTIME_TIMESTAMP', '$._HOSTNAME', '$._TRANSPORT', '$.SYSLOG_IDENTIFIER']"


def read(connection: duckdb.DuckDBPyConnection, path: Path, reading: Reading) -> duckdb.DuckDBPyRelation:
    """Return what was denied, or would have been, by files or a directory of either kind."""
    several = path.is_dir()
    logs: dict[Path, int] = {}
    reports: list[Path] = []
    for number, file in enumerate(files_below(path, reading)):
        with alone(file, several, reading):
            if is_report(file):
                reports.append(file)
            else:
                logs[file] = number
    lines = _Lines()
    table = folded(connection, lines, gather(connection, lines, logs, reading, several=several), reading)
    logged = connection.table(table).project(", ".join(FLOW_COLUMNS))
    return logged.union(relation_of(connection, _reported(reports, reading, several=several))) if reports else logged


def _reported(reports: Sequence[Path], reading: Reading, *, several: bool) -> Iterator[Flow]:
    for file in reports:
        with alone(file, several, reading), at(file, reading):
            yield from recorded(file, reading)


class _Lines:
    """Reads the lines of one file."""

    SOURCE = SOURCE

    def sightings(self, connection: duckdb.DuckDBPyConnection, path: Path, reading: Reading) -> str:
        """Return the table of sightings of a file."""
        files = log_files(path, reading)
        for parquet in files.parquet:
            raise InputError("denials are not read from Parquet", Place(str(parquet)))
        found = new_sightings(connection)
        with lines_table(connection, files, reading) as lines:

            def place(n: int) -> Place:
                return line_place(connection, lines, files, n)

            query = f"SELECT count(*) FROM {lines} WHERE line <> '' AND NOT ({_PACKET})"
            ((others,),) = connection.execute(query).fetchall()
            reading.empty += others
            add_sightings(connection, found, _raw(lines, reading), reading, place)
            _tell_times(connection, lines, reading, place)
        return found


def _tell_times(
    connection: duckdb.DuckDBPyConnection,
    lines: str,
    reading: Reading,
    place: Callable[[int], Place],
) -> None:
    """Say where times had to be taken for UTC, or from the file."""
    for condition, what in (
        (rf"regexp_matches(line, '{_DMESG}') OR regexp_extract(line, '{_HEAD}', 2) <> ''", _LOCAL),
        (rf"regexp_matches(line, '{_TIMELESS}')", "no time stands here: that of the file is taken"),
    ):
        query = f"SELECT count(*), min(n) FROM {lines} WHERE {_PACKET} AND ({condition})"
        ((rows, first),) = connection.execute(query).fetchall()
        if rows:
            reading.warn(f"{what} ({counted(rows, 'row')})", place(first))


_LOCAL = "the times are local ones of a zone that is not named, and are taken for UTC"


def _raw(lines: str, reading: Reading) -> str:
    assert reading.observed is not None

    def of(name: str, values: str = r"\S+") -> str:
        return rf"nullif(regexp_extract(body, '\b{name}=({values})', 1), '')"

    dmesg = "try_strptime(concat(dmesg.year, ' ', dmesg.day, ' ', dmesg.time), '%Y %b %d %H:%M:%S')"
    time = (
        f"CASE WHEN j IS NOT NULL THEN make_timestamp(try_cast(j[2] AS BIGINT)) WHEN head.iso <> '' THEN"
        f" {iso_time('head.iso')} WHEN head.yearless <> '' THEN {yearless_time('head.yearless', reading.observed)}"
        f" WHEN head.unix <> '' THEN {unix_time('head.unix')} WHEN dmesg.year <> '' THEN {dmesg}"
        rf" WHEN regexp_matches(text, '{_TIMELESS}') THEN {stamp(reading.observed)} END"
    )
    # A program that writes what a kernel would is none: only some logs tell them apart, by the tag or the transport.
    forged = (
        f"coalesce(j[4] <> 'kernel' AND coalesce(j[5], '') <> 'ulogd', false) OR coalesce(nullif(tag.name, ''),"
        f" nullif(tag.word, ''), 'kernel') NOT IN {_KERNELS} AND (tag.pid <> '' OR ours.rule <> '')"
    )
    syn, ack = r"regexp_matches(body, '\bSYN\b')", r"regexp_matches(body, '\bACK\b')"
    attributes = (
        "json_merge_patch('{}'::JSON, json_object('direction', nullif(ours.direction, ''), 'effect',"
        " nullif(ours.effect, ''), 'host', host, 'rule', nullif(ours.rule, '')))"
    )
    return f"""
WITH told AS (
    SELECT n, line, CASE WHEN starts_with(line, '{{') AND json_valid(line)
        THEN json_extract_string(line, {_JOURNAL}) END AS j
    FROM {lines} WHERE {_PACKET}
), parts AS (
    SELECT n, j, coalesce(j[1], line) AS text,
        regexp_extract(text, '{_HEAD}', ['iso', 'yearless', 'unix', 'host']) AS head,
        regexp_extract(text, '{_DMESG}', ['day', 'time', 'year']) AS dmesg,
        regexp_extract(text, '{_OURS}', ['effect', 'rule', 'direction']) AS ours,
        -- an ICMP error carries the packet that it is about in brackets
        regexp_replace(regexp_extract(text, 'IN=\\S* OUT=.*$'), '\\[SRC=.*', '') AS body
    FROM told
), tagged AS (
    -- dmesg names no host: the word behind the time is the kernel's
    SELECT *, coalesce(j[3], CASE WHEN regexp_full_match(head.host, '[a-zA-Z0-9_.-]+') AND head.host <> 'ringfence'
        THEN head.host END) AS host,
        regexp_extract(regexp_replace(text, '{_HEAD}', ''), '{_TAG}', ['name', 'pid', 'word']) AS tag
    FROM parts
)
SELECT n, true AS colon, CASE WHEN body = '' THEN 'no packet that a kernel logs' END AS malformed,
    -- the fragments behind a packet's first have no ports
    {forged} OR regexp_matches(body, ' FRAG:[0-9]+') AND {of("SPT")} IS NULL AS empty,
    {of("SRC")} AS src, {of("DST")} AS dst, {of("SPT")} AS sport,
    coalesce({of("DPT")}, {of("TYPE")}) AS dport, lower({of("PROTO")}) AS protocol, {time} AS first, {time} AS last,
    text[:40] AS times, '1' AS packets, {of("LEN", "[0-9]+")} AS bytes,
    host AS observer,
    CASE WHEN ours.effect <> '' THEN ours.effect = 'deny'
        ELSE regexp_matches(upper(split_part(regexp_replace(text, '{_HEAD}', ''), 'IN=', 1)), '{_DENYING}')
        END AS refused,
    CASE WHEN {syn} AND {ack} THEN -1 WHEN {syn} OR contains(body, 'PROTO=ICMP') THEN 1 END AS said,
    ours.effect = '' AS alone, false AS reset, nullif({attributes}::VARCHAR, '{{}}') AS attributes
FROM tagged"""
