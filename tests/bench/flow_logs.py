"""VPC flow logs as AWS delivers them: connections of habits, each seen at one or two interfaces, in both directions."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
from ringfence.flows.readers.vpc_fields import VERSION_2

# Distinct pairs of ends and port, and the seconds in which their connections begin.
HABITS, SECONDS = 20_000, 3_600
BEGIN = 1_780_272_000  # 2026-06-01T00:00:00Z
# A connection takes on average about so many records.
RECORDS_OF_ONE = 5.1
_LEVEL = 6


def write_logs(directory: Path, records: int, files: int) -> int:
    """Write about so many records into gzip files by time; return how many there are."""
    directory.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE habits AS SELECT i AS habit,"
            " '10.' || hash(i, 5) % 16 || '.' || hash(i, 6) % 4 || '.' || (1 + hash(i, 7) % 250) AS client,"
            " '10.' || hash(i, 8) % 16 || '.' || hash(i, 9) % 4 || '.' || (1 + hash(i, 10) % 250) AS server,"
            " [443, 5432, 8080, 8443, 53, 9100][(1 + hash(i, 11) % 6)::INTEGER] AS port,"
            f" if(hash(i, 12) % 10 < 7, [0, 1], [0]) AS interfaces FROM range({HABITS}) r(i)"
        )
        connection.execute(
            f"CREATE TABLE connections AS SELECT (hash(i) % {HABITS})::BIGINT AS habit,"
            f" 32768 + hash(i, 2) % 28000 AS sport, (hash(i, 3) % {SECONDS})::BIGINT AS start,"
            f" range(1 + (hash(i, 4) % 2)::BIGINT) AS minutes FROM range({round(records / RECORDS_OF_ONE)}) r(i)"
        )
        connection.execute(
            "CREATE TABLE records AS WITH minutes AS ("
            "SELECT c.* EXCLUDE (minutes), h.* EXCLUDE (habit), unnest(minutes) AS minute"
            " FROM connections c JOIN habits h USING (habit)"
            "), directions AS (SELECT *, unnest([true, false]) AS forth FROM minutes"
            "), seen AS (SELECT *, unnest(interfaces) AS interface FROM directions)"
            f" SELECT start + minute * 60 AS second, concat_ws(' ', 2, 123456789012,"
            " 'eni-0' || md5(if(interface = 0, client, server))[:16], if(forth, client, server),"
            " if(forth, server, client), if(forth, sport, port), if(forth, port, sport), if(port = 53, 17, 6),"
            " 1 + hash(sport, minute, forth) % 40, 40 + hash(sport, minute, forth, 1) % 40000,"
            f" {BEGIN} + second, {BEGIN} + second + 59, if(hash(habit, 13) % 50 = 0, 'REJECT', 'ACCEPT'), 'OK') AS line"
            " FROM seen"
        )
        last = SECONDS + 60
        for number in range(files):
            low, high = number * last // files, (number + 1) * last // files
            query = f"SELECT line FROM records WHERE second >= {low} AND second < {high} ORDER BY second"
            rows = connection.execute(query)
            with gzip.open(directory / f"{number:02}.log.gz", "wt", compresslevel=_LEVEL) as file:
                file.write(f"{' '.join(VERSION_2)}\n")
                while lines := rows.fetchmany(50_000):
                    file.writelines(f"{line}\n" for (line,) in lines)
        ((count,),) = connection.execute("SELECT count(*) FROM records").fetchall()
    return int(count)
