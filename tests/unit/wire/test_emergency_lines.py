"""Emergencies as lines: what is written is read back, and nothing else is."""

from __future__ import annotations

import pytest
from ringfence.wire.emergency_lines import Emergency, EmergencyError, Grant, format, parse  # noqa: A004

ISOLATED = Emergency(
    "q-0123abcd", "quarantine", 100, 0, "ann", "it scans: 100% ä", True, ("10.0.0.1-10.0.0.6",), ("10.9.0.0/24", "::/0")
)
PERMITTED = Emergency(
    "p-0123abcd",
    "permission",
    100,
    7300,
    "-",
    grants=(
        Grant("in", 6, ("10.0.0.5", "10.0.0.4"), ((8000, 8010), (22, 22))),
        Grant("out", None, ("fd00::1",), (), ("10.0.0.1",)),
    ),
)


def test_emergencies_are_read_back_as_they_were_written() -> None:
    text = format([ISOLATED, PERMITTED])
    assert parse(text) == (ISOLATED, PERMITTED)
    assert all(len(line.split(" ")) >= 3 and line.isascii() for line in text.splitlines())
    assert parse("") == ()


def test_addresses_have_one_form_that_every_enforcer_takes() -> None:
    assert ISOLATED.remote == ("10.0.0.1", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6")
    assert ISOLATED.kept == ("10.9.0.0/24", "::/1", "8000::/1")
    assert PERMITTED.grants[0].ports == ((22, 22), (8000, 8010))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("q-0123abcd", "q-0123abcd;reboot"),
        ("q-0123abcd quarantine", "p-0123abcd quarantine"),
        (" ann ", " $(reboot) "),
        (" ann ", " ann%0Aelement "),
        (" ann ", " an%6E "),
        ("10.0.0.6", "10.0.0.6 10.0.0.6"),
        ("10.0.0.6", "10.0.0.999"),
        ("10.9.0.0/24", "10.9.0.1/24"),
        ("element isolated all\n", "element isolated none\n"),
        ("element isolated all\n", ""),
        ("element isolated all\n", "element isolated all\nelement isolated all\n"),
        ("22,8000-8010", "22,8000-80100"),
        ("in 6 22", "in 47 22"),
        ("permitted in", "permitted forward"),
        (" 7300 ", " 99 "),
        (" 7300 ", " 07300 "),
        ("p-0123abcd", "p-0123abcd  "),
    ],
)
def test_anything_else_is_refused(old: str, new: str) -> None:
    text = format([ISOLATED, PERMITTED])
    assert old in text
    with pytest.raises(EmergencyError):
        parse(text.replace(old, new))


@pytest.mark.parametrize("text", ["element kept 10.0.0.1\n", "emergency q-0123abcd\n", format([ISOLATED]) * 2, "x"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(EmergencyError):
        parse(text)
