"""What hosts told of other firewalls is kept, and explain says with it what is cut more than Ringfence denies."""

from __future__ import annotations

import base64
import zlib
from hashlib import sha256
from pathlib import Path

from ringfence.estate import Estate
from ringfence.operations.hosts import HostsResult
from ringfence.operations.other_firewalls import forget_gone, forwarding_problems, keep_reports, other_firewalls
from ringfence.presenting.beside_view import beside_data, beside_lines
from ringfence.presenting.host_view import forward_lines
from ringfence.rollout import HostResult, PlaybookResult

from tests.unit.cli_shop import data, ringfence, shop

DROP = "part save legacy 4\n*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport {ports} -j ACCEPT\nCOMMIT\nend\n"
UFW = DROP.replace("-A INPUT", ":ufw-user-input - [0:0]\n-A INPUT -j ufw-user-input\n-A ufw-user-input")


def told(name: str, report: str) -> HostResult:
    """Return a host's result with what it told."""
    text = base64.b64encode(zlib.compress(report.encode())).decode()
    return HostResult(name, "verified", ok=True, result={"beside": text})


def kept(directory: Path, report: str, name: str = "db-1") -> None:
    assert keep_reports(Estate(directory), {name: told(name, report)}) == []


def test_explain_says_who_cuts_what_ringfence_allows_on_either_end(tmp_path: Path) -> None:
    workspace = shop(tmp_path)
    asked = ("explain", "api-1", "db-1", "tcp/5432")
    assert "allowed: " in ringfence(workspace, *asked).output

    kept(workspace, UFW.format(ports=22))
    there = ringfence(workspace, *asked).output
    assert "allowed by Ringfence, cut by ufw on db-1: " in there
    assert "cut by ufw on db-1 (iptables (legacy) filter, chain INPUT, policy; told " in there

    kept(workspace, UFW.format(ports=5432))
    passing = ringfence(workspace, *asked).output
    assert "allowed: " in passing
    assert "passes the other firewalls on db-1" in passing

    kept(workspace, "part save legacy 4\n*filter\n:OUTPUT DROP [0:0]\nCOMMIT\nend\n", "api-1")
    answer = data(workspace, *asked)["answers"][0]  # type: ignore[index]
    assert answer["verdict"] == "allow"
    assert answer["sides"][0]["beside"]["verdict"] == "cut"
    assert answer["sides"][0]["beside"]["by"] == "a hand-written policy"
    assert answer["sides"][1]["beside"]["verdict"] == "passes"


def test_ports_that_other_rules_tell_apart_are_answered_apart(tmp_path: Path) -> None:
    workspace = shop(tmp_path, {"policy/app.yml": "rules:\n  - {name: all, from: any, to: any, allow: tcp}\n"})
    kept(workspace, DROP.format(ports="1000:2000"))
    answers = data(workspace, "explain", "api-1", "db-1", "tcp/900-3000")["answers"]  # type: ignore[index]
    cut = {
        service: answer["sides"][1]["beside"]["verdict"]
        for answer in answers
        if answer["verdict"] == "allow"
        for service in answer["service"]
    }
    assert cut["tcp/1000-2000"] == "passes"
    assert {cut["tcp/900-999"], cut["tcp/2001-3000"]} == {"cut"}


def test_a_damaged_or_foreign_file_tells_nothing_and_a_damaged_report_is_not_known(tmp_path: Path) -> None:
    estate = Estate(shop(tmp_path))
    keep_reports(
        estate, {"db-1": told("db-1", UFW), "web-1": HostResult("web-1", "x", ok=True, result={"beside": "!"})}
    )
    path = next(path for path in (estate.history.state / "beside").iterdir() if "db-1" in path.read_text())
    assert other_firewalls(estate, ["web-1"])["web-1"].unread == ["the host's report, which is not understood"]
    path.write_text(path.read_text()[:50])
    assert set(other_firewalls(estate, ["db-1", "web-1"])) == {"web-1"}


def test_verify_and_info_say_who_may_cut_more(tmp_path: Path) -> None:
    hosts = {"db-1": told("db-1", UFW.format(ports=22)), "web-1": told("web-1", "end\n"), "old": told("old", "part")}
    lines = [line.text for line in beside_lines(hosts)]

    assert lines == [
        "db-1: may cut more than Ringfence: ufw (iptables (legacy) filter INPUT)",
        "old: may cut more than Ringfence: not known: the host's report, which was cut short",
    ]
    assert beside_data(hosts["web-1"]) == {"beside": {"may_cut": {}, "not_known": []}}


def test_check_and_plan_warn_where_a_test_expects_what_another_firewall_cuts(tmp_path: Path) -> None:
    workspace = shop(tmp_path)
    kept(workspace, UFW.format(ports=8443), "api-1")
    assert "cut by" not in ringfence(workspace, "check").output
    kept(workspace, UFW.format(ports=22), "api-1")
    said = "test 'the shop works': web-1 to api-1 on tcp/8443 is allowed by Ringfence and cut by ufw on api-1"
    checked = ringfence(workspace, "check")
    assert said in " ".join(checked.output.split())
    assert checked.exit_code == 0
    assert said in " ".join(ringfence(workspace, "plan").output.split())


def test_what_hosts_told_goes_when_the_inventory_does_not_have_them_any_more(tmp_path: Path) -> None:
    shop(tmp_path)
    folder = tmp_path / ".ringfence/beside"
    for name in ("db-1", "web-1", "gone-1"):
        path = folder / f"{sha256(name.encode()).hexdigest()[:32]}.json"
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    hosts, broken = tmp_path / "inventory/hosts.yml", "all: ["
    whole = hosts.read_text()
    hosts.write_text(broken)
    forget_gone(Estate(tmp_path))
    assert len(list(folder.iterdir())) == 3
    hosts.write_text(whole)
    forget_gone(Estate(tmp_path))
    assert {path.name for path in folder.iterdir()} == {
        f"{sha256(name.encode()).hexdigest()[:32]}.json" for name in ("db-1", "web-1")
    }


def test_plan_and_info_name_hosts_that_forward_for_others(tmp_path: Path) -> None:
    shop(tmp_path)
    bridge = "bridge br0: forwarded past every table: between eno1, tap0"
    routes = "forwarded, judged by the tables of containers alone: between 10.0.1.0/24 (eth0), 10.0.2.0/24 (eth1)"
    switch = "/proc/sys/net/ipv4/ip_forward: this host forwards"
    hostile: object = [7, None, "x" * 9000, "a\x1b[31mb\n"]
    hosts = {
        name: HostResult(name, "confirmed", ok=True, result={**told(name, "").result, "forwards": lines})
        for name, lines in (
            ("db-1", [switch, routes, bridge]),
            ("web-1", [switch]),
            ("api-1", hostile),
            ("web-2", "no"),
        )
    }
    assert keep_reports(Estate(tmp_path), hosts) == []
    estate = Estate(tmp_path)
    found = forwarding_problems(estate, ("db-1", "web-1", "web-2", "unknown"), ())
    assert [one.message.partition(":")[0] for one in found] == [
        "db-1 forwards for others, and this plan does not judge that"
    ]
    assert "eth0" in found[0].message
    # what containers are behind is judged by their tables, what a bridge carries is not
    (held,) = forwarding_problems(estate, ("db-1",), ("db-1",))
    assert "eth0" not in held.message
    assert "br0" in held.message
    (strange,) = forwarding_problems(estate, ("api-1",), ())
    assert len(strange.message) < 1000
    assert "\x1b" not in strange.message
    planned = ringfence(tmp_path, "plan")
    assert "db-1 forwards for others" in planned.output
    lines = [line.text for line in forward_lines(HostsResult(PlaybookResult(hosts, "successful")))]
    assert f"db-1: {bridge}" in lines
