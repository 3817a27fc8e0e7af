"""`ringfence draft` as a person uses it: draft a rule, see what it does, write it, take it back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.unit.cli_shop import FILES, data, ringfence, shop

SHOP = "policy/shop.yml"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "shop"))


def said(workspace: Path, *words: str, status: int = 0) -> str:
    found = ringfence(workspace, "draft", *words)
    assert found.exit_code == status, found.output
    return found.output


def test_a_rule_is_drafted_looked_at_written_and_taken_back(workspace: Path) -> None:
    shown = said(workspace, "add", "role=web", "role=db", "postgresql", "--allow")
    assert "policy/shared.yml: add 'web to db'" in shown
    assert "+    from: {role: web}" in shown
    seen = said(workspace, "effect", "--flows", str(workspace / "flows.csv"))
    assert "newly allowed  1 flow, 4 connections" in seen
    assert "'web to db' decides 1 of 1 flows" in seen
    assert "met until now: invariant 'the database is reached by the api only'" in seen
    assert "tests 1/1  invariants 0/1" in seen
    assert "written: policy/shared.yml" in said(workspace, "write")
    assert said(workspace, "show") == "the draft is empty\n"
    said(workspace, "undo")
    said(workspace, "write")
    assert not (workspace / "policy/shared.yml").exists()


def test_within_an_application_the_rule_goes_into_its_ruleset_after_the_others(workspace: Path) -> None:
    said(workspace, "add", "app=shop,role=web", "app=shop,role=db", "tcp/1,tcp/2", "--allow", "--unit", "cron.service")
    said(workspace, "write")
    new = (
        "  - name: web to db\n    from: {role: web, process: {unit: cron.service}}\n    to: {role: db}\n"
        "    allow: [tcp/1, tcp/2]\n"
    )
    assert (workspace / SHOP).read_text() == FILES[SHOP].replace("---\n", f"{new}---\n")


def test_a_removed_rule_is_what_flows_miss(workspace: Path) -> None:
    said(workspace, "remove", "web to api")
    found = data(workspace, "draft", "effect", "--strict", "--flows", str(workspace / "flows.csv"), status=1)
    assert isinstance(found, dict)
    assert found["newly_denied"] == {"flows": 1, "connections": 10}
    assert found["worst"][0]["server_asset"] == "api-1"
    assert "denied: web-1 to api-1 tcp/8443, 10 connections" in said(
        workspace, "effect", "--flows", str(workspace / "flows.csv")
    )
    assert found["checks"]["newly_not_met"] == ["test 'the shop works': web-1 to api-1 is denied on tcp/8443"]


def test_what_changed_underneath_is_told_with_its_place(workspace: Path) -> None:
    said(workspace, "remove", "web to api")
    (workspace / SHOP).write_text(FILES[SHOP].replace("tcp/8443", "tcp/1"))
    assert "policy/shop.yml:3:5: remove 'web to api': the rule 'web to api' says something else now" in said(
        workspace, status=2
    )
    assert "ringfence draft drop" in ringfence(workspace, "draft", "write").output
    assert said(workspace, "drop") == "the draft is empty\n"


def test_a_text_is_drafted_and_its_errors_have_their_places(workspace: Path) -> None:
    new = workspace / "new.yml"
    new.write_text(FILES[SHOP].replace("allow: tcp/8443", "alow: tcp/8443"))
    said(workspace, "edit", SHOP, "--from", str(new))
    found = ringfence(workspace, "draft", "write")
    assert found.exit_code == 2
    assert "policy/shop.yml:6:5: error: 'alow' is not a key of a rule" in found.output
    assert (workspace / SHOP).read_text() == FILES[SHOP]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("add", "role=web", "role=db", "tcp/1"), "say --deny or --allow"),
        (("add", "role=wob", "role=db", "tcp/1", "--deny"), "did you mean 'web'?"),
        (("add", "any", "any", "nothing", "--deny"), "nothing"),
        (("add", "any", "any", "any", "--deny", "--file", "../x.yml"), "'../x.yml' is no policy file"),
        (("remove", "web to apj"), "did you mean 'web to api'?"),
        (("write",), "the draft changes nothing"),
        (("redo",), "nothing was undone"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(workspace: Path, words: tuple[str, ...], message: str) -> None:
    assert message in said(workspace, *words, status=2)
    assert not (workspace / ".ringfence/draft.json").exists()
