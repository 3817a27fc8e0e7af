"""Planning from the command line: what is printed, what is written, what is refused, what repeats to the byte."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import check_signature, load_plan
from ringfence.plan import Held, find, known, read, write_state
from ringfence.plan.host_records import STATE_FILE
from ringfence.plan.journals import marks

from tests.unit.cli_shop import FILES, data, ringfence, shop


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return shop(tmp_path / "shop")


def confirm(workspace: Path, hosts: tuple[str, ...] = ("api-1", "db-1", "web-1", "web-2")) -> Path:
    """Write the journal that a rollout of the latest plan leaves behind."""
    directory = find(workspace / "plans", "latest")
    lines = [
        json.dumps(
            {"time": "2026-11-24T07:01:00.5Z", "plan": directory.name, "host": host, "event": event, "reason": ""}
        )
        for host in hosts
        for event in ("started", "confirmed")
    ]
    (directory / "journal.jsonl").write_text("\n".join(lines) + '\n{"cut short')
    return directory


def test_plan_and_show_name_the_canary_and_why(tmp_path: Path) -> None:
    workspace = shop(
        tmp_path,
        {
            "ringfence.yml": FILES["ringfence.yml"].replace("[1, 2]", "{sizes: [1, 2], canary: {role: [web, db]}}"),
            "inventory/hosts.yml": FILES["inventory/hosts.yml"]
            + "    web-0: {ansible_host: 10.0.1.9, vm: {role: web}}\n"
            + "  children: {inner: {hosts: {db-1: }, vars: {ansible_ssh_common_args: -J web-0}}}\n",
        },
    )
    printed = ringfence(workspace, "plan", "--no-flows", "--force-lockout-test").output
    assert "  canary: web-1: waves.canary chooses it\n" in printed
    assert "    web-1 is first: waves.canary chooses it\n" in ringfence(workspace, "show").output
    told = data(workspace, "show")
    assert told["canary"] == {"host": "web-1", "why": "waves.canary chooses it"}
    assert told["waves"][0] == ["web-1"]
    assert sorted(told["waves"][-1]) == ["db-1", "web-0"], "one stands in control.from, the other is a bastion"


def test_a_plan_names_the_rows_and_files_that_were_not_read(tmp_path: Path) -> None:
    workspace = shop(
        tmp_path,
        {
            "hosts.csv": "name,addresses\napp-1,10.0.1.7\napp-2,DHCP\n",
            "inventory/30-table.yml": "plugin: ringfence.core.onprem\ntable: ../hosts.csv\n",
            "inventory/40-more.cfg": "[app]\napp-3 ansible_host=10.0.1.8\n",
        },
    )
    printed = ringfence(workspace, "plan", "--no-flows").output
    assert "hosts.csv:3: warning: this row is left out: ringfence_addresses of host 'app-2' holds 'DHCP'" in printed
    assert "inventory/40-more.cfg: warning: is not read: Ansible passes over files" in printed
    assert "5 workloads" in printed


def test_a_plan_says_what_changes_and_what_that_does_to_flows(workspace: Path) -> None:
    printed = ringfence(workspace, "plan", "--flows", str(workspace / "flows.csv")).output.splitlines()

    plan = read(find(workspace / "plans", "latest"))
    assert printed[0].startswith("warning: no flow of 1 workload was seen: web-2")
    assert printed[1].startswith("  → collect flows there")
    assert printed[2] == "4 workloads, 3 distinct tables; 4 hosts change"
    assert printed[3].startswith(f"flows of {workspace}/flows.csv: 1 allowed, 1 denied that were allowed")
    assert printed[4].startswith(f"plan {plan.short}  (ringfence show {plan.digest[:4]} for the diff")


def test_the_same_inputs_and_time_give_the_same_plan(workspace: Path, tmp_path: Path) -> None:
    again = shop(tmp_path / "again")
    flows = ("--flows", str(workspace / "flows.csv"))

    first, second = data(workspace, "plan", *flows), data(again, "plan", *flows)

    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first["plan"] == second["plan"]


def test_a_plan_in_the_same_place_repeats_to_the_byte(workspace: Path) -> None:
    ringfence(workspace, "plan", "--no-flows")
    directory = find(workspace / "plans", "latest")
    text = (directory / "plan.json").read_bytes()
    shutil.rmtree(workspace / "plans")
    shutil.rmtree(workspace / ".ringfence")

    ringfence(workspace, "plan", "--no-flows")

    assert (directory / "plan.json").read_bytes() == text


def test_a_second_plan_expects_what_the_first_one_left(workspace: Path) -> None:
    ringfence(workspace, "plan", "--no-flows")
    confirm(workspace, ("db-1", "web-1"))

    told = data(workspace, "plan", "--no-flows")

    assert isinstance(told, dict)
    assert told["sequence"] == 2
    assert {name: bool(host["expects"]) for name, host in told["hosts"].items()} == {
        "api-1": False,
        "db-1": True,
        "web-1": True,
        "web-2": False,
    }
    assert "2 hosts change" in ringfence(workspace, "plan", "--no-flows").output


def test_a_change_of_the_policy_is_told_by_rule_and_label(workspace: Path) -> None:
    ringfence(workspace, "plan", "--no-flows")
    confirm(workspace)
    path = workspace / "policy/shop.yml"
    path.write_text(path.read_text().replace("allow: tcp/8443", "allow: [tcp/8443, tcp/9443]"))

    told = data(workspace, "plan", "--no-flows")
    shown = ringfence(workspace, "show").output

    assert isinstance(told, dict)
    assert told["diff"]["changes"] == {"opens": 1, "unwatches": 1}
    assert "+ from app=shop role=web env=prod (2)  tcp/9443: deny → allow by 'web to api'" in shown
    assert "~ to app=shop role=api env=prod (1)  tcp/9443: watch → allow by 'web to api'" in shown


def test_a_plan_shown_as_data_is_the_plan(workspace: Path) -> None:
    made = data(workspace, "plan", "--no-flows")
    shown = data(workspace, "show")

    assert isinstance(made, dict)
    assert isinstance(shown, dict)
    assert {key: made[key] for key in shown} == shown


def test_an_earlier_plan_is_brought_back_by_a_plan(workspace: Path) -> None:
    ringfence(workspace, "plan", "--no-flows")
    first = confirm(workspace)
    path = workspace / "policy/shop.yml"
    path.write_text(path.read_text().replace("tcp/8443", "tcp/9443"))
    (workspace / "policy/tests/shop.yml").unlink()
    ringfence(workspace, "plan", "--no-flows")

    told = data(workspace, "plan", "--no-flows", "--restore", first.name)

    assert isinstance(told, dict)
    assert told["restores"] == read(first).digest
    assert told["sequence"] == 3
    assert all(host["ruleset"] == host["expects"] for host in told["hosts"].values())
    assert f"brings back plan {first.name}" in ringfence(workspace, "show").output


def test_a_host_that_vanished_from_the_inventory_is_not_dropped_unasked(workspace: Path) -> None:
    ringfence(workspace, "plan", "--no-flows")
    confirm(workspace)
    path = workspace / "inventory/hosts.yml"
    path.write_text(path.read_text().replace("    web-2: {ansible_host: 10.0.1.2, vm: {role: web}}\n", ""))

    refused = ringfence(workspace, "plan", "--no-flows")
    dropped = ringfence(workspace, "plan", "--no-flows", "--drop", "web-2")

    assert refused.exit_code == 2
    assert "web-2" in refused.output
    assert "--drop" in refused.output
    assert dropped.exit_code == 0
    assert "left out: web-2" in dropped.output


def test_a_control_path_that_ansible_does_not_come_from_is_refused_where_most_hosts_say_so(workspace: Path) -> None:
    elsewhere = Held(seen="2026-11-24T06:00:00Z", reached_from="192.0.2.7")
    write_state(workspace, dict.fromkeys(("web-1", "web-2", "db-1"), elsewhere))

    refused = ringfence(workspace, "plan", "--no-flows")
    forced = ringfence(workspace, "plan", "--no-flows", "--force-lockout-test")

    assert refused.exit_code == 2
    assert (
        "db-1, web-1, web-2: Ansible came from 192.0.2.7 as the host reports it, which lies outside" in refused.output
    )
    assert forced.exit_code == 0


def test_one_host_that_reports_another_controller_is_named_and_the_plan_is_made(workspace: Path) -> None:
    write_state(workspace, {"web-1": Held(seen="2026-11-24T06:00:00Z", reached_from="192.0.2.7")})

    made = ringfence(workspace, "plan", "--no-flows")

    assert made.exit_code == 0
    assert "warning: web-1: Ansible came from 192.0.2.7 as the host reports it" in made.output
    assert "add the network" not in made.output
    assert len(read(find(workspace / "plans", "latest")).hosts) == 4


def test_a_number_that_one_host_reports_is_not_the_next_plans(workspace: Path) -> None:
    seen = "2026-11-24T06:00:00Z"
    hosts = {"web-1": Held(ruleset="a" * 64, sequence=2**53 - 1, seen=seen)}
    hosts |= {name: Held(ruleset="a" * 64, sequence=7, seen=seen) for name in ("web-2", "db-1")}
    write_state(workspace, hosts)

    made = ringfence(workspace, "plan", "--no-flows")

    assert made.exit_code == 0
    assert read(find(workspace / "plans", "latest")).sequence == 8
    assert f"web-1 reports plan number {2**53 - 1}, far above every plan here" in made.output


def test_after_a_lost_plans_directory_the_next_plan_follows_from_what_most_hosts_hold(workspace: Path) -> None:
    held = Held(ruleset="a" * 64, table="b" * 64, plan="c" * 64, sequence=5000, seen="2026-11-24T06:00:00Z")
    write_state(workspace, dict.fromkeys(("api-1", "db-1", "web-1", "web-2"), held))

    made = ringfence(workspace, "plan", "--no-flows")

    assert made.exit_code == 0
    plan = read(find(workspace / "plans", "latest"))
    assert (plan.sequence, {host.expects for host in plan.hosts.values()}) == (5001, {"a" * 64})
    assert "api-1, db-1, web-1, web-2: no plan in" in made.output


def test_a_confirmation_counts_by_its_place_and_not_by_its_time(workspace: Path) -> None:
    ringfence(workspace, "plan", "--no-flows")
    directory = confirm(workspace)
    journal = directory / "journal.jsonl"
    journal.write_text(journal.read_text().replace("2026-11-24T07:01:00.5Z", "9999-01-01T00:00:00Z"))
    plans = workspace / "plans"
    assert known(workspace, plans)["web-1"].ruleset

    removed = Held(seen="2026-11-24T06:00:00Z")
    write_state(workspace, {"web-1": removed}, marks(plans))
    assert known(workspace, plans)["web-1"] == removed
    with journal.open("a") as file:
        file.write(
            "\n" + json.dumps({"time": "1971-01-01", "plan": directory.name, "host": "web-1", "event": "confirmed"})
        )
    assert known(workspace, plans)["web-1"].ruleset


def test_a_journal_that_is_brought_here_later_does_not_beat_what_a_host_told(workspace: Path) -> None:
    ringfence(workspace, "plan", "--no-flows")
    confirm(workspace)
    plans = workspace / "plans"
    told = Held(ruleset="a" * 64, sequence=7, seen="2026-11-24T06:00:00Z")
    write_state(workspace, {"web-1": told, "web-2": told.model_copy(update={"sequence": 0})}, {})

    assert known(workspace, plans)["web-1"] == told
    assert known(workspace, plans)["web-2"].ruleset != told.ruleset


def test_lines_of_a_journal_that_are_no_events_are_no_traceback(workspace: Path) -> None:
    ringfence(workspace, "plan", "--no-flows")
    directory = confirm(workspace)
    with (directory / "journal.jsonl").open("a") as file:
        for line in ("[]", "7", "null", '"x"', "[" * 100_000, '{"plan": "' + directory.name + '", "host": 7}', "\x00"):
            file.write(f"{line}\n")

    assert ringfence(workspace, "plan", "--no-flows").exit_code == 0


@pytest.mark.parametrize("kind", ["plan.json", "journal.jsonl"])
def test_a_pipe_among_the_plans_is_named_and_not_waited_for(workspace: Path, kind: str) -> None:
    ringfence(workspace, "plan", "--no-flows")
    directory = confirm(workspace)
    (directory / kind).unlink()
    os.mkfifo(directory / kind)

    result = ringfence(workspace, "plan", "--no-flows")

    assert result.exit_code == 2
    assert f"{directory / kind}: error: this is not a regular file" in result.output


def test_a_broken_record_of_what_hosts_hold_is_an_error_with_its_place(workspace: Path) -> None:
    path = workspace / STATE_FILE
    path.parent.mkdir()
    path.write_text("[]")

    result = ringfence(workspace, "plan", "--no-flows")

    assert result.exit_code == 2
    assert str(STATE_FILE) in result.output


def test_a_changed_plan_is_neither_shown_nor_applied(workspace: Path) -> None:
    ringfence(workspace, "plan", "--no-flows")
    path = find(workspace / "plans", "latest")
    ruleset = next((path / "rulesets").iterdir())
    ruleset.write_text("flush ruleset\n")

    for command in (("show",), ("apply", path.name), ("verify", path.name), ("plan", "--restore", path.name)):
        result = ringfence(workspace, *command)
        assert result.exit_code == 2
        assert "this file of the plan was changed after the plan was made" in result.output


def test_an_expired_plan_is_not_applied(workspace: Path) -> None:
    ringfence(workspace, "plan", "--no-flows")

    result = ringfence(workspace, "apply", "latest", env={"SOURCE_DATE_EPOCH": "1798000000"})

    assert result.exit_code == 2
    assert "was valid until 2026-12-01T07:00:00Z" in result.output


def test_a_plan_is_signed_on_request(workspace: Path, tmp_path: Path) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    signers = tmp_path / "signers"
    signers.write_text(f"ann {key.with_suffix('.pub').read_text()}")

    result = ringfence(workspace, "plan", "--no-flows", "--sign", str(key))

    assert result.exit_code == 0, result.output
    plan = load_plan(str(find(workspace / "plans", "latest")))
    assert check_signature(plan, str(signers)) == "ann"
    assert "  signed" in ringfence(workspace, "show").output
