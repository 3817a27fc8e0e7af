"""Every reader of text reads what programs and accidents make of a file, and says what it could not read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from ringfence.flows import unpacked
from ringfence.flows.readers import read
from ringfence.flows.reading import Reading
from ringfence.model.addresses import address_text
from ringfence.model.errors import InputError

# A header and a row of each format; `10.0.0.1` is replaced to make more rows.
SAMPLES = {
    "csv": ("client,server,port,protocol\n", "10.0.0.1,10.0.0.2,443,tcp\n"),
    "json": ("", '{"client":"10.0.0.1","server":"10.0.0.2","port":443,"protocol":"tcp"}\n'),
    "vpc": ("", "2 1 eni-1 10.0.0.1 10.0.0.2 40000 443 6 3 300 1764000000 1764000060 ACCEPT OK\n"),
    "zeek": (
        "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state\n",
        "1764000000.1\tC1\t10.0.0.1\t40000\t10.0.0.2\t443\ttcp\tSF\n",
    ),
    "pfirewall": ("", "2025-07-16 11:35:26 ALLOW TCP 10.0.0.1 10.0.0.2 40000 443 0 - 0 0 0 - - - SEND\n"),
    "conntrack": (
        "",
        "tcp 6 9 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=40000 dport=443 src=10.0.0.2 dst=10.0.0.1 sport=443"
        " dport=40000 use=1\n",
    ),
    "hosts": (
        "",
        json.dumps(
            {
                "observed": "2026-11-24T07:00:00Z",
                "flows": [{"client": "10.0.0.1", "server": "10.0.0.2", "port": 443, "protocol": "tcp"}],
            }
        )
        + "\n",
    ),
}
formats = pytest.mark.parametrize("name", SAMPLES)


def text_of(name: str, rows: int = 2, start: int = 10) -> str:
    header, row = SAMPLES[name]
    return header + "".join(row.replace("10.0.0.1", f"10.0.{n >> 8}.{n & 255}") for n in range(start, start + rows))


def clients(path: Path, name: str) -> tuple[list[str], Reading]:
    reading = Reading()
    return [address_text(flow.client) for flow in read(path, name, reading)], reading


@formats
def test_text_is_read_in_every_form_that_programs_give_it(tmp_path: Path, name: str) -> None:
    texts = [text_of(name, 1, number) for number in range(10, 19)]
    half = len(texts[7]) // 2
    forms = (
        texts[0].replace("\n", "\r\n").encode(),
        texts[1].replace("\n", "\r").encode(),
        texts[2].encode("utf-8-sig"),
        texts[3].encode("utf-16"),
        texts[4].encode("utf-16-le"),
        gzip.compress(texts[5].encode()),
        gzip.compress(texts[6].encode("utf-16")),
        gzip.compress(texts[7].encode()[:half]) + gzip.compress(texts[7].encode()[half:]),
        texts[8].rstrip("\n").encode(),
    )
    for number, content in enumerate(forms):
        (tmp_path / f"{number}.json").write_bytes(content)
    found, reading = clients(tmp_path, name)
    assert sorted(found) == [f"10.0.0.{number}" for number in range(10, 19)]
    assert reading.bad == 0


@formats
def test_a_packed_file_that_breaks_off_counts_up_to_its_last_whole_line(tmp_path: Path, name: str) -> None:
    packed = gzip.compress(text_of(name, 400).encode())
    path = tmp_path / "f.gz"
    path.write_bytes(packed[: len(packed) * 2 // 3])
    found, reading = clients(path, name)
    assert 20 < len(found) < 400
    assert reading.bad == 1
    assert "breaks off" in reading.problems[-1].message


@formats
def test_noise_between_rows_costs_itself_and_reaches_no_terminal(tmp_path: Path, name: str) -> None:
    noise = b"\0\0\n\xff\xfe\xc3\x28 \x1b[2J\n" + b"A" * 200_000 + b"\n"
    path = tmp_path / "f"
    path.write_bytes(text_of(name).encode() + noise + SAMPLES[name][1].encode())
    found, reading = clients(path, name)
    assert sorted(found) == ["10.0.0.1", "10.0.0.10", "10.0.0.11"]
    assert reading.bad == 3
    assert all(one.message.isprintable() for one in reading.problems)


@formats
def test_a_file_without_rows_is_no_traceback(tmp_path: Path, name: str) -> None:
    path = tmp_path / "f"
    for content in (b"", b"\n\n", SAMPLES[name][0].encode(), gzip.compress(b"")):
        path.write_bytes(content)
        if name in ("csv", "hosts") and not content.strip().startswith(b"client"):
            with pytest.raises(InputError, match=r"empty|names the columns"):
                clients(path, name)
        else:
            assert clients(path, name)[0] == []


@formats
def test_a_bomb_is_unpacked_within_bounds(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked, "GROWTH_LOOKED_AT", 1 << 16)
    monkeypatch.setattr(unpacked, "LONGEST_LINE", 1 << 21)
    path = tmp_path / "f"
    lines = text_of(name).encode() + (b"\n" * 1000 + b" " * 100) * 300
    path.write_bytes(gzip.compress(lines))
    found, reading = clients(path, name)
    assert sorted(found) == ["10.0.0.10", "10.0.0.11"]
    assert any("250 times its size" in one.message for one in reading.problems)


@pytest.mark.parametrize("name", ["vpc", "zeek"])
@pytest.mark.parametrize("honest_end", [True, False])
def test_a_bomb_behind_honest_members_is_unpacked_within_bounds(
    tmp_path: Path, name: str, honest_end: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacked, "GROWTH_LOOKED_AT", 1 << 16)
    honest = gzip.compress(text_of(name).encode())
    bomb = gzip.compress((b"\n" * 1000 + b" " * 100) * 1000)
    path = tmp_path / "f"
    path.write_bytes(honest + bomb + (honest if honest_end else b""))
    found, reading = clients(path, name)
    assert sorted(found) == ["10.0.0.10", "10.0.0.11"]
    assert any("250 times its size" in one.message for one in reading.problems)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_last_line_too_long_for_duckdb_is_a_wrong_row(tmp_path: Path, packed: bool, end: bytes) -> None:
    lines = text_of("vpc").encode() + b"2 1 " + b"x" * unpacked.DUCKDB_LINE + end
    path = tmp_path / "f"
    path.write_bytes(gzip.compress(lines, 1) if packed else lines)
    found, reading = clients(path, "vpc")
    assert sorted(found) == ["10.0.0.10", "10.0.0.11"]
    assert reading.bad == 1


@pytest.mark.parametrize("name", ["vpc", "json"])
def test_a_line_without_end_is_not_kept_in_memory(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked, "LONGEST_LINE", 1 << 21)
    path = tmp_path / "f"
    path.write_bytes(text_of(name).encode() + b"x" * (5 << 20))
    found, reading = clients(path, name)
    assert sorted(found) == ["10.0.0.10", "10.0.0.11"]
    assert reading.bad == 1


@pytest.mark.parametrize("name", [*SAMPLES, "netflow", "denials"])
@pytest.mark.parametrize(
    ("start", "program"), [(b"\x28\xb5\x2f\xfd", "zstd"), (b"BZh91AY&SY", "bzip2"), (b"\xfd7zXZ\0", "xz")]
)
def test_what_is_packed_otherwise_is_refused_by_its_name(tmp_path: Path, name: str, start: bytes, program: str) -> None:
    (tmp_path / "web-1.json").write_bytes(start + b"\x84\n\xff" * 20)
    with pytest.raises(InputError, match=f"packed with {program}") as raised:
        list(read(tmp_path / "web-1.json", name, Reading()))
    assert raised.value.remedy
    assert f"{program} -d" in raised.value.remedy
