"""What names resolve to on a host: parsed strictly, bounded, kept for an hour, and put into the kernel's sets."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers.nftables.reader import read_ruleset
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import process_lines, script
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_compare import differences
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.set_names import set_digest
from ringfence.enforcers.nftables import render, runtime_of

from tests.rollout_plans import Wanted
from tests.unit.enforcers.nft_kernel import Kernel, open_kernel

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")
SHELLS = [["dash"], ["busybox", "sh"], ["bash", "--posix"]]
PAYING = Wanted(names={"pay.example": 443, "cdn.example": 80}).table()
LINES = process_lines(runtime_of(PAYING))


@pytest.fixture(params=SHELLS, ids=lambda command: command[0])
def command(request: pytest.FixtureRequest) -> list[str]:
    if shutil.which(request.param[0]) is None:
        pytest.skip(f"no {request.param[0]} here")
    return [*request.param, "-s"]


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    kernel = open_kernel()
    yield kernel
    kernel.close()


def run(command: list[str], state: Path, body: str, answers: dict[str, list[str]] | None = None) -> str:
    """Run a body with a resolver that knows these answers, as getent prints them; nothing is answered beside."""
    known = "".join(
        f"{name}) printf '%s\\n' {' '.join(shlex.quote(f'{one}   STREAM {name}') for one in found)} ;;\n"
        for name, found in (answers or {}).items()
    )
    resolver = f'getent() {{ case $2 in\n{known}*) return 2 ;;\nesac; }}\nhave() {{ [ "$1" != timeout ]; }}\n'
    places = f"state={state}\nwork={state}/work\nmkdir -p $work $state/new\nlines={shlex.quote(LINES)}\n"
    text = f"{script()}\n{resolver}{places}{body}\n"
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=240)
    assert done.stderr == ""
    return done.stdout


def expiring(kernel: Kernel, address: str) -> list[float]:
    """Return the seconds that are left to an address in the kernel's sets."""
    answers = read_ruleset(kernel.listing())["filled"]["answers"]  # type: ignore[index]
    return [one["expires"] for one in answers if one["address"] == address]


def kept(state: Path) -> list[tuple[str, str]]:
    return [(name, address) for name, address, _ in map(str.split, (state / "answers").read_text().splitlines())]


def test_only_addresses_that_a_far_host_can_have_are_taken(command: list[str], tmp_path: Path) -> None:
    hostile = [
        *("127.0.0.1", "0.0.0.0", "169.254.9.9", "224.0.0.1", "255.255.255.255", "256.1.1.1", "1.2.3", "01.2.3.4567"),
        *("::1", "::", "fe80::1", "ff02::1", "::ffff:10.0.0.1", "fe80::1%eth0", "2001:db8:::1", "1::2::3", "1:2:3"),
        *("12345::1", "192.0.2.1;reboot", "$(reboot)", "1.2.3.4/0", "0x7f.1.1.1"),
    ]
    good = ["192.0.2.7", "10.0.0.9", "2001:db8::7", "1:2:3:4:5:6:7:8"]
    run(command, tmp_path, 'resolve_names "$lines"', {"pay.example": hostile + good})
    assert kept(tmp_path) == [("pay.example", address) for address in good]


def test_a_name_adds_a_bounded_number_of_addresses_a_time(command: list[str], tmp_path: Path) -> None:
    many = [f"192.0.2.{last}" for last in range(1, 100)]
    run(command, tmp_path, 'resolve_names "$lines"', {"pay.example": many, "cdn.example": many[:3]})
    assert kept(tmp_path) == [
        *(("cdn.example", address) for address in many[:3]),
        *(("pay.example", address) for address in many[:16]),
    ]


def test_answers_stand_for_an_hour_and_while_nobody_answers(command: list[str], tmp_path: Path) -> None:
    now = int(time.time())
    held = [("192.0.2.1", 10), ("192.0.2.2", 3500), ("192.0.2.3", 3700), ("192.0.2.4", -500)]
    (tmp_path / "answers").write_text("".join(f"pay.example {one} {now - age}\n" for one, age in held))
    run(command, tmp_path, 'resolve_names "$lines"')
    assert kept(tmp_path) == [("pay.example", "192.0.2.1"), ("pay.example", "192.0.2.2")]
    run(command, tmp_path, 'resolve_names "$lines"', {"pay.example": ["192.0.2.2", "192.0.2.9"]})
    assert kept(tmp_path) == [("pay.example", f"192.0.2.{last}") for last in (2, 9, 1)]


def test_a_set_never_gets_more_than_it_holds(command: list[str], tmp_path: Path) -> None:
    now = int(time.time())
    old = "".join(f"pay.example 198.51.{number // 250}.{number % 250} {now - 5}\n" for number in range(400))
    (tmp_path / "answers").write_text(old)
    run(command, tmp_path, 'resolve_names "$lines"', {"pay.example": ["192.0.2.1"]})
    assert len(kept(tmp_path)) == 200
    assert kept(tmp_path)[0] == ("pay.example", "192.0.2.1")


def test_answers_become_elements_with_the_time_that_is_left_and_are_renewed(
    command: list[str], tmp_path: Path, kernel: Kernel
) -> None:
    kernel.load(render(PAYING))
    now = int(time.time())
    (tmp_path / "answers").write_text(f"pay.example 192.0.2.1 {now - 3000}\npay.example 2001:db8::1 {now}\n")
    inside = "nft() { " + " ".join(kernel.entered) + ' nft "$@"; }\n'
    said = run(command, tmp_path, inside + 'fill_answers "$lines"')
    assert "ringfence:process=fqdn pay.example: enforced" in said
    assert "ringfence:process=fqdn cdn.example: this host gets no answer; nothing is a member yet" in said
    (left,) = expiring(kernel, "192.0.2.1")
    assert 560 < left <= 600
    (tmp_path / "answers").write_text(f"pay.example 192.0.2.1 {int(time.time())}\n")
    run(command, tmp_path, inside + 'fill_answers "$lines"')
    assert [left > 3500 for address in ("192.0.2.1", "2001:db8::1") for left in expiring(kernel, address)] == [True] * 2


def test_without_names_nothing_is_looked_up_or_written(command: list[str], tmp_path: Path) -> None:
    run(command, tmp_path, "resolve_names 'user backup users_out goto out_x0'\nfill_answers ''")
    assert not (tmp_path / "answers").exists()


def test_a_line_that_is_no_name_of_a_host_is_refused(command: list[str], tmp_path: Path) -> None:
    for words in ("-v dyn4_a timeout 3600s", "../a dyn4_a timeout 3600s", "a dyn4_a goto x", "a d;e timeout 1s"):
        line = f"fqdn {words}\n"
        said = run(command, tmp_path, f"check_processes {shlex.quote(line)} || echo refused")
        assert said == "refused\n", line
    assert run(command, tmp_path, 'check_processes "$lines" && echo good') == "good\n"


def test_sets_of_a_table_that_was_loaded_in_stages_are_filled_and_proven_as_well(
    tmp_path: Path, kernel: Kernel
) -> None:
    (tmp_path / "ruleset.nft").write_text(render(PAYING))
    (tmp_path / "answers").write_text(f"pay.example 192.0.2.1 {int(time.time())}\n")
    staged = (
        "rf_cut='' table_stood='' track_until=''\n: >$work/swap.nft\nload_in_stages $work/ruleset.nft '' || exit 1\n"
    )
    for generation in ("", "_2"):
        text = f"{script()}\nstate={tmp_path}\nwork={tmp_path}\n{staged}fill_answers {shlex.quote(LINES)}\n"
        assert "pay.example: enforced" in kernel.run("sh", "-s", text=text)
        listing = kernel.listing()
        assert f"@dyn4_{set_digest('fqdn:pay.example')}{generation} goto" in listing
        assert differences(PAYING.data(), read_ruleset(listing)) == []
        assert len(expiring(kernel, "192.0.2.1")) == 1
