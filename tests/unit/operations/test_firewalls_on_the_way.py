"""What other firewalls of a host that forwards do with what passes it is part of the answer about its two ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ringfence.beside import read_report
from ringfence.estate import Estate
from ringfence.model.addresses import point_of
from ringfence.model.services import parse_service
from ringfence.operations.check import check
from ringfence.operations.other_firewalls import keep_reports

from tests.unit.cli_shop import NOW, data, ringfence, shop
from tests.unit.operations.test_other_firewalls import told

UFW = (
    "part save legacy 4\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
    ":ufw-user-forward - [0:0]\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
    "-A FORWARD -j ufw-user-forward\n-A ufw-user-forward -p tcp -m tcp --dport {port} -j ACCEPT\nCOMMIT\nend\n"
)
HOSTS = """\
all:
  vars: {{ringfence_labels: {{app: shop, env: prod}}}}
  hosts:
    gw-1:
      ansible_host: 10.0.1.1
      ringfence_addresses: [10.0.1.1, 10.0.2.1]
      vm: {{role: gw}}
      ringfence_nftables: {{forwards: {forwards}}}
    web-1: {{ansible_host: 10.0.1.4, vm: {{role: web}}}}
    web-2: {{ansible_host: 10.0.1.5, vm: {{role: web}}}}
    db-1: {{ansible_host: 10.0.2.5, vm: {{role: db}}}}
"""
POLICY = """\
enforce: [{where: any, mode: full}]
rules: [{name: all, from: any, to: any, allow: [tcp/80, tcp/443]}]
tests: [{name: shop, from: {role: web}, to: {role: db}, services: tcp/443, expect: allow}]
"""
NETWORKS = "forwarded, judged by the tables of containers alone: between 10.0.1.0/24 (eth0), 10.0.2.0/24 (eth1)"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


def site(tmp_path: Path, forwards: str, report: str, networks: str = NETWORKS) -> Path:
    """Return a workspace whose router told its other rules and between which networks it forwards."""
    files = {"inventory/hosts.yml": HOSTS.format(forwards=forwards), "policy/shop.yml": POLICY}
    files["ringfence.yml"], files["policy/tests/shop.yml"] = "{}\n", "tests: []\n"
    workspace = shop(tmp_path, files)
    host = told("gw-1", report)
    host.result["forwards"] = [networks]
    assert keep_reports(Estate(workspace), {"gw-1": host}) == []
    return workspace


def verdict(workspace: Path, *asked: str) -> str:
    return ringfence(workspace, "explain", *asked).output.partition(":")[0]


@pytest.mark.parametrize("forwards", ["true", "[10.0.2.0/24]", "false"])
def test_what_ufw_cuts_on_a_router_is_in_the_verdict(tmp_path: Path, forwards: str) -> None:
    workspace = site(tmp_path, forwards, UFW.format(port=80))
    assert verdict(workspace, "web-1", "db-1", "tcp/443") == (
        "allowed by Ringfence, cut by ufw on gw-1, where it forwards it"
    )
    assert verdict(workspace, "web-1", "db-1", "tcp/80") == "allowed"
    # one network: it does not pass the router
    assert verdict(workspace, "web-1", "web-2", "tcp/443") == "allowed"
    # an end is no way
    assert verdict(workspace, "web-1", "gw-1", "tcp/443") == "allowed"
    (answer,) = data(workspace, "explain", "web-1", "db-1", "tcp/443")["answers"]  # type: ignore[misc]
    assert [(one["host"], one["verdict"], one["by"]) for one in answer["on_the_way"]] == [("gw-1", "cut", "ufw")]
    warned = [one.message for one in check(Estate(workspace)).problems if "cut by ufw on gw-1" in one.message]
    assert len(warned) == 1


def test_a_host_that_told_no_networks_counts_only_where_it_is_asked_to_judge(tmp_path: Path) -> None:
    asked = site(tmp_path / "a", "[10.0.2.0/24]", UFW.format(port=80), "")
    assert verdict(asked, "web-1", "db-1", "tcp/443").startswith("allowed by Ringfence, cut by ufw on gw-1")
    assert verdict(asked, "web-1", "web-2", "tcp/443") == "allowed"
    other = site(tmp_path / "b", "false", UFW.format(port=80), "")
    assert verdict(other, "web-1", "db-1", "tcp/443") == "allowed"


def nft(*rules: object, policy: str = "accept", hook: str = "forward", kind: str = "filter") -> str:
    """Return the report of one table with one chain."""
    chain = {"family": "inet", "table": "fw", "name": "c", "type": kind, "hook": hook, "prio": 0, "policy": policy}
    parts = [{"table": {"family": "inet", "name": "fw"}}, {"chain": chain}]
    parts += [{"rule": {"family": "inet", "table": "fw", "chain": "c", "expr": list(one)}} for one in rules]  # type: ignore[call-overload]
    return f"part nft inet fw\n{json.dumps({'nftables': parts})}\nend\n"


def match(key: str, value: str, operation: str = "==") -> object:
    return {"match": {"op": operation, "left": {"meta": {"key": key}}, "right": value}}


ESTABLISHED = [{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "established"}}, {"accept": None}]


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (nft(policy="drop"), "cut by"),
        (nft([{"drop": None}], hook="input"), "None"),
        (nft([{"drop": None}], hook="output"), "None"),
        # zones of firewalld and of OpenWrt go by interfaces, which no question says
        (nft([match("iifname", "lan0"), {"accept": None}], policy="drop"), "not known because of meta iifname"),
        (nft([match("oifname", "lo"), {"drop": None}]), "None"),
        (nft([match("oifname", "lo", "!="), {"drop": None}]), "cut by"),
        (nft(ESTABLISHED, policy="drop"), "cut by"),
        # who is behind a translation is somebody else to whoever comes next
        (nft([{"masquerade": None}], hook="postrouting", kind="nat"), "not known because of masquerade"),
        # a flowtable passes by every chain
        (nft([{"flow": {"op": "add", "flowtable": "@f"}}]), "not known because of flow"),
        # what every router clamps is no doubt
        (
            nft([{"mangle": {"key": {"tcp option": {"name": "maxseg", "field": "size"}}, "value": {"rt": "mtu"}}}]),
            "None",
        ),
    ],
)
def test_what_is_forwarded_meets_the_chains_of_its_way_alone(report: str, said: str) -> None:
    (low, _) = parse_service("tcp/443").of(4).intervals[0]
    found = read_report(report).finding(point_of("10.0.1.4"), point_of("10.0.2.5"), low, through=True)
    assert str(found).startswith(said), found


DNAT = (
    "part save legacy 4\n*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 8088 -j DNAT "
    "--to-destination 10.0.2.5:80\nCOMMIT\nend\n"
)


def test_what_a_router_denies_for_itself_and_sends_on_is_not_proven(tmp_path: Path) -> None:
    workspace = site(tmp_path, "true", DNAT)
    # the client's own table lets it out
    rules = POLICY.replace("tests:", "  - {name: out, from: {role: web}, to: {role: gw}, at: from, allow: tcp}\ntests:")
    rules = rules.replace("rules: [{name: all, from: any, to: any, allow: [tcp/80, tcp/443]}]", "rules:")
    (workspace / "policy/shop.yml").write_text(rules)
    answers = data(workspace, "explain", "web-1", "gw-1", "tcp/8087-8089")["answers"]
    notes = {
        service: any("not proven" in note and "DNAT" in note for note in one["sides"][1].get("notes", ()))
        for one in answers  # type: ignore[attr-defined]
        for service in one["service"]
    }
    assert notes == {"tcp/8087": False, "tcp/8088": True, "tcp/8089": False}
    assert {one["verdict"] for one in answers} == {"deny"}  # type: ignore[attr-defined]
    assert "not proven: a hand-written rule (iptables (legacy) nat, chain PREROUTING, rule 1; -j DNAT" in (
        ringfence(workspace, "explain", "web-1", "gw-1", "tcp/8088").output
    )
