"""The other firewalls of a host, as it tells them: who cuts what, what passes, and what nobody can tell."""

from __future__ import annotations

import gzip
import json
from itertools import chain, pairwise
from pathlib import Path

import pytest
from ringfence.beside import Finding, Others, read_report
from ringfence.model.addresses import point_of
from ringfence.model.services import BLOCK

REPORTS = Path(__file__).with_name("reports")
TCP, UDP, ICMP = 6, 17, 1
HERE, THERE = "10.9.0.1", "10.9.0.2"


def recorded(name: str) -> Others:
    """Return the report of a firewall that was installed from Debian 12 and told by the target's script."""
    return read_report(gzip.decompress((REPORTS / f"{name}-debian12.gz").read_bytes()).decode())


def found(
    others: Others, protocol: int, port: int, client: str = THERE, server: str = HERE, *, inbound: bool = True
) -> Finding | None:
    """Return what a host's other rules do with a connection."""
    return others.finding(point_of(client), point_of(server), protocol * BLOCK + port, inbound=inbound, own=False)


def test_ufw_is_named_for_its_rules_and_for_the_policy_that_it_sets() -> None:
    ufw = recorded("ufw")

    assert found(ufw, TCP, 22) is None
    assert found(ufw, TCP, 5432) is None
    assert found(ufw, ICMP, 8) is None
    assert found(ufw, TCP, 8080, inbound=False) is None
    elsewhere = found(ufw, TCP, 5432, "10.8.0.2")
    assert str(elsewhere) == "cut by ufw (iptables (nft) filter, chain INPUT, policy)"
    assert str(found(ufw, TCP, 25)) == "cut by ufw (iptables (nft) filter, chain ufw-user-input, rule 6)"
    limited = found(ufw, TCP, 2222)
    assert limited is not None
    assert (limited.cut, limited.because) == (False, "-m recent --update")
    assert found(ufw, TCP, 22, "fd09::2", "fd09::1") is None
    assert "cut by ufw (ip6tables (nft) filter" in str(found(ufw, TCP, 8080, "fd09::2", "fd09::1"))


def test_firewalld_is_named_and_its_check_of_the_way_back_is_not_known() -> None:
    firewalld = recorded("firewalld")

    assert found(firewalld, TCP, 22) is None
    assert found(firewalld, TCP, 8080) is None
    assert "cut by firewalld (table inet firewalld, chain filter_IN_public" in str(found(firewalld, UDP, 53))
    assert found(firewalld, UDP, 53, inbound=False) is None
    way_back = found(firewalld, TCP, 22, "fd09::2", "fd09::1")
    assert way_back is not None
    assert (way_back.cut, way_back.because) == (False, "fib saddr . mark . iif oif")
    assert list(firewalld.may_cut()) == ["firewalld"]


def saved(rules: str, before: str = "", variant: str = "legacy") -> Others:
    """Return what a host tells whose table `filter` has some rules."""
    text = f"*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:f2b-sshd - [0:0]\n{rules}\nCOMMIT\n"
    return read_report(f"part save {variant} 4\n{text}\n{before}end\n")


def nft(rules: list[list[object]], hook: str = "input", name: str = "other", kind: str = "filter") -> Others:
    """Return what a host tells whose table has one chain of a hook with some rules."""
    based = {"family": "inet", "table": name, "name": "c", "type": kind, "hook": hook, "prio": 0, "policy": "accept"}
    items = [{"table": {"family": "inet", "name": name}}, {"chain": based}]
    items += [{"rule": {"family": "inet", "table": name, "chain": "c", "expr": parts}} for parts in rules]
    return read_report(f"part nft inet {name}\n{json.dumps({'nftables': items})}\nend\n")


def test_fail2ban_is_named_by_its_chain_its_set_and_its_table() -> None:
    jumped = saved("-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd\n-A f2b-sshd -s 10.9.0.2/32 -j REJECT")
    match = "-m set --match-set f2b-sshd src"
    ipset = "part ipset\ncreate f2b-sshd hash:ip family inet timeout 600\nadd f2b-sshd 10.9.0.2 timeout 590\n"
    table = nft([[{"drop": None}]], name="f2b-table")

    assert "cut by fail2ban (iptables (legacy) filter, chain f2b-sshd, rule 1)" in str(found(jumped, TCP, 22))
    assert found(jumped, TCP, 80) is None
    assert "cut by fail2ban" in str(found(saved(f"-A INPUT -p tcp {match} -j REJECT", ipset), TCP, 22))
    assert found(saved(f"-A INPUT -p tcp {match} -j REJECT", ipset), TCP, 22, "10.9.0.3") is None
    assert "cut by fail2ban (table inet f2b-table" in str(found(table, TCP, 22))


def test_ours_are_no_others() -> None:
    text = "*filter\n:INPUT ACCEPT [0:0]\n:rf_in - [0:0]\n-A INPUT -j rf_in\n-A rf_in -j DROP\nCOMMIT\n"

    assert found(read_report(f"part save nft 4\n{text}saved ip filter\nend\n"), TCP, 22) is None


@pytest.mark.parametrize(
    "part",
    [
        {"notrack": None},
        {"dnat": {"addr": "10.1.1.1"}},
        {"redirect": {"port": 8080}},
        {"tproxy": {"port": 80}},
        {"queue": {"num": 1}},
        {"fwd": {"dev": "eth0"}},
        {"mangle": {"key": {"payload": {"protocol": "ip", "field": "daddr"}}, "value": "10.1.1.1"}},
        {"xt": {"type": "target", "name": "NFQUEUE"}},
        {"tomorrow": {"is": "another day"}},
    ],
)
def test_behind_what_may_send_a_packet_elsewhere_nothing_is_known(part: dict[str, object]) -> None:
    others = nft([[part], [{"drop": None}]], hook="prerouting")
    one = found(others, TCP, 80)

    assert one is not None
    assert not one.cut


def test_where_one_part_could_not_be_read_no_other_one_cuts_or_passes_for_certain() -> None:
    cut = saved("-A INPUT -j DROP", "unread nftables table inet big, which is too long\n")
    one = found(cut, TCP, 80)

    assert one is not None
    assert not one.cut
    assert "which is too long; what could be read has it cut by a hand-written rule" in one.because
    passes = found(saved("", "unread nftables table inet big, which is too long\n"), TCP, 80)
    assert passes is not None
    assert not passes.cut


@pytest.mark.parametrize(
    "text",
    [
        "",
        "end",
        "part",
        "part nft inet x\n" + "[" * 100_000 + "\nend\n",
        'part nft inet x\n{"nftables": [{"table": 1}]}\nend\n',
        'part nft inet x\n{"nftables": null}\nend\n',
        "part save legacy 4\n*filter\n:INPUT ACCEPT [0:0]\n-A \nCOMMIT\nend\n",
        "part save legacy 4\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p \x1b[31m\u202e -j DROP\nCOMMIT\nend\n",
        "part save legacy 4\n*filter\n-A NOWHERE -j DROP\nCOMMIT\nend\n",
        "part save legacy 4\n*filter\n:INPUT ACCEPT [0:0]\nend\n",
        "part save legacy 4\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 1.2.3.4/-9 -j DROP\nCOMMIT\nend\n",
        "part save legacy 4\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport \u00b2:9 -j DROP\nCOMMIT\nend\n",
        "part save legacy 9\nend\n",
        "part ipset\ncreate x hash:ip\nadd x \u00b2/\u00b2\nend\n",
        "saved ip filter\nend\n",
        "unread \x1b]0;owned\x07\nend\n",
    ],
)
def test_what_is_no_report_is_never_an_error_nor_a_verdict(text: str) -> None:
    others = read_report(text)
    one = found(others, TCP, 80)

    assert one is None or not one.cut
    assert (one is None) == (not others.unread and not (one and one.because))
    assert all(told.isprintable() for told in [*others.unread, str(one), *chain(*others.may_cut().values())])


def test_chains_that_lead_in_circles_end_and_are_not_known() -> None:
    rules = "-A INPUT -j f2b-sshd\n-A f2b-sshd -j f2b-sshd"
    one = found(saved(rules), TCP, 80)

    assert one is not None
    assert "circles" in one.because


def test_a_wide_tree_of_jumps_is_walked_once() -> None:
    names = [f"c{number}" for number in range(16)]
    lines = [f":{name} - [0:0]" for name in names]
    for first, second in pairwise(names):
        lines += [f"-A {first} -j {second}"] * 50
    one = found(saved("\n".join([*lines, "-A INPUT -j c0", "-A c15 -p udp -j DROP"])), UDP, 80)

    assert one is not None
    assert one.cut


def test_a_set_that_rules_fill_is_not_known() -> None:
    filled = nft(
        [
            [{"set": {"op": "add", "elem": {"payload": {"protocol": "ip", "field": "saddr"}}, "set": "@s"}}],
            [
                {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@s"}},
                {"drop": None},
            ],
        ]
    )
    one = found(filled, TCP, 80)

    assert one is not None
    assert (one.cut, one.because) == (False, "ip saddr")


def test_what_cuts_only_the_replies_is_called_so() -> None:
    one = found(saved("-A OUTPUT -p tcp -m tcp --sport 80 -j DROP"), TCP, 80)

    assert str(one).startswith("replies cut by a hand-written rule")
