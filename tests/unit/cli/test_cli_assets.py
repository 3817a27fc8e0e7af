"""`ringfence assets`: finding, the story of labels, snapshots compared, silent sources accepted."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli_shop import ringfence
from tests.unit.cli_shop import shop as written_shop

SEVERAL = """\
all:
  hosts:
    vm-web-1:
      ringfence_sources: [vcenter]
      ringfence_vsphere: {uuid: 420a1b2c-3d4e-5f60-8192-a3b4c5d6e7f8, owner: ann}
      ringfence_addresses: [10.0.1.1]
      tags: {owner: ann}
      vm: {role: web}
    web-1.shop.example:
      ringfence_sources: [cmdb.csv]
      onprem: {uuid: 420A1B2C-3D4E-5F60-8192-A3B4C5D6E7F8}
      ringfence_addresses: [10.0.1.1]
      ringfence_labels: {env: prod}
      tags: {owner: bob}
"""


@pytest.fixture
def shop(tmp_path):
    policy = "enforce:\n  - {where: any, mode: observe}\n"
    changed = {"inventory/hosts.yml": SEVERAL, "policy/shop.yml": policy, "policy/tests/shop.yml": "tests: []\n"}
    return written_shop(tmp_path, changed)


def told(shop, *words):
    done = ringfence(shop, "assets", *words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_an_asset_of_two_sources_is_found_by_either_name_and_tells_where_its_labels_came_from(shop):
    for name in ("vm-web-1", "web-1.shop.example"):
        (found,) = told(shop, name, "--explain")
        assert found["name"] == "web-1.shop.example"
        assert found["labels"]["role"] == {
            "value": "web",
            "rule": "labels.yml:2",
            "expression": "vm.role",
            "when": None,
            "evidence": [{"attribute": "vm.role", "value": "web", "source": "vcenter"}],
        }
        assert found["labels"]["env"]["evidence"][0]["source"] == "cmdb.csv"
        assert found["identity"]["hosts"] == {"vm-web-1": ["vcenter"], "web-1.shop.example": ["cmdb.csv"]}
    lines = ringfence(shop, "assets", "10.0.1.1", "--explain").output
    assert "same by    uuid" in lines
    assert "role=web  labels.yml:2: vm.role" in lines
    assert "vm.role = web  from vcenter" in lines
    assert "1 of 1 assets" in lines
    assert told(shop, "contradictions") == [
        {
            "asset": "web-1.shop.example",
            "attribute": "tags.owner",
            "said": [{"source": "cmdb.csv", "value": "bob"}, {"source": "vcenter", "value": "ann"}],
        }
    ]
    assert "contradictions" in ringfence(shop, "assets").output


def test_snapshots_are_kept_listed_and_compared(shop):
    assert ringfence(shop, "assets", "diff").exit_code == 2
    assert ringfence(shop, "assets", "keep").exit_code == 0
    (kept,) = told(shop, "snapshots")
    assert (kept["assets"], kept["stale"]) == (1, 0)
    assert ringfence(shop, "assets", "keep", "--output", str(shop / "then.json")).exit_code == 0
    more = SEVERAL + "    db-1: {ansible_host: 10.0.1.9, vm: {role: db}}\n"
    (shop / "inventory/hosts.yml").write_text(more.replace("env: prod", "env: dev"))
    for before in ("last", "0m", str(shop / "then.json")):
        found = told(shop, "diff", before)
        assert (found["added"], found["removed"]) == (["db-1"], [])
        assert found["changed"] == [
            {"asset": "web-1.shop.example", "field": "label env", "before": "prod", "after": "dev"}
        ]
    assert "~ web-1.shop.example  label env: prod → dev" in ringfence(shop, "assets", "diff").output
    assert ringfence(shop, "assets", "diff", "2001-01-01").exit_code == 2


def test_what_a_silent_source_named_stands_until_that_is_accepted(shop):
    (shop / "hosts.csv").write_text("name,addresses\nold-1,10.0.1.30\n")
    (shop / "inventory/30-table.yml").write_text("plugin: ringfence.core.onprem\ntable: ../hosts.csv\n")
    assert ringfence(shop, "assets", "keep").exit_code == 0
    (shop / "hosts.csv").write_text("name,addresses\n")
    (old,) = told(shop, "old-1")
    assert old["stale"]["source"] == "inventory/30-table.yml"
    listed = ringfence(shop, "assets").output
    assert "nftables (stale)" in listed
    assert "inventory/30-table.yml gave nothing" in listed
    planned = ringfence(shop, "plan", "--no-flows", "--json")
    assert planned.exit_code == 0, planned.output
    assert "old-1" in json.loads(planned.stdout)["hosts"]
    assert "inventory/30-table.yml gave nothing" in planned.stderr
    assert told(shop, "accept") == {"assets": 1, "gone": ["old-1"]}
    gone = ringfence(shop, "assets", "old-1", "--json")
    assert (gone.exit_code, "no asset has 'old-1' in its names" in gone.output) == (2, True)


def test_words_that_are_no_command_find_assets_wherever_options_stand(shop):
    for arguments in (("assets", "role=web"), ("assets", "--json", "role=web"), ("assets", "list", "role=web")):
        done = ringfence(shop, *arguments)
        assert done.exit_code == 0
        assert "web-1.shop.example" in done.output
    assert "WORDs narrow them" in ringfence(shop, "assets", "list", "--help").output
