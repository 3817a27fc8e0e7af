"""Emergencies as lines: what is written is read back, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.wire.emergency_kernel import MOST_TOLD, judge
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
INSIDE = Emergency(
    "q-00000001",
    "quarantine",
    100,
    inside=("web", "app.1"),
    kept=("10.9.0.0/24", "@db"),
    containers=(("web", ("172.17.0.2", "fd00::2")), ("app.1", ()), ("db", ("172.17.0.3",))),
)
OPENED = Emergency(
    "p-00000001",
    "permission",
    100,
    7300,
    grants=(Grant("to", 6, ("10.0.0.4",), ((80, 80),), ("@web",)), Grant("out", 6, ("@web",))),
    containers=(("web", ("172.17.0.2",)),),
)
TABLE_AND_CHAINS = (
    """table inet ringfence_emergency {
    set q_0123abcd_4 {
        type ipv4_addr
        flags interval,timeout
        elements = { 10.0.0.1, 10.0.0.2/31,
                 10.0.0.4/31, 10.0.0.6 timeout 9s expires 8s }
    }
    chain input {
        type filter hook input priority -20; policy accept;
        iifname "lo" accept
        ip saddr @q_0123abcd_4 drop
    }
}
""",
    "# section iptables\n:rfe_in - [0:0]\n-A INPUT -j rfe_in\n-A rfe_in -s 10.0.0.1/32 -j DROP\n# section ip6tables\n",
)


def test_emergencies_are_read_back_as_they_were_written() -> None:
    text = format([ISOLATED, PERMITTED, INSIDE, OPENED])
    assert parse(text) == (ISOLATED, PERMITTED, INSIDE, OPENED)
    assert all(len(line.split(" ")) >= 3 and line.isascii() for line in text.splitlines())
    assert parse("") == ()


def test_who_is_forwarded_for_has_a_name_that_no_container_has() -> None:
    grant = Grant("to", 6, ("10.0.0.4",), ((80, 80),), ("@~web-1",))
    entry = replace(OPENED, grants=(grant,), containers=(("~web-1", ("10.2.0.1",)),))
    assert parse(format([entry])) == (entry,)


def test_a_host_that_forwards_keeps_something_for_who_is_cut_there() -> None:
    entry = replace(ISOLATED, isolates=False)
    assert entry.kept
    assert parse(format([entry])) == (entry,)


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
        ("element isolated all\n", "element isolated all\nelement isolated all\n"),
        ("22,8000-8010", "22,8000-80100"),
        ("in 6 22", "in 47 22"),
        ("permitted in", "permitted forward"),
        (" 7300 ", " 99 "),
        (" 7300 ", " 07300 "),
        ("p-0123abcd", "p-0123abcd  "),
        ("isolated @app.1 @web", "isolated @app.1 @web @db;reboot"),
        ("isolated @app.1 @web", "isolated all"),
        ("isolated @app.1 @web", "isolated @app.1"),
        ("container app.1\n", ""),
        ("container app.1\n", "container app.1 10.0.0.0/8\n"),
        ("container app.1\n", "container app.1\nelement container app.1\n"),
        ("to 6 80 @web 10.0.0.4", "to 6 80 any 10.0.0.4"),
        ("to 6 80 @web 10.0.0.4", "to 6 80 @web @web 10.0.0.4"),
        ("out 6 any any @web", "out 6 any @web @web"),
    ],
)
def test_anything_else_is_refused(old: str, new: str) -> None:
    text = format([ISOLATED, PERMITTED, INSIDE, OPENED])
    assert old in text
    with pytest.raises(EmergencyError):
        parse(text.replace(old, new))


@pytest.mark.parametrize("text", ["element kept 10.0.0.1\n", "emergency q-0123abcd\n", format([ISOLATED]) * 2, "x"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(EmergencyError):
        parse(text)


@pytest.mark.parametrize("listing", TABLE_AND_CHAINS)
@given(st.data())
def test_whatever_a_host_lists_is_judged_or_refused(listing: str, data: st.DataObject) -> None:
    kept = "control 4-0A000000-0A0000FF 22\n" + format([ISOLATED, PERMITTED])
    texts = []
    for text in (kept, listing):
        start, end = sorted((data.draw(st.integers(0, len(text))), data.draw(st.integers(0, len(text)))))
        texts.append(text[:start] + data.draw(st.text(max_size=20)) + text[end:])
    try:
        found = judge(texts[0], texts[1], 200)
    except EmergencyError:
        return
    assert len(found.drift) <= MOST_TOLD
