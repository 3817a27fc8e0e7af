"""Files of sightings folded together: what is read many at once and what one by one comes out alike."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from ringfence.flows.database import connect
from ringfence.flows.gathering import gather
from ringfence.flows.readers import read, vpc
from ringfence.flows.reading import Reading
from ringfence.flows.records import record_of
from ringfence.flows.sightings import SIGHTINGS

from tests.unit.flows.test_vpc import DEFAULT, FLAGGED, FLAGS, NODATA, PING, RDP, SSH, V6, written

MAPPED = SSH.replace("172.31.16.139", "::ffff:10.0.0.9")


def sightings(files: list[Path], quickly: bool) -> tuple[list[tuple[object, ...]], Reading]:
    reading = Reading()
    with connect() as connection:
        if quickly:
            table = gather(connection, vpc, {path: n for n, path in enumerate(files)}, reading, several=True)
            rows = connection.execute(f"SELECT {', '.join(SIGHTINGS)} FROM {table} ORDER BY ALL").fetchall()
        else:
            rows = []
            for number, path in enumerate(files):
                table = vpc.sightings(connection, path, reading)
                columns = ", ".join(name if name != "origin" else f"{number}::UINTEGER" for name in SIGHTINGS)
                rows += connection.execute(f"SELECT {columns} FROM {table}").fetchall()
            rows.sort(key=lambda row: tuple((one is not None, one) for one in row))
    return sorted(rows, key=repr), reading


def test_what_is_read_at_once_and_row_by_row_is_the_same(tmp_path: Path) -> None:
    files = [
        written(tmp_path / "a.log.gz", DEFAULT, SSH, RDP, NODATA, PING, V6, MAPPED),
        written(tmp_path / "b.log", SSH),
        written(tmp_path / "c[1].log", DEFAULT, SSH.replace("4249", "-4")),
        written(tmp_path / "d.log.gz", FLAGS, *FLAGGED),
        written(tmp_path / "e.log", SSH, FLAGS, *FLAGGED),
        written(tmp_path / "f.log", DEFAULT + " ", SSH + "\r", ""),
    ]
    whole = gzip.compress("\n".join([DEFAULT, *[SSH] * 1000]).encode())
    (tmp_path / "g.log.gz").write_bytes(whole[:-9])
    files.append(tmp_path / "g.log.gz")
    quick, slow = sightings(files, True), sightings(files, False)
    assert quick[0] == slow[0]
    assert (quick[1].bad, quick[1].empty) == (slow[1].bad, slow[1].empty) == (2, 1)
    assert {str(one.place) for one in quick[1].problems} == {f"{files[2]}:2", str(files[6])}


def test_a_gzip_file_of_several_members_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "f.log.gz"
    path.write_bytes(b"".join(gzip.compress(f"{line}\n".encode()) for line in (DEFAULT, SSH, RDP)))
    assert len(list(read(path, "vpc"))) == 2


def test_a_connection_counts_once_a_day_and_the_same_record_of_two_files_once(tmp_path: Path) -> None:
    later = SSH.replace("1418530010 1418530070", f"{1418530010 + 86400} {1418530070 + 86400}")
    written(tmp_path / "a.log", SSH, later)
    written(tmp_path / "b.log.gz", DEFAULT, SSH)
    rows = [record_of(flow) for flow in read(tmp_path, "vpc")]
    assert [(row["connections"], row["packets"], str(row["first_seen"])[:10]) for row in rows] == [
        (1, 20, "2014-12-14"),
        (1, 20, "2014-12-15"),
    ]


@pytest.mark.parametrize("line", ["novelty", "srcadr"])
def test_an_unknown_field_of_many_files_is_told_once(tmp_path: Path, line: str) -> None:
    for name in ("a.log", "b.log.gz"):
        written(tmp_path / name, f"{DEFAULT} {line}", f"{SSH} x")
    reading = Reading()
    assert len(list(read(tmp_path, "vpc", reading))) == 1
    assert [one.message.split(" is")[0] for one in reading.problems] == [f"the field '{line}'"]
