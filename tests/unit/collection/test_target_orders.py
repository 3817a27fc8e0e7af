"""What is sent to a target is one shell script that does nothing unless all of it arrived."""

from __future__ import annotations

import ipaddress
import shutil
import subprocess

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import (
    control_ranges,
    order,
    parse_reply,
    process_lines,
    script,
)
from hypothesis import given
from hypothesis import strategies as st

SHELLS = [["dash"], ["busybox", "sh"], ["bash", "--posix"]]


def shell(command: list[str]) -> list[str]:
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} here")
    return command


@pytest.mark.parametrize("command", SHELLS, ids=lambda command: command[0])
def test_the_script_is_read_by_every_shell(command: list[str]) -> None:
    done = subprocess.run([*shell(command), "-n"], input=script(), text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", SHELLS, ids=lambda command: command[0])
def test_an_order_that_is_cut_short_anywhere_before_its_last_word_does_nothing(command: list[str]) -> None:
    whole = order("nonsense", {"plan": "it's", "processes": "a\nb"})
    end = whole.index(b"\nringfence_main")
    for cut in (100, len(whole) // 2, end, end + 5):
        done = subprocess.run([*shell(command), "-s"], input=whole[:cut], capture_output=True, check=False)
        assert b"ringfence:" not in done.stdout
    done = subprocess.run([*shell(command), "-s"], input=whole, capture_output=True, check=False)
    assert done.returncode == 3
    assert b"ringfence:refused" in done.stdout


def test_a_reply_has_values_and_sections_and_nothing_that_others_print() -> None:
    reply = parse_reply(
        "motd\nringfence:changed=yes\nringfence:process=a: enforced\nringfence:process=b: failed\n"
        "ringfence:begin listing\ntable inet ringfence {\nringfence:fake=1\n}\n\nringfence:end listing\nbye\n"
    )
    assert reply.values == {"changed": ["yes"], "process": ["a: enforced", "b: failed"]}
    assert reply.sections == {"listing": "table inet ringfence {\nringfence:fake=1\n}"}


@given(st.ip_addresses(), st.integers(0, 128), st.ip_addresses())
def test_ranges_compare_as_text_exactly_as_addresses_lie_in_networks(
    base: ipaddress.IPv4Address | ipaddress.IPv6Address,
    length: int,
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    network = ipaddress.ip_network((int(base), min(length, base.max_prefixlen)), strict=False)
    if network.version != base.version:
        network = ipaddress.ip_network(f"{base}/{min(length, base.max_prefixlen)}", strict=False)
    family, first, last = control_ranges([str(network)]).split("-")
    text = f"{int(address):0{address.max_prefixlen // 4}X}"
    assert (family == str(address.version) and first <= text <= last) == (address in network)


def test_processes_become_a_line_an_element() -> None:
    lines = process_lines(
        [
            {"unit": "a.service", "elements": [["units_in", "goto in_u0"], ["units_out", "goto out_u0"]]},
            {"user": "backup", "elements": [["users_out", "goto out_x0"]]},
        ]
    )
    assert lines.splitlines() == [
        "unit a.service units_in goto in_u0",
        "unit a.service units_out goto out_u0",
        "user backup users_out goto out_x0",
    ]
