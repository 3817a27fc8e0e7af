"""A host that nothing brings a table to is not a workload in any answer; and which enforcer a host gets."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import pytest
from ringfence.plan.artefact import time_text
from ringfence.plan.host_records import Held, write_state

from tests.other_enforcers import BLIND, STAND_IN, WINDOWS_LIKE, install
from tests.unit.cli_shop import FILES, data, ringfence, shop

HOSTS = FILES["inventory/hosts.yml"]
UNKNOWN = "    odd-1: {ansible_host: 10.0.1.9, vm: {role: db}, ringfence_enforcer: windows}\n"
REFUSING = "    odd-1: {ansible_host: 10.0.1.9, vm: {role: db}}\n"
FLOW = "client,server,port,protocol,first_seen\n10.0.1.1,10.0.1.9,445,tcp,2026-11-24T06:00:00Z\n"
WHY = {
    "unknown": "no enforcer is called 'windows'",
    "refusing": "it says of itself: nft 0.8 is older than 0.9.3",
}
SEEN = time_text(datetime.fromisoformat("2026-11-24T06:00:00+00:00"))


@pytest.fixture(params=["unknown", "refusing"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """Return a shop in which nothing is enforced on odd-1, and why."""
    more = UNKNOWN if request.param == "unknown" else REFUSING
    made = shop(tmp_path, {"inventory/hosts.yml": HOSTS + more, "flows.csv": FLOW, "policy/tests/shop.yml": ""})
    if request.param == "refusing":
        write_state(made, {"odd-1": Held(seen=SEEN, features={"nft": "0.8"})})
    return made, WHY[request.param]


def test_nothing_that_is_asked_says_that_it_denies(workspace: tuple[Path, str]) -> None:
    directory, why = workspace
    answer = data(directory, "explain", "web-1", "odd-1", "tcp/445")
    assert isinstance(answer, dict)
    assert answer["sides"][1]["rule"] == f"no workload: {why}, so nothing is enforced here"
    reached = data(directory, "reach", "--from", "web-1", "--to", "odd-1")
    assert isinstance(reached, dict)
    assert reached["rows"] == [{"from": "web-1", "to": "odd-1", "allow": ["any"]}]
    seen = data(directory, "simulate", "--flows", str(directory / "flows.csv"))
    assert isinstance(seen, dict)
    assert seen["categories"]["still_allowed"]["flows"] == 1


def test_check_warns_and_no_invariant_rests_on_it(workspace: tuple[Path, str]) -> None:
    directory, why = workspace
    (directory / "policy/tests/shop.yml").write_text(
        "rules: [{name: only servers, from: {role: db}, to: {role: web}, allow: http, at: to}]\n"
        "invariants: [{name: no database calls a web server, from: {role: db}, to: {role: web}, expect: deny}]\n"
    )
    found = data(directory, "check", status=1)
    assert isinstance(found, dict)
    assert [one["example"]["from"] for one in found["broken_invariants"]] == ["odd-1 (10.0.1.9)"]
    assert f"{why}, so nothing is enforced on odd-1" in [one["message"] for one in found["problems"]]


def test_the_plan_says_why_and_reports_no_change_of_it(workspace: tuple[Path, str]) -> None:
    directory, why = workspace
    plan = data(directory, "plan", "--flows", str(directory / "flows.csv"))
    assert isinstance(plan, dict)
    assert plan["left_out"] == {"odd-1": why}
    assert "odd-1" not in plan["hosts"]
    assert all("odd-1" not in group["workloads"] for group in plan["diff"]["groups"])
    assert plan["simulation"]["categories"]["newly_denied"]["flows"] == 0


def test_a_host_that_takes_no_new_table_goes_on_with_the_one_it_holds(tmp_path: Path) -> None:
    directory = shop(
        tmp_path, {"inventory/hosts.yml": HOSTS + REFUSING, "flows.csv": FLOW, "policy/tests/shop.yml": ""}
    )
    first = data(directory, "plan", "--no-flows")
    assert isinstance(first, dict)
    given = first["hosts"]["odd-1"]
    held = Held(ruleset=given["ruleset"], table=given["table"], plan=first["plan"], sequence=1, seen=SEEN)
    write_state(directory, {"odd-1": held.model_copy(update={"features": {"nft": "0.8"}})})

    seen = data(directory, "simulate", "--flows", str(directory / "flows.csv"))
    plan = data(directory, "plan", "--flows", str(directory / "flows.csv"))

    assert isinstance(seen, dict)
    assert isinstance(plan, dict)
    assert seen["categories"]["still_denied"]["flows"] == 1
    assert plan["simulation"]["categories"]["still_denied"]["flows"] == 1
    assert plan["left_out"]["odd-1"] == WHY["refusing"]


def test_a_workload_without_an_address_is_in_no_answer(tmp_path: Path) -> None:
    hosts = HOSTS + "    odd-1: {ansible_host: nobody.invalid, vm: {role: db}}\n"
    directory = shop(tmp_path, {"inventory/hosts.yml": hosts, "policy/tests/shop.yml": ""})
    plan = data(directory, "plan", "--no-flows")
    assert isinstance(plan, dict)
    assert plan["left_out"] == {"odd-1": "it has no address"}
    rows = data(directory, "reach", "--to", "role=db")
    assert isinstance(rows, dict)
    assert not [row for row in rows["rows"] if "odd-1" in (row["from"], row["to"])]


def test_a_plan_of_several_enforcers_gives_each_host_what_its_own_renders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, WINDOWS_LIKE)
    files = {"inventory/hosts.yml": HOSTS + UNKNOWN, "policy/tests/shop.yml": ""}
    directory = shop(tmp_path, files)
    write_state(directory, {"odd-1": Held(seen=SEEN, features={"edition": "2019"})})

    plan = data(directory, "plan", "--no-flows")

    assert isinstance(plan, dict)
    host = plan["hosts"]["odd-1"]
    assert (host["enforcer"], host["control"], host["options"]) == ("windows", None, {})
    assert host["facts"] == {"edition": "2019"}
    assert host["runtime"] == [{"groups": ["odd-1"]}]
    text = (Path(plan["directory"]) / f"rulesets/{host['ruleset']}.txt").read_text()
    assert text == f"windows 1 2019 {host['table']}\n"
    assert plan["hosts"]["db-1"]["options"] == {"cut": False}
    assert ringfence(directory, "show").exit_code == 0
    (Path(plan["directory"]) / f"rulesets/{host['ruleset']}.txt").write_text("else\n")
    assert "changed after the plan was made" in ringfence(directory, "show").output


def test_facts_choose_an_enforcer_that_nobody_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, STAND_IN)
    named = "    odd-2: {ansible_host: 10.0.1.10, vm: {role: db}, ringfence_enforcer: nftables}\n"
    directory = shop(tmp_path, {"inventory/hosts.yml": HOSTS + REFUSING + named, "policy/tests/shop.yml": ""})
    able = {"nft": "", "iptables": "1.4.21", "edition": "new"}
    write_state(
        directory,
        {
            "odd-1": Held(seen=SEEN, features=able),
            "odd-2": Held(seen=SEEN, features=able),
            "web-1": Held(seen=SEEN, features={"nft": "1.0.6", "iptables": "1.8.9"}),
            "web-2": Held(seen=SEEN, features={"nft": "0.8"}),
        },
    )

    result = ringfence(directory, "plan", "--no-flows", "--json")
    plan = json.loads(result.stdout)

    assert plan["hosts"]["odd-1"]["enforcer"] == "iptables"
    assert plan["hosts"]["odd-1"]["chosen"] == "there is no nft, and iptables is usable there"
    assert plan["hosts"]["web-1"]["enforcer"] == "nftables"
    assert plan["hosts"]["web-1"]["chosen"] == ""
    assert plan["left_out"] == {
        "odd-2": "it says of itself: there is no nft",
        "web-2": "it says of itself: nft 0.8 is older than 0.9.3",
    }
    assert "odd-1 gets the enforcer iptables: there is no nft, and iptables is usable there" in " ".join(
        result.stderr.split()
    )
    shown = ringfence(directory, "show", "latest").stdout
    assert re.search(r"enforced by: iptables 1, nftables \d", shown)
    assert "iptables for odd-1: there is no nft, and iptables is usable there" in shown


def test_a_host_keeps_the_enforcer_that_facts_chose_once_nft_is_usable_and_the_plan_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, STAND_IN)
    directory = shop(tmp_path, {"inventory/hosts.yml": HOSTS + REFUSING, "policy/tests/shop.yml": ""})
    able = {"nft": "1.0.6", "iptables": "1.8.9", "ipset": "7.17", "edition": "new"}
    holds = Held(seen=SEEN, features=able, ruleset="1" * 64, table="2" * 64, plan="3" * 64, enforcer="iptables")
    write_state(
        directory,
        {
            "odd-1": holds,
            "web-1": holds.model_copy(update={"ruleset": "", "table": "", "plan": ""}),
            "web-2": holds.model_copy(update={"enforcer": "nftables"}),
        },
    )

    result = ringfence(directory, "plan", "--no-flows", "--json")
    plan = json.loads(result.stdout)

    assert {name: plan["hosts"][name]["enforcer"] for name in ("odd-1", "web-1", "web-2")} == {
        "odd-1": "iptables",
        "web-1": "nftables",
        "web-2": "nftables",
    }
    said = " ".join(result.stderr.split())
    assert "odd-1 gets the enforcer iptables: it holds a table of iptables; nftables is usable there now" in said
    assert "to keep it write 'ringfence_enforcer: iptables'; to change write 'ringfence_enforcer: nftables'" in said
    assert "which goes when the new one was confirmed" in said


def test_a_plan_of_an_earlier_format_is_refused_by_name(tmp_path: Path) -> None:
    directory = shop(tmp_path)
    path = Path(str(data(directory, "plan", "--no-flows")["directory"]))  # type: ignore[index]
    text = (path / "plan.json").read_text().replace('"format": 2', '"format": 1')
    (path / "plan.json").write_text(text)
    said = " ".join(ringfence(directory, "show").output.split())
    assert "this plan is of format 1, which an earlier release made; this one reads format 2" in said
    assert "plan --rebase" in said


OF_A_LISTENER = "rules: [{name: server, from: any, to: {role: db, process: {unit: db.service}}, allow: mysql}]\n"


def test_what_a_host_says_of_itself_stops_no_plan_and_makes_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, BLIND)
    closed = "rules: [{name: only servers, from: {role: db}, to: {role: web}, allow: http, at: to}]\n"
    closed += "invariants: [{name: closed, from: {role: db}, to: {role: web}, expect: deny}]\n"
    files = {"inventory/hosts.yml": HOSTS + REFUSING, "policy/more.yml": OF_A_LISTENER, "policy/tests/shop.yml": closed}
    directory = shop(tmp_path, files)
    write_state(directory, {"odd-1": Held(seen=SEEN, features={"nft": "", "iptables": "1.8"})})

    plan = data(directory, "plan", "--no-flows")
    found = data(directory, "check", status=1)

    assert isinstance(plan, dict)
    assert isinstance(found, dict)
    assert plan["left_out"] == {"odd-1": "it says of itself: it cannot see db.service"}
    assert sorted(plan["hosts"]) == ["api-1", "db-1", "web-1", "web-2"]
    assert [one["example"]["from"] for one in found["broken_invariants"]] == ["odd-1 (10.0.1.9)"]
    assert {one["severity"] for one in found["problems"]} == {"warning"}


def test_an_enforcer_that_a_person_chose_and_that_cannot_see_a_process_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, BLIND)
    hosts = HOSTS + REFUSING.replace("vm:", "ringfence_enforcer: iptables, vm:")
    directory = shop(tmp_path, {"inventory/hosts.yml": hosts, "policy/more.yml": OF_A_LISTENER})

    found = data(directory, "check", status=2)

    assert isinstance(found, dict)
    said = "rule 'server' names a unit in 'to', which 'iptables' cannot see: it never matches on odd-1"
    assert said in [one["message"] for one in found["problems"] if one["severity"] == "error"]
