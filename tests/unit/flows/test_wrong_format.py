"""Whoever names a wrong format is told once, with the format that the file seems to be of."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from ringfence.flows.seeming import seeming
from ringfence.model.errors import InputError
from ringfence.operations.flow_selection import reading_of
from ringfence.operations.flows import read_flows

from tests.unit.flows.test_damaged_files import SAMPLES, text_of

KERNEL = (
    "2026-11-24T06:00:01+00:00 web-1 kernel: [ 9557.1] x IN=eth0 OUT= SRC=198.51.100.7 DST=10.0.1.1 LEN=60 PROTO=TCP"
    " SPT=44138 DPT=22\n"
)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("packed", [lambda text: text, gzip.compress])
def test_every_format_is_recognised_by_its_first_lines(
    tmp_path: Path, name: str, packed: Callable[[bytes], bytes]
) -> None:
    text = text_of(name).encode()
    if name == "pfirewall":
        text = b"#Version: 1.5\n#Software: Microsoft Windows Firewall\n" + text
    (tmp_path / "f").write_bytes(packed(text))
    assert seeming(tmp_path / "f") == name


def test_kernel_lines_captures_and_noise_are_told_apart(tmp_path: Path) -> None:
    found = {}
    for name, content in {
        "denials": KERNEL.encode(),
        "dmesg": b"[ 9557.1] x IN=eth0 OUT= MAC= SRC=10.0.0.1 DST=10.0.0.2\n",
        "pcap": b"\xd4\xc3\xb2\xa1\x02\0\x04\0",
        "noise": b"\xff\0\x1f\x8b" * 99,
        "empty": b"",
    }.items():
        (tmp_path / name).write_bytes(content)
        found[name] = seeming(tmp_path / name)
    assert found == {"denials": "denials", "dmesg": "denials", "pcap": "netflow", "noise": None, "empty": None}


@pytest.mark.parametrize(("is_of", "named"), [("vpc", "zeek"), ("zeek", "vpc"), ("vpc", "json"), ("csv", "vpc")])
def test_a_file_of_another_format_gives_one_error_that_names_it(tmp_path: Path, is_of: str, named: str) -> None:
    path = tmp_path / "f"
    path.write_text(text_of(is_of, 40))
    try:
        found = read_flows(None, [path], named)
    except InputError as error:
        message, remedy = error.message, error.remedy
    else:
        assert found.rows == []
        (problem,) = found.reading.problems
        message, remedy = problem.message, problem.remedy
    assert f"seems to be {is_of}" in message
    assert remedy == f"give --format {is_of}"


def test_fields_are_refused_where_a_format_has_names_of_its_own() -> None:
    with pytest.raises(InputError, match="--fields names the fields of VPC flow logs"):
        reading_of(None, "csv", "srcaddr dstaddr")
    assert reading_of(None, "vpc", "srcaddr dstaddr").fields == ("srcaddr", "dstaddr")
