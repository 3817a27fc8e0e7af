"""A ruleset too large for one transaction is loaded in stages, while the old table is enforced."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers.nftables.reader import read_ruleset
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import script
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_compare import differences
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence.enforcers.nftables import render
from ringfence.model.tables import VerdictTable

from tests.table_factory import direction_table, service_map, shop_table, tables
from tests.unit.enforcers.nft_kernel import Kernel, open_kernel

# Loads ruleset.nft in stages of a weight, whether or not it fits into one transaction. No connections stand.
STAGED = """
rf_cut='' table_stood='' track_until=''
true >"$work/swap.nft"
load_in_stages "$work/ruleset.nft" '' || { cat "$work/said" >&2; exit 1; }
"""
# The same as apply does it: in one transaction where that works. 600 connections stand, one of them is to be cut.
LOADED = """
rf_cut='4 6 10.0.0.1 10.3.0.7 22 1007'
awk 'BEGIN { for (i = 0; i < 600; i++) print "S 4 00 10.0.0.1 10.3." int(i / 250) "." i % 250, 22, 1000 + i, 0, 0 }' \
    >"$work/sockets"
track_first
load_table "$work/ruleset.nft" >/dev/null || { cat "$work/said" >&2; exit 1; }
ls "$work"
"""
# All that a host with busybox alone has.
BUSYBOX = "".join(
    f'{tool}() {{ busybox {tool} "$@"; }}\n' for tool in ("awk", "sed", "grep", "cat", "rm", "date", "ls")
)
# What happens instead of the second transaction with elements.
AT_THE_SECOND = """
seen=
nft() {{
    case $* in *stage.2.*) seen=x$seen ;; esac
    case $*:$seen in *stage.2.*:xx) {} ;; *) command nft "$@" ;; esac
}}
"""
SHELLS = [["dash"], ["busybox", "sh"], ["bash", "--posix"]]
LIVELY = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@dataclass(frozen=True)
class Target:
    """The target's script in a kernel, with a directory for its files."""

    kernel: Kernel
    work: Path
    shell: tuple[str, ...] = ("sh",)

    def run(self, commands: str, table: VerdictTable, before: str = "") -> str:
        """Run commands over the script's functions on a table's ruleset, and return what they print."""
        (self.work / "ruleset.nft").write_text(f"#ringfence format=1\n{render(table)}")
        text = f"{script()}\nwork={shlex.quote(str(self.work))}\n{before}\n{commands}"
        return self.kernel.run(*self.shell, "-s", text=text)

    def told(self, table: VerdictTable) -> list[object]:
        """Return what differs between a table and what the kernel holds, and what is left of other loads."""
        found = read_ruleset(self.kernel.listing())
        return [*(one["text"] for one in differences(table.data(), found)), *found["leftovers"]]  # type: ignore[misc]


@pytest.fixture(scope="module")
def nested() -> Iterator[Kernel]:
    """A kernel whose root is no root outside its user namespace."""
    kernel = open_kernel(nested=True)
    yield kernel
    kernel.close()


@pytest.fixture
def target(nested: Kernel, tmp_path: Path) -> Target:
    """A target without a table."""
    nested.nft("flush", "ruleset")
    return Target(nested, tmp_path)


def large_table(first: int, count: int = 5_000) -> VerdictTable:
    """Return a table of so many peers, beginning with the given one."""
    peers = tuple(f"10.{100 + n // 31250}.{n // 125 % 250}.{n % 125 * 2}" for n in range(first, first + count))
    others = {("2001:db8:1::/64",): service_map("tcp/8443", "icmp")}
    return shop_table(direction_table({peers: service_map("tcp/80"), **others}))


@LIVELY
@given(st.lists(tables(), min_size=1, max_size=3), st.sampled_from((2_000, 10_000, 180_000)))
def test_every_table_comes_back_as_it_went_in_by_whatever_stages(
    nested: Kernel, tmp_path_factory: pytest.TempPathFactory, series: list[VerdictTable], weight: int
) -> None:
    target = Target(nested, tmp_path_factory.mktemp("work"))
    for table in series:
        target.run(STAGED, table, f"stage_most={weight}")
        assert target.told(table) == []


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_a_ruleset_too_large_for_one_transaction_is_loaded_by_every_shell(target: Target, shell: list[str]) -> None:
    if not shutil.which(shell[0]):
        pytest.skip(f"no {shell[0]}")
    target = Target(target.kernel, target.work, tuple(shell))
    tools = BUSYBOX if shell[0] == "busybox" else ""
    small, *large = shop_table(), large_table(0), large_table(500)
    for table in (small, *large, small):
        files = target.run(LOADED, table, tools)
        assert target.told(table) == []
        assert "stage." not in files
        filled = read_ruleset(target.kernel.listing())["filled"]
        assert [len(filled[name]) for name in ("standing", "cut")] == [599, 1]  # type: ignore[index]
        assert "ringfence_track" not in target.kernel.nft("list", "tables")
    with pytest.raises(AssertionError, match="Message too long"):
        target.kernel.nft("-f", "-", text=render(large[0]))


def test_what_was_changed_by_hand_does_not_outlive_a_load_in_stages(target: Target) -> None:
    target.run(LOADED, large_table(0))
    for command in (
        "flush chain {t} deny_default_in",
        "add chain {t} evil {{ type filter hook forward priority 0; policy drop; }}",
        "add chain {t} input {{ policy drop; }}",
        "add rule {t} deny_default_out ip saddr @control4 accept",
        "add set {t} evil {{ type ipv4_addr; }}",
        "add counter {t} evil",
        "add table {t} {{ flags dormant; }}",
    ):
        target.kernel.nft("-f", "-", text=command.format(t="inet ringfence") + "\n")
    assert len(target.told(large_table(0))) > 5
    target.run(LOADED, large_table(0))
    assert target.told(large_table(0)) == []


def test_an_interrupted_load_changes_no_verdict_and_the_next_removes_what_it_left(target: Target) -> None:
    old, new = large_table(0), large_table(2_500)
    target.run(LOADED, old)
    with pytest.raises(AssertionError):
        target.run(LOADED, new, AT_THE_SECOND.format("kill -9 $$"))
    found = read_ruleset(target.kernel.listing())
    assert differences(old.data(), found) == []
    assert "deny_default_in_2" in found["leftovers"]  # type: ignore[operator]
    target.run(LOADED, new)
    assert target.told(new) == []


def test_nothing_is_added_to_a_table_that_nft_does_not_list(target: Target) -> None:
    target.run(LOADED, large_table(0))
    blind = 'nft() { case $* in "-t list table"*) return 1 ;; *) command nft "$@" ;; esac; }'
    with pytest.raises(AssertionError, match="nft does not list the table that stands"):
        target.run(LOADED, large_table(2_500), blind)
    assert target.told(large_table(0)) == []


def test_a_load_that_fails_between_its_stages_leaves_nothing(target: Target) -> None:
    old, failing = large_table(0), AT_THE_SECOND.format("echo no; return 1")
    with pytest.raises(AssertionError):
        target.run(LOADED, large_table(2_500), failing)
    assert target.kernel.nft("list", "tables") == ""
    target.run(LOADED, old)
    with pytest.raises(AssertionError):
        target.run(LOADED, large_table(2_500), failing)
    assert target.told(old) == []
