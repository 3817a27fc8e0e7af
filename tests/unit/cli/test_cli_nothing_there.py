"""A question about what does not exist says so, with the nearest word; one syntax of selectors everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli_shop import FILES, data, ringfence, shop

ODD = "R&D | Ops, EU=1"
HOSTS = FILES["inventory/hosts.yml"] + (
    f"    odd-1: {{ansible_host: 10.0.1.7, vm: {{role: '{ODD}'}}, ringfence_labels: {{loc: Zürich}}}}\n"
    "    bare-1: {ansible_connection: ssh, vm: {role: bare}, ringfence_addresses: []}\n"
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop(tmp_path_factory.mktemp("nothing"), {"inventory/hosts.yml": HOSTS})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("reach", "--to", "dbb-1"), "no asset is named 'dbb-1' → did you mean 'db-1'?"),
        (("reach", "--to", "role=dbb"), "no asset has role 'dbb' → did you mean 'db'?"),
        (("reach", "--from", "role=web,enw=prod"), "no asset has a label 'enw' → did you mean 'env'?"),
        (("reach", "--from", "role=web|weeb"), "no asset has role 'weeb' → did you mean 'web'?"),
        (("reach", "--to", "{asset: db-9}"), "no asset is named 'db-9' → did you mean 'db-1'?"),
        (("reach", "--to", "{not: {role: dbb}}"), "no asset has role 'dbb'"),
        (("reach", "--to", "[{role: db}, {role: dbb}]"), "no asset has role 'dbb'"),
        (("reach", "--to", "db"), "no asset is named 'db' → did you mean role=db?"),
        (("reach", "--from", "role=web", "--to", "role=db,loc=Zürich"), "no asset matches 'role=db and loc=Zürich'"),
        (("assets", "role=dbb"), "no asset has role 'dbb' → did you mean 'db'?"),
        (("assets", "rolle=db"), "no asset has a label 'rolle' → did you mean 'role'?"),
        (("assets", "wbe-1"), "no asset has 'wbe-1' in its names, labels or attributes → did you mean 'web-1'?"),
        (("labels", "wbe-1"), "did you mean 'web-1'?"),
        (("labels", "{role: dbb}"), "did you mean 'db'?"),
        (("flows", "collect", "role=dbb"), "did you mean 'db'?"),
        (("explain", "wbe-1", "db-1", "ssh"), "'wbe-1' is neither an asset nor an address → did you mean 'web-1'?"),
        (("explain", "web-1", "role=db", "ssh"), "for more than one end ask: ringfence reach --to 'role=db'"),
        (("explain", "web-1", "10.0.1.0/24", "ssh"), "for more than one end ask: ringfence reach --to '10.0.1.0/24'"),
        (("explain", "web-1", "db-1", "htps"), "'htps' is not a valid service → did you mean 'https'?"),
        (("explain", "web-1", "db-1", "tcp/80,tpc/81"), "'tpc/81' is not a valid service → did you mean 'tcp/81'?"),
        (("render", "wbe-1"), "no asset is named 'wbe-1' → did you mean 'web-1'?"),
        (("plan", "--drop", "wbe-1"), "has no entry for wbe-1 → did you mean 'web-1'?"),
    ],
)
def test_what_does_not_exist_is_told_with_the_nearest_word(
    workspace: Path, arguments: tuple[str, ...], said: str
) -> None:
    told = ringfence(workspace, *arguments)

    assert told.exit_code == 2, told.output
    assert said in " ".join(told.output.split())


@pytest.mark.parametrize("command", [("assets", "role=dbb"), ("reach", "--to", "role=dbb")])
def test_no_data_are_printed_about_what_does_not_exist(workspace: Path, command: tuple[str, ...]) -> None:
    [error] = data(workspace, *command, status=2)["errors"]  # type: ignore[index]

    assert (error["message"], error["remedy"]) == ("no asset has role 'dbb'", "did you mean 'db'?")


@pytest.mark.parametrize("command", ["show", "apply", "verify", "confirm", "rollback"])
def test_a_host_that_a_plan_says_nothing_of_is_told_with_the_nearest(
    command: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    workspace = shop(tmp_path_factory.getbasetemp() / "planned")
    assert ringfence(workspace, "plan", "--no-flows").exit_code == 0
    option = "--host" if command == "show" else "--limit"

    told = ringfence(workspace, command, "latest", option, "wbe-1")

    assert told.exit_code == 2, told.output
    assert "has no entry for wbe-1 → did you mean 'web-1'?" in " ".join(told.output.split())


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("role=db,env=prod", ["db-1"]),
        ("role=db|api", ["api-1", "db-1"]),
        ("{role: db}", ["db-1"]),
        ("{not: {role: [web, db, bare]}}", ["api-1", "odd-1"]),
        ("[{role: db}, {asset: web-1}]", ["db-1", "web-1"]),
        ("{all: [{cidr: 10.0.1.0/30}, {role: web}]}", ["web-1", "web-2"]),
        (f"role={ODD}", ["odd-1"]),
        (f'role="{ODD}"', ["odd-1"]),
        (f"{{role: '{ODD}'}}", ["odd-1"]),
        ("loc=Zürich", ["odd-1"]),
        ("loc=Zu\u0308rich", ["odd-1"]),
        ("role=bare", ["bare-1"]),
    ],
)
def test_assets_labels_and_reach_take_the_same_selectors(workspace: Path, selector: str, names: list[str]) -> None:
    found, labelled = data(workspace, "assets", selector), data(workspace, "labels", selector)
    assert isinstance(found, list)
    assert isinstance(labelled, dict)
    assert [one["name"] for one in found] == names
    assert sorted(labelled["assets"]) == names
    assert ringfence(workspace, "reach", "--from", selector).exit_code == 0


def test_words_of_several_kinds_must_all_hold(workspace: Path) -> None:
    found = data(workspace, "assets", "role=web|db", "10.0.1.0/30", "web")
    assert isinstance(found, list)
    assert [one["name"] for one in found] == ["web-1", "web-2"]


def test_an_address_that_nobody_holds_is_a_question_with_an_empty_answer(workspace: Path) -> None:
    assert data(workspace, "assets", "10.77.0.0/16") == []
    assert data(workspace, "assets", "tcp/5432") == []


def test_an_address_mapped_into_ipv6_finds_who_holds_the_ipv4_address(workspace: Path) -> None:
    found = data(workspace, "assets", "::ffff:10.0.1.4")
    assert isinstance(found, list)
    assert [one["name"] for one in found] == ["db-1"]
    told = data(workspace, "explain", "web-1", "::ffff:10.0.1.4", "postgresql")
    assert isinstance(told, dict)
    assert (told["to"], told["sides"][1]["mode"]) == ("10.0.1.4", "full")
    rows = data(workspace, "reach", "--from", "role=api", "--to", "::ffff:10.0.1.4")
    assert isinstance(rows, dict)
    assert [row["to"] for row in rows["rows"]] == ["db-1"]
