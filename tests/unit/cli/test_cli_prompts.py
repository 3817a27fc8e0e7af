"""Asking from the command line: assets, labels, verdicts, reach, rulesets, flows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli_shop import data, ringfence, shop


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop(tmp_path_factory.mktemp("shop"))


def test_assets_come_with_addresses_labels_and_where_these_came_from(workspace: Path) -> None:
    assert data(workspace, "assets", "db-1") == [
        {
            "name": "db-1",
            "addresses": ["10.0.1.4", "fd00::4"],
            "labels": {
                "app": {"value": "shop", "rule": "inventory"},
                "env": {"value": "prod", "rule": "inventory"},
                "role": {"value": "db", "rule": "labels.yml:2"},
            },
            "sources": ["inventory"],
            "realm": "default",
            "workload": True,
            "enforcer": "nftables",
        }
    ]


def test_assets_are_found_by_label(workspace: Path) -> None:
    printed = ringfence(workspace, "assets", "role=web").output

    assert "web-1" in printed
    assert "2 of 4 assets" in printed
    assert "db-1" not in printed


def test_labels_are_shown_with_their_rules(workspace: Path) -> None:
    printed = ringfence(workspace, "labels", "db-1").stdout

    assert [line.split() for line in printed.splitlines()] == [
        ["asset", "label", "value", "given", "by"],
        ["db-1", "app", "shop", "inventory"],
        ["db-1", "env", "prod", "inventory"],
        ["db-1", "role", "db", "labels.yml:2"],
    ]


def test_explain_says_who_denied_and_which_rule_was_nearest(workspace: Path) -> None:
    result = ringfence(workspace, "explain", "web-1", "db-1", "postgresql")

    assert result.exit_code == 0
    assert "denied: 10.0.1.1 → 10.0.1.4" in result.output
    assert "inbound mode is full (policy/shop.yml:15:5)" in result.output
    assert "nearest: 'api to database' (policy/shop.yml:7:5) needs role=api, web-1 has role=web" in result.output


def test_explain_names_the_rule_that_decides_before_one_that_would_allow(tmp_path: Path) -> None:
    rules = """\
enforce: [{where: any, mode: full}]
rules:
  - {name: no telnet, from: {role: web}, to: {role: db}, deny: tcp/23}
  - {name: low ports, from: {role: web}, to: {role: db}, allow: tcp/20-30}
  - {name: one side, from: {role: web}, to: {role: db}, allow: tcp/99, at: from}
"""
    made = shop(tmp_path, {"policy/shop.yml": rules, "policy/tests/shop.yml": "tests: []\n"})

    denied = ringfence(made, "explain", "web-1", "db-1", "tcp/23").output
    assert "nearest: 'low ports' (policy/shop.yml:4:5) allows it too, but 'no telnet' decides first" in denied
    half = ringfence(made, "explain", "web-1", "db-1", "tcp/99").output
    assert "nearest: 'one side' (policy/shop.yml:5:5) chooses both ends, but does not decide here: look at" in half


def test_a_host_known_by_its_name_alone_is_not_said_to_lack_an_address(tmp_path: Path) -> None:
    made = shop(
        tmp_path,
        {
            "inventory/hosts.yml": "shop: {hosts: {web-1: }}\n",
            "inventory/30-onprem.yml": "plugin: ringfence.core.onprem\ntable: ../hosts.csv\n",
            "hosts.csv": "name,addresses,env\nweb-1,10.0.1.1,prod\n",
        },
    )
    (made / "inventory/hosts.yml").rename(made / "inventory/10-hosts.yml")
    printed = ringfence(made, "assets", "web-1", "--explain").output
    assert "addresses  10.0.1.1" in printed
    assert "by name    inventory/30-onprem.yml, which was taken to mean this host by its name alone; it gives env" in (
        printed
    )


def test_a_name_of_two_machines_is_told_with_a_word_for_each(tmp_path: Path) -> None:
    made = shop(
        tmp_path,
        {
            "inventory/hosts.yml": "all: {hosts: {web-1: {ringfence_addresses: 10.0.1.1}}}\n",
            "inventory/z-onprem.yml": "plugin: ringfence.core.onprem\ntable: ../hosts.csv\n",
            "hosts.csv": "name,addresses\nweb-1,10.0.9.1\n",
        },
    )
    assert [found["name"] for found in data(made, "assets", "web-1")] == ["web-1", "web-1_z-onprem"]  # type: ignore[attr-defined]  # JSON
    result = ringfence(made, "explain", "web-1", "10.0.7.7", "tcp/1")
    assert result.exit_code == 2
    assert "for the other write 'web-1_z-onprem'; for this one its address, or its labels" in result.stderr
    assert ringfence(made, "explain", "web-1_z-onprem", "10.0.7.7", "tcp/1").exit_code == 0
    assert ringfence(made, "explain", "10.0.1.1", "10.0.7.7", "tcp/1").exit_code == 0


@pytest.mark.parametrize("chosen", [("--unit", "shop-api.service"), ("--process", "shop-api.service")])
def test_explain_answers_for_a_process(workspace: Path, chosen: tuple[str, str]) -> None:
    answer = data(workspace, "explain", "api-1", "db-1", "tcp/5432", *chosen)
    other = data(workspace, "explain", "api-1", "db-1", "tcp/5432", "--unit", "cron.service")

    assert isinstance(answer, dict)
    assert isinstance(other, dict)
    assert answer["verdict"] == "allow"
    assert [side["verdict"] for side in answer["sides"]] == ["allow", "allow"]
    assert other["verdict"] == "deny"


def test_explain_answers_for_every_port_and_says_for_which(workspace: Path) -> None:
    printed = ringfence(workspace, "explain", "api-1", "db-1", "tcp/5431-5433", "--unit", "shop-api.service").output
    told = data(workspace, "explain", "api-1", "db-1", "tcp/5431-5433", "--unit", "shop-api.service")

    assert "denied: 10.0.1.3 → 10.0.1.4 on tcp/5431, tcp/5433" in printed
    assert "allowed: 10.0.1.3 → 10.0.1.4 on tcp/5432" in printed
    assert isinstance(told, dict)
    assert told["verdict"] == "mixed"
    assert [(one["verdict"], one["service"]) for one in told["answers"]] == [
        ("deny", ["tcp/5431", "tcp/5433"]),
        ("allow", ["tcp/5432"]),
    ]


def test_explain_prints_some_answers_and_counts_the_rest(tmp_path: Path) -> None:
    rules = "".join(
        f"  - {{name: r{number}, from: {{role: api}}, to: {{role: db}}, allow: tcp/{2 * number}}}\n"
        for number in range(60)
    )
    workspace = shop(tmp_path, {"policy/many.yml": f"rules:\n{rules}"})
    printed = ringfence(workspace, "explain", "api-1", "db-1", "tcp/0-199").output

    assert printed.count("allowed: 10.0.1.3") + printed.count("denied: 10.0.1.3") == 50
    assert "11 more answers for other services" in printed


def test_reach_names_the_process_that_a_row_holds_for(workspace: Path) -> None:
    assert data(workspace, "reach", "--from", "role=api", "--to", "{role: db}", "--fresh") == {
        "rows": [
            {
                "from": "api-1",
                "to": "db-1",
                "allow": ["tcp/5432"],
                "from_process": {"unit": "shop-api.service"},
            }
        ]
    }


@pytest.mark.parametrize(
    ("selector", "clients"),
    [
        ("role=web|api", {"api-1", "web-1", "web-2"}),
        ("role=web,env=prod", {"web-1", "web-2"}),
        ('role="web", env="prod"', {"web-1", "web-2"}),
        ("role=", {"api-1", "db-1", "web-1", "web-2"}),
        ("web-1", {"web-1"}),
        ("10.0.1.0/30", {"api-1", "web-1", "web-2"}),
        ("{not: {role: [web, api]}}", {"db-1"}),
        ("[{role: web}, {role: db}]", {"db-1", "web-1", "web-2"}),
    ],
)
def test_selectors_may_be_written_short_or_in_the_grammar(tmp_path: Path, selector: str, clients: set[str]) -> None:
    open_to_all = "tier: guardrail\nrules:\n  - {name: o, from: any, to: any, allow: tcp/1}\n"
    workspace = shop(tmp_path, {"policy/open.yml": open_to_all})

    found = data(workspace, "reach", "--from", selector, "--to", "role=")

    assert isinstance(found, dict)
    assert {row["from"] for row in found["rows"] if row["from"][0].isalpha()} == clients


def test_a_ruleset_is_printed_to_the_byte(workspace: Path) -> None:
    printed = ringfence(workspace, "render", "db-1").stdout_bytes
    told = data(workspace, "render", "db-1")

    assert isinstance(told, dict)
    assert printed == told["ruleset"].encode()
    assert printed.startswith(b"table inet ringfence {}\ndelete table inet ringfence\n")


def test_flows_of_a_file_are_printed_one_a_row(workspace: Path) -> None:
    rows = data(workspace, "flows", "read", str(workspace / "flows.csv"), "--format", "csv")

    assert isinstance(rows, list)
    assert [(row["client"], row["server"], row["port"], row["protocol"]) for row in rows] == [
        ("10.0.1.1", "10.0.1.3", 8443, "tcp"),
        ("10.0.1.1", "10.0.1.4", 5432, "tcp"),
    ]


def test_flows_are_kept_once_and_shown_by_label(workspace: Path) -> None:
    flows = str(workspace / "flows.csv")
    first, second = data(workspace, "flows", "add", flows), data(workspace, "flows", "add", flows)

    assert isinstance(first, list)
    assert isinstance(second, list)
    assert (first[0]["new"], second[0]["new"]) == (2, 0)
    assert "tcp/8443" in ringfence(workspace, "flows", "window", "--since", "2026-11-24").output
    assert data(workspace, "flows", "forget", "--before", "2026-11-25") == {"days": 1}


def test_flows_are_judged_by_the_policy_in_the_files(workspace: Path) -> None:
    told = data(workspace, "simulate", "--flows", str(workspace / "flows.csv"))

    assert isinstance(told, dict)
    assert told["categories"]["still_allowed"]["flows"] == 1
    assert told["categories"]["newly_denied"]["flows"] == 1
    assert ringfence(workspace, "simulate", "--flows", str(workspace / "flows.csv"), "--strict").exit_code == 1


def test_allowed_flows_to_addresses_that_no_asset_holds_are_told(tmp_path: Path) -> None:
    """The host that holds a floating address would drop them: it has no rule for an address that is not its own."""
    rules = "rules:\n  - {name: out, from: {role: web}, to: {cidr: [10.0.1.100, 8.8.8.8]}, allow: https}\n"
    flows = "client,server,port,protocol,first_seen\n" + "".join(
        f"10.0.1.{client},{server},443,tcp,2026-11-24T06:00:00Z\n"
        for client, server in ((1, "10.0.1.100"), (2, "10.0.1.100"), (1, "8.8.8.8"), (3, "10.0.1.101"), (1, "10.0.1.3"))
    )
    workspace = shop(tmp_path, {"policy/out.yml": rules, "flows.csv": flows})
    asked = ("simulate", "--flows", str(workspace / "flows.csv"))

    told = data(workspace, *asked)

    assert isinstance(told, dict)
    assert told["to_nobody"] == {"flows": 2, "addresses": ["10.0.1.100"]}, (
        "the third is denied, the others are not ours"
    )
    said = " ".join(ringfence(workspace, *asked).output.split())
    assert "2 of the allowed flows go to addresses near at hand that no asset holds: 10.0.1.100;" in said
    assert "names addresses that no asset holds" in ringfence(workspace, "check").output


def test_check_and_lint_are_content_with_a_good_workspace(workspace: Path) -> None:
    assert ringfence(workspace, "lint").exit_code == 0
    assert data(workspace, "check") == {"problems": [], "failed_tests": [], "broken_invariants": []}


def test_people_see_as_many_rows_as_they_asked_for_and_how_many_there_are_more(workspace: Path) -> None:
    asked = ("simulate", "--flows", str(workspace / "flows.csv"), "--by", "labels", "--limit")
    assert "1 more (--limit, --json)" in ringfence(workspace, *asked, "1").output
    assert "more (--limit" not in ringfence(workspace, *asked, "2").output
