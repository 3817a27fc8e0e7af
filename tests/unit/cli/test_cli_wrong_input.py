"""Wrong input on the command line: a placed, helpful error, the right exit status, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.answer_values import shown
from click.testing import CliRunner
from ringfence.cli import main
from ringfence.model.safe_text import clean

from tests.unit.cli_shop import data, ringfence, shop, write


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return shop(tmp_path)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("policy/shop.yml", "rules:\n  - nam: x\n", "policy/shop.yml:2:5"),
        ("policy/shop.yml", "rules: [\n", "policy/shop.yml:"),
        ("policy/shop.yml", "\x00\x01", "policy/shop.yml:1:1"),
        (
            "policy/shop.yml",
            "rules:\n  - {name: a, from: {role: web}, to: {role: api}, allow: tcp/99999}\n",
            "tcp/99999",
        ),
        ("ringfence.yml", "control: {from: [10.0.0.1/8]}\n", "10.0.0.0/8"),
        ("labels.yml", "labels:\n  - role: vm.\n", "labels.yml:2"),
        ("inventory/hosts.yml", "all: [\n", "inventory"),
    ],
)
def test_a_broken_file_is_an_error_with_its_place(workspace: Path, file: str, text: str, said: str) -> None:
    write(workspace, file, text)

    for command in (("check",), ("plan",), ("reach",), ("render", "db-1")):
        result = ringfence(workspace, *command)
        assert result.exit_code == 2, result.output
        assert said in result.output
        assert "Traceback" not in result.output


def test_what_failed_outside_is_data_for_check_with_json(workspace: Path) -> None:
    write(workspace, "inventory/50-cmdb.sh", "#!/bin/sh\necho no such server >&2\nexit 1\n")
    (workspace / "inventory/50-cmdb.sh").chmod(0o755)

    told = data(workspace, "check", status=3)

    assert isinstance(told, dict)
    (problem,) = told["problems"]
    assert problem["severity"] == "error"
    assert "50-cmdb.sh" in problem["message"] + (problem["file"] or "")


def test_a_broken_file_is_data_for_check_with_json(workspace: Path) -> None:
    write(workspace, "policy/shop.yml", "rules:\n  - nam: x\n")

    told = data(workspace, "check", status=2)

    assert isinstance(told, dict)
    assert {problem["line"] for problem in told["problems"]} == {2}


def test_a_label_that_no_asset_has_is_named_with_the_nearest(workspace: Path) -> None:
    path = workspace / "policy/shop.yml"
    path.write_text(path.read_text().replace("from: {role: web}", "from: {role: weeb}"))

    assert "policy/shop.yml:4:18: warning: no asset has role 'weeb'" in ringfence(workspace, "check").output


def test_a_canary_that_no_host_can_be_is_named_with_its_line(workspace: Path) -> None:
    write(workspace, "ringfence.yml", "control: {from: [10.0.0.0/24]}\nwaves: {canary: {env: prd}}\n")

    printed = ringfence(workspace, "check").output
    assert "ringfence.yml:2:23: warning: no asset has env 'prd'" in printed
    assert "did you mean 'prod'?" in printed


def test_a_failing_test_and_a_broken_invariant_are_answers_of_no(workspace: Path) -> None:
    write(
        workspace,
        "policy/tests/more.yml",
        "tests:\n  - {name: t, from: {role: web}, to: {role: db}, service: tcp/5432, expect: allow}\n"
        "invariants:\n  - {name: i, from: {role: api}, to: {role: db}, expect: deny}\n",
    )

    result = ringfence(workspace, "check")

    assert result.exit_code == 1
    assert "policy/tests/more.yml:2:5: test 't'" in result.output
    assert "invariant 'i' does not hold: api-1 (10.0.1.3) → db-1 (10.0.1.4) on tcp/5432 is allowed" in result.output
    assert "api to database (policy/shop.yml:7:5)" in result.output
    assert ringfence(workspace, "plan", "--no-flows").exit_code == 2


def test_lint_findings_are_an_answer_of_no(workspace: Path) -> None:
    write(workspace, "policy/broad.yml", "rules:\n  - {name: b, from: any, to: {role: web}, allow: tcp}\n")

    result = ringfence(workspace, "lint")

    assert result.exit_code == 1
    assert "policy/broad.yml:2:5: warning: rule 'b' is broad" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("explain", "web-1", "db-9", "tcp/1"), "'db-9' is neither an asset nor an address"),
        (("explain", "web-1", "db-1", "tpc/1"), "'tpc/1' is not a valid service"),
        (("explain", "web-1", "db-1", "[tcp/80]"), "did you mean 'tcp/80'?"),
        (("plan", "--drop", "web-9"), "--drop: what is known of inventory and plans has no entry for web-9"),
        (("reach", "--from", "{role: web"), "not valid YAML"),
        (("reach", "--from", "{rol e: 1}"), "error:"),
        (("reach", "--from", "10.0.0.1/8"), "host bits"),
        (("render", "db-2"), "did you mean 'db-1'?"),
        (("render", "db-1", "--enforcer", "pf"), "no enforcer is called 'pf'"),
        (("show", "zzz"), "no plan begins with 'zzz'"),
        (("show",), "there is no plan"),
        (("apply", "zzz"), "no plan begins with 'zzz'"),
        (("verify",), "no host has confirmed a plan yet"),
        (("simulate", "--since", "yesterday"), "'yesterday' is not a valid time"),
        (("simulate", "--flows", "nowhere.csv"), "nowhere.csv"),
        (("flows", "read", "nowhere.csv"), "nowhere.csv"),
        (("flows", "read", "ringfence.yml", "--format", "cvs"), "did you mean 'csv'?"),
        (("plan", "--restore", "zzz"), "no plan begins with 'zzz'"),
        (("schema", "polic"), "no schema is called 'polic'"),
        (("explain", "web-1"), "Missing argument"),
        (("expain",), "did you mean 'explain'?"),
    ],
)
def test_a_wrong_word_is_answered_with_the_way_out(workspace: Path, arguments: tuple[str, ...], said: str) -> None:
    result = ringfence(workspace, *arguments)

    assert result.exit_code == 2
    assert said in result.output


def test_outside_of_a_workspace_the_way_in_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(main, ["check"])

    assert result.exit_code == 2
    assert "ringfence init" in result.output


def test_a_workspace_is_found_from_below(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace / "policy" / "tests")

    assert CliRunner().invoke(main, ["check"]).exit_code == 0


def test_foreign_text_reaches_no_terminal_as_a_command(workspace: Path) -> None:
    hosts = 'all:\n  hosts:\n    "e\\u001b[31mvil": {ansible_host: 10.0.1.7, ringfence_labels: {role: "a\\u202eb"}}\n'
    write(workspace, "inventory/more.yml", hosts)

    printed = ringfence(workspace, "assets").output + ringfence(workspace, "labels").output

    assert "\x1b" not in printed
    assert "\u202e" not in printed


def test_control_characters_become_visible() -> None:
    assert clean("a\x1b]0;x\x07b\u202ec\nd\te") == "a\\x1b]0;x\\x07b\\u202ec\nd\te"


@pytest.mark.parametrize(
    "hidden", ["\u00ad", "\u061c", "\u180e", "\u2028", "\u2029", "\u3164", "\U000e0041"], ids=ascii
)
def test_what_nobody_sees_or_turns_a_line_becomes_visible(hidden: str) -> None:
    assert clean(f"web{hidden}-1") == f"web{hidden.encode('unicode_escape').decode()}-1"
    assert shown(f"web{hidden}-1", 60) == "web?-1"
