"""`ringfence impact`: another label before it is given, from words, a file of label rules, or a commit."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli_shop import FILES, data, ringfence, shop

OTHER = "labels:\n  - {role: api, when: \"vm.role == 'web'\"}\n  - {role: vm.role, priority: 200}\n"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop at whose commit web servers were labelled as api."""
    directory = shop(tmp_path_factory.mktemp("shop"), {"labels.yml": OTHER})
    for command in ("init --quiet", "add ringfence.yml labels.yml policy", "commit --quiet -m before"):
        git = ["git", "-C", str(directory), "-c", "user.name=a", "-c", "user.email=a@b", *command.split(" ")]
        subprocess.run(git, check=True)
    return shop(directory)


def asked(directory: Path, *words: str) -> list[str]:
    return ["impact", *words, "--flows", str(directory / "flows.csv")]


def test_rules_modes_tables_and_flows_are_told_before_the_label_is_given(workspace: Path) -> None:
    found: Any = data(workspace, *asked(workspace, "web-1", "--label", "role=api", "--strict"), status=1)
    assert [(one["asset"], one["label"], one["before"], one["after"]) for one in found["labels"]] == [
        ("web-1", "role", "web", "api")
    ]
    assert {(one["name"], one["side"], bool(one["begins"])) for one in found["rules"]} == {
        ("web to api", "from", False),
        ("web to api", "to", True),
        ("api to database", "from", True),
    }
    assert {(one["asset"], one["before"], one["after"]) for one in found["modes"]} == {("web-1", "observe", "full")}
    assert {name for group in found["tables"]["groups"] for name in group["workloads"]} == {
        "api-1",
        "db-1",
        "web-1",
        "web-2",
    }
    assert [(one["server_asset"], one["category"]) for one in found["flows"]] == [("api-1", "newly_denied")]
    assert found["failing"] == []
    words = ringfence(workspace, *asked(workspace, "web-1", "--label", "role=api")).output
    assert "web-1: role web → api, which labels.yml:2 gives" in words
    assert (
        "'web to api' (policy/shop.yml:3:5, allow) stops to hold from web-1, with 2 assets on its other side" in words
    )


def test_a_file_of_label_rules_and_a_commit_are_compared_for_all_assets(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "other.yml").write_text(OTHER)
    there: Any = data(workspace, *asked(workspace, "--labels-file", str(tmp_path / "other.yml")))
    assert {(one["asset"], one["before"], one["after"]) for one in there["labels"]} == {
        ("web-1", "web", "api"),
        ("web-2", "web", "api"),
    }
    back: Any = data(workspace, *asked(workspace, "--against", "HEAD"))
    assert {(one["asset"], one["before"], one["after"]) for one in back["labels"]} == {
        ("web-1", "api", "web"),
        ("web-2", "api", "web"),
    }
    assert back["against"]["uncommitted"] == ["labels.yml"]
    assert [(one["server_asset"], one["category"]) for one in back["flows"]] == [("api-1", "newly_allowed")]


def test_tests_and_invariants_that_would_fail_then_are_told(workspace: Path) -> None:
    found: Any = data(workspace, *asked(workspace, "api-1", "--label", "role=web", "--strict"), status=1)
    assert [(one["name"], one["place"]) for one in found["failing"]] == [
        ("the shop works", "policy/tests/shop.yml:2:5")
    ]
    assert found["categories"]["newly_denied"]["flows"] == 0


def test_a_label_is_taken_away_and_a_new_value_is_said_to_be_new(workspace: Path) -> None:
    words = ringfence(workspace, *asked(workspace, "role=web", "--label", "role=", "--label", "zone=dmz")).output
    assert "web-1, web-2: role web → none" in words
    assert "no asset has zone=dmz yet" in words


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((), "say which labels would be others, in one way"),
        (("web-1",), "no labels are named"),
        (("--label", "role=api"), "no assets are named"),
        (("web-1", "--label", "role=web"), "no label would be another one"),
        (("web-1", "--label", "role"), "--label role: is not a valid label"),
        (("web-1", "--label", "all=x"), "'all' is a word of the grammar"),
        (("web-1", "--label", "a=x", "--label", "a=y"), "the label 'a' stands twice"),
        (("web-1", "--label", "a=x", "--against", "HEAD"), "in one way"),
        (("--labels-file", "nowhere.yml"), "there is no such file"),
        (("--against", "nope"), "no revision 'nope'"),
    ],
)
def test_wrong_words_are_told_with_the_way_out(workspace: Path, words: tuple[str, ...], error: str) -> None:
    told = ringfence(workspace, *asked(workspace, *words))
    assert told.exit_code == 2
    assert error in told.stderr


def test_nothing_of_the_workspace_is_changed(workspace: Path) -> None:
    assert (workspace / "labels.yml").read_text() == FILES["labels.yml"]


def test_a_rule_to_the_internet_or_a_network_is_not_said_to_have_nobody_on_its_other_side(tmp_path: Path) -> None:
    rules = """\
rules:
  - {name: updates, from: {role: web}, to: internet, allow: https}
  - {name: offices, from: {cidr: 192.0.2.0/24}, to: {role: web}, allow: https}
  - {name: jobs, from: {role: web}, to: {role: batch}, allow: https}
"""
    directory = shop(tmp_path, {"policy/more.yml": rules})
    words = ringfence(directory, *asked(directory, "web-1", "--label", "role=cache")).output
    assert (
        "'updates' (policy/more.yml:2:5, allow) stops to hold from web-1, with the internet on its other side" in words
    )
    assert "stops to hold to web-1, with 192.0.2.0/24 on its other side" in words
    assert "stops to hold from web-1, with no asset yet on its other side" in words
