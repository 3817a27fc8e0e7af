"""What a policy says of the estate and the estate does not hold is told with its place."""

from datetime import UTC, datetime
from pathlib import Path

from ringfence.language import check_references, read_policy
from ringfence.model.addresses import point_of
from ringfence.model.assets import Asset, Label, Snapshot
from ringfence.model.rules import Settings

from tests.unit.language.policy_text import written

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def asset(name: str, address: str, facts: dict[str, object] | None = None, **labels: str) -> Asset:
    return Asset(
        name,
        (point_of(address),),
        {key: Label(value, "inventory") for key, value in labels.items()},
        attributes=facts or {},
    )


ESTATE = (
    asset("web-1", "10.0.0.1", role="web", env="prod"),
    asset("web-2", "10.0.0.2", role="web", env="dev"),
    asset("db-1", "10.0.0.3", {"ansible_facts": {"services": {"postgresql.service": {}}}}, role="db", env="prod"),
)


def warnings(directory: Path, text: str, assets: tuple[Asset, ...] = ESTATE) -> list[str]:
    loaded = read_policy([written(directory, text)], Settings(), directory)
    return [str(problem) for problem in check_references(loaded.mentions, Snapshot(assets, NOW))]


def test_a_misspelt_value_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    text = "rules:\n  - from: {role: [web, weeb]}\n    to: any\n    allow: any\n"
    assert warnings(tmp_path, text) == ["policy/shop.yml:2:24: no asset has role 'weeb' (did you mean 'web'?)"]


def test_a_misspelt_key_and_asset_are_told_with_the_nearest_ones(tmp_path: Path) -> None:
    text = "rules:\n  - from: {rolle: web}\n    to: {asset: web1}\n    allow: any\n"
    assert warnings(tmp_path, text) == [
        "policy/shop.yml:2:19: no asset has a label 'rolle' (did you mean 'role'?)",
        "policy/shop.yml:3:17: no asset is named 'web1' (did you mean 'web-1'?)",
    ]


def test_labels_that_no_asset_has_together_are_told(tmp_path: Path) -> None:
    text = "scope: {env: dev}\nrules:\n  - from: {role: db}\n    to: {not: {role: web}}\n    allow: any\n"
    assert warnings(tmp_path, text) == [
        "policy/shop.yml:3:11: no asset matches 'env=dev and role=db' (is there an asset with all of these labels?)",
        "policy/shop.yml:4:9: no asset matches 'env=dev and not role=web' "
        "(is there an asset with all of these labels?)",
    ]


def test_a_definition_is_held_against_the_estate_where_it_stands(tmp_path: Path) -> None:
    text = "selectors: {front: {role: wbe}}\nrules:\n  - {from: {selector: front}, to: any, allow: any}\n"
    assert warnings(tmp_path, text) == ["policy/shop.yml:1:27: no asset has role 'wbe' (did you mean 'web'?)"]


def test_a_unit_is_looked_for_where_facts_tell_of_units(tmp_path: Path) -> None:
    text = """
        rules:
          - {from: any, to: {role: db, process: {unit: postgres.service}}, allow: tcp}
          - {from: any, to: {role: db, process: {unit: postgresql.service}}, allow: tcp}
          - {from: any, to: {role: web, process: {unit: anything.service}}, allow: tcp}
        """
    assert warnings(tmp_path, text) == [
        "policy/shop.yml:3:41: no asset chosen here has a unit 'postgres.service' (did you mean 'postgresql.service'?)"
    ]


def test_an_estate_that_holds_everything_gives_no_warnings(tmp_path: Path) -> None:
    text = """
        rules:
          - from: [{role: web}, internet, {cidr: 10.0.0.0/8}, {asset: db-1}, {env: {exists: true}}, {}]
            to: {any: [{role: db}, unknown]}
            allow: any
        enforce: [{where: any, mode: full}]
        """
    assert warnings(tmp_path, text) == []


def test_nothing_is_said_of_an_estate_that_is_not_known(tmp_path: Path) -> None:
    assert warnings(tmp_path, "rules:\n  - {from: {role: x}, to: any, allow: any}\n", ()) == []


def test_each_asset_of_a_list_that_the_scope_leaves_out_is_told_at_its_own_place(tmp_path: Path) -> None:
    text = "scope: {env: prod}\nrules:\n  - from: {asset: [web-1, web-2]}\n    to: any\n    allow: any\n"
    assert warnings(tmp_path, text) == [
        "policy/shop.yml:3:27: asset 'web-2' is not in the scope 'env=prod': nothing of it is chosen here "
        "(write 'scope: none' beside the selector, correct the labels, or delete it here)"
    ]


def test_a_missing_asset_of_a_list_does_not_hide_another_that_is_out_of_the_scope(tmp_path: Path) -> None:
    text = "scope: {env: prod}\nrules:\n  - from: {asset: [web-9, web-2]}\n    to: any\n    allow: any\n"
    found = warnings(tmp_path, text)
    assert len(found) == 2
    assert "no asset is named 'web-9'" in found[0]
    assert "asset 'web-2' is not in the scope" in found[1]


def test_values_of_a_list_and_members_of_any_that_the_scope_leaves_out_are_told(tmp_path: Path) -> None:
    text = (
        "scope: {env: dev}\nrules:\n  - from: {role: [web, db]}\n    to: {any: [{role: web}, {role: db}]}\n"
        "    allow: any\n"
    )
    found = warnings(tmp_path, text)
    assert [one.split(": ")[0] for one in found] == ["policy/shop.yml:3:24", "policy/shop.yml:4:29"]
    assert all("'role=db' is not in the scope 'env=dev'" in one for one in found)


def test_an_asset_of_a_definition_that_the_scope_leaves_out_is_told_where_the_definition_is_used(
    tmp_path: Path,
) -> None:
    text = (
        "selectors: {front: {asset: [web-1, web-2]}}\n---\nscope: {env: prod}\n"
        "rules:\n  - {from: {selector: front}, to: any, allow: any}\n"
    )
    found = warnings(tmp_path, text)
    assert len(found) == 1
    assert found[0].startswith("policy/shop.yml:5:")
    assert "asset 'web-2' is not in the scope" in found[0]


def test_an_asset_that_what_stands_beside_it_leaves_out_is_told_in_an_enforcement_entry(tmp_path: Path) -> None:
    text = "enforce:\n  - where: {all: [{asset: [web-1, web-2]}, {env: prod}]}\n    mode: full\n"
    found = warnings(tmp_path, text)
    assert len(found) == 1
    assert "asset 'web-2' chooses nothing here" in found[0]


def test_nothing_is_told_of_what_not_leaves_out_or_what_a_lifted_scope_keeps(tmp_path: Path) -> None:
    text = (
        "scope: {env: prod}\nrules:\n  - from: {not: {asset: [web-1, web-2]}}\n"
        "    to: {asset: [web-1, web-2], scope: none}\n    allow: any\n"
    )
    assert warnings(tmp_path, text) == []
