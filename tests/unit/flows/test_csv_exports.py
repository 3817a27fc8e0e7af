"""CSV as people export it is read, or refused with the true reason."""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path

import pytest
from ringfence.flows.readers import read
from ringfence.flows.reading import Reading
from ringfence.model.addresses import address_text
from ringfence.model.errors import InputError

HEADER = "client,server,port,protocol,first_seen"
ROW = "10.0.0.1,10.0.0.2,443,tcp,2026-11-24T07:00:00Z"
PLAIN = f"{HEADER}\n{ROW}\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        codecs.BOM_UTF8 + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        PLAIN.replace("\n", "\r\n").encode(),
        b"sep=;\n" + PLAIN.replace(",", ";").encode(),
        codecs.BOM_UTF8 + b'"sep=;"\r\n' + PLAIN.replace(",", ";").encode(),
        b"sep=\t\n" + PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", "|").encode(),
        b"# exported by a collector\n\n# on Tuesday\n" + PLAIN.encode(),
        f"{HEADER}\n# a note, in between\n{ROW}\n".encode(),
        b"#" + PLAIN.encode(),
        b"Flows of the shop\n\n" + PLAIN.encode(),
        b"Flows, of, the, shop\n" + PLAIN.encode(),
        f"{HEADER},,\n{ROW},,\n,,,,,,\n".encode(),
        f'{HEADER.upper()}\n"{ROW.replace(",", chr(34) + "," + chr(34))}"\n'.encode(),
    ],
)
def test_an_export_is_read_in_every_form_that_programs_write(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "flows.csv"
    path.write_bytes(content)
    reading = Reading()
    assert len(list(read(path, "csv", reading))) == 1
    assert reading.bad == 0


def test_what_stands_above_the_header_is_told_and_rows_keep_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "flows.csv"
    path.write_text(f"Flows of the shop\n{HEADER}\n{ROW}\nTotal,1\n")
    reading = Reading()
    assert len(list(read(path, "csv", reading))) == 1
    assert [(str(one.place), str(one.severity)) for one in reading.problems] == [
        (f"{path}:1", "warning"),
        (f"{path}:4", "error"),
    ]
    assert "'Flows of the shop' stands above the header" in reading.problems[0].message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (PLAIN.encode("utf-32"), "UTF-32"),
        (gzip.compress(gzip.compress(PLAIN.encode(), mtime=0), mtime=0), "gzip within gzip"),
        (b"PK\x03\x04" + b"\x00" * 30, "XLSX"),
        (b"", "lacks client, server, port, protocol"),
        (f"{ROW}\n".encode(), "lacks client, server, port, protocol"),
        (b"client,server,port\n10.0.0.1,10.0.0.2,443\n", "lacks protocol"),
        (b"client,server,port,protocol,port\n", "port more than once"),
    ],
)
def test_what_is_no_csv_of_flows_is_refused_with_the_true_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "flows.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        list(read(path, "csv", Reading()))


def test_a_directory_is_read_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(PLAIN)
    (tmp_path / "b.csv").write_text("what,is,this\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.csv.gz").write_bytes(gzip.compress(PLAIN.encode()))
    (tmp_path / "loop").symlink_to(tmp_path)
    reading = Reading()
    assert len(list(read(tmp_path, "csv", reading))) == 2 * len(list(read(tmp_path / "a.csv", "csv", Reading())))
    assert reading.bad == 1
    assert {Path(one.place.file).name for one in reading.problems if one.place} == {"b.csv", "loop"}


def test_a_json_list_is_read_like_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "flows.json"
    path.write_text('[\n {"client": "::1", "server": "::1", "port": 1, "protocol": "tcp"},\n 7\n]\n', encoding="utf-16")
    reading = Reading()
    assert len(list(read(path, "json", reading))) == 1
    assert reading.bad == 1


def test_headers_of_files_put_one_behind_another_are_no_rows_and_hold_from_there(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    path.write_text(
        "Client,server,port,protocol\n10.0.0.1,10.0.0.2,443,tcp\n"
        "\ufeffClient,server,port,protocol\n10.0.0.1,10.0.0.2,444,tcp\n"
        "protocol,port,server,client\nudp,53,10.0.0.2,10.0.0.1\n"
    )
    reading = Reading()
    found = [(flow.port, address_text(flow.server)) for flow in read(path, "csv", reading)]
    assert found == [(443, "10.0.0.2"), (444, "10.0.0.2"), (53, "10.0.0.2")]
    assert reading.problems == []
