"""A target tells the other firewalls on it, whatever its shell: all of them, without ours, and nothing is changed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import script
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.other_firewalls import other_firewalls
from ringfence.beside import read_report, unpacked
from ringfence.model.addresses import point_of
from ringfence.model.services import BLOCK

from tests.lone_target import LoneTarget
from tests.unit.enforcers.nft_kernel import Kernel, open_kernel

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")
SHELLS = [["dash", "-s"], ["busybox", "sh", "-s"]]
RULES = """
table inet ringfence { chain input { type filter hook input priority -10; drop; } ; }
table inet mine {
    chain raw { type filter hook prerouting priority -300; udp dport 53 notrack; }
    chain input { type filter hook input priority 0; tcp dport 1 drop; }
}
"""
BY_NFT = ["iptables-nft", "-A", "INPUT", "-p", "tcp", "-m", "multiport", "--dports", "2", "-j", "DROP"]
BY_LEGACY = ["ip6tables-legacy", "-A", "INPUT", "-p", "tcp", "--dport", "3", "-m", "set", "--match-set", "bad", "src"]


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    one = open_kernel()
    one.nft("-f", "-", text=RULES)
    one.run(*BY_NFT)
    one.run("ipset", "create", "bad", "hash:ip", "family", "inet6")
    one.run("ipset", "add", "bad", "fd09::2")
    one.run(*BY_LEGACY, "-j", "DROP")
    yield one
    one.close()


def state(kernel: Kernel) -> str:
    """Return everything that is in the kernel, without what packets count."""
    saves = [kernel.run(f"{name}-save") for name in ("iptables-legacy", "ip6tables-legacy")]
    lines = "\n".join([kernel.nft("--stateless", "list", "ruleset"), *saves, kernel.run("ipset", "save")]).splitlines()
    return re.sub(r"\[\d+:\d+\]", "", "\n".join(line for line in lines if not line.startswith("#")))


@pytest.mark.parametrize("shell", SHELLS, ids=lambda one: one[0])
@pytest.mark.parametrize("enforcer", ["nftables", "iptables"])
def test_a_target_tells_all_its_other_tables_and_changes_nothing(
    kernel: Kernel, tmp_path: Path, shell: list[str], enforcer: str
) -> None:
    before = state(kernel)
    status, reply, errors = LoneTarget(tmp_path, kernel, shell, enforcer=enforcer).ask("status", {"listing": "1"})

    assert status == 0, errors
    assert state(kernel) == before
    others = read_report(unpacked(other_firewalls(reply)))
    assert others.unread == []
    assert sorted({place.rpartition(" ")[0] for places in others.may_cut().values() for place in places}) == [
        "ip6tables (legacy) filter",
        "iptables (nft) filter",
        "table inet mine",
    ]
    ends = {4: ("10.9.0.2", "10.9.0.1"), 6: ("fd09::2", "fd09::1")}
    cut = {
        (family, port)
        for family, (client, server) in ends.items()
        for port in (1, 2, 3, 4)
        if (found := others.finding(point_of(client), point_of(server), 6 * BLOCK + port, inbound=True, own=False))
        and found.cut
    }
    assert cut == {(4, 1), (6, 1), (4, 2), (6, 3)}
    assert "inet mine: notrack: packets without a connection, each is judged by itself" in reply.sections["foreign"]


def test_a_table_that_is_too_long_is_named_and_not_told(tmp_path: Path) -> None:
    kernel = open_kernel()
    elements = ", ".join(f"10.{number >> 8 & 255}.{number & 255}.1" for number in range(40_000))
    kernel.nft("-f", "-", text=f"table ip long {{ set s {{ type ipv4_addr; elements = {{ {elements} }}; }}; }}\n")
    _, reply, _ = LoneTarget(tmp_path, kernel, SHELLS[0]).ask("status", {"listing": "1"})
    kernel.close()

    assert read_report(unpacked(other_firewalls(reply))).unread == ["nftables table ip long, which is too long"]


def test_a_host_without_other_firewalls_tells_that_there_are_none(tmp_path: Path) -> None:
    kernel = open_kernel()
    _, reply, _ = LoneTarget(tmp_path, kernel, SHELLS[0]).ask("status", {"listing": "1"})
    kernel.close()

    others = read_report(unpacked(other_firewalls(reply)))
    assert (others.tables, others.unread) == ([], [])


@pytest.mark.parametrize("shell", SHELLS, ids=lambda one: one[0])
def test_rules_of_ours_that_somebody_saved_for_the_next_boot_are_told(
    kernel: Kernel, tmp_path: Path, shell: list[str]
) -> None:
    files = {
        "etc/iptables/rules.v4": "*filter\n:rf_in - [0:0]\n-A INPUT -j rf_in\nCOMMIT\n",
        "etc/iptables/rules.v6": "*filter\n-A INPUT -j DROP -m comment --comment rf_in\nCOMMIT\n",
        "etc/nftables.conf": "flush ruleset\n\ntable inet ringfence_emergency {\n}\n",
        "etc/nftables/mine.nft": "table inet ringfenced {\n}\n",
        "etc/sysconfig/iptables": "*mangle\n-A rfe_in -s 192.0.2.1/32 -j DROP\nCOMMIT\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    said = kernel.run(*shell, text=f"{script()}beside_saved {tmp_path}/\n").splitlines()
    assert [line.split()[0] for line in said] == [
        "/etc/iptables/rules.v4",
        "/etc/sysconfig/iptables",
        "/etc/nftables.conf",
    ]
