"""What hosts say of themselves, as people see it: what counts, waits or is another's, and which labels rest on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli_shop import ringfence, write
from tests.unit.cli_shop import shop as written_shop

CACHING = "[defaults]\nfact_caching = jsonfile\nfact_caching_connection = .ringfence/facts\n"
HOSTS = """\
all:
  hosts:
    db-1: {ansible_host: 10.0.1.4, ringfence_labels: {role: db, pci: "true"}}
    web-1: {ansible_host: 10.0.1.1, ringfence_labels: {role: web}}
"""
POLICY = "enforce:\n  - {where: any, mode: observe}\n"


@pytest.fixture
def shop(tmp_path):
    changed = {
        "inventory/hosts.yml": HOSTS,
        "ansible.cfg": CACHING,
        "labels.yml": "labels: []\n",
        "policy/shop.yml": POLICY,
        "policy/tests/shop.yml": "tests: []\n",
    }
    return written_shop(tmp_path, changed)


def says(shop: Path, host: str, *addresses: str, **facts: object) -> None:
    told = {"ansible_all_ipv4_addresses": list(addresses), **facts}
    write(shop, f".ringfence/facts/{host}", json.dumps(told))


def told(shop: Path, *words: str):
    done = ringfence(shop, *words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def addresses(shop: Path, name: str) -> list[str]:
    (found,) = told(shop, "assets", name)
    return found["addresses"]


def test_a_new_address_that_a_host_says_it_has_waits_for_a_person(shop):
    says(shop, "web-1", "10.0.1.1", "10.0.2.1")
    first = ringfence(shop, "check")
    assert "addresses that only the hosts themselves tell count (1 in all)" in first.output
    assert addresses(shop, "web-1") == ["10.0.1.1", "10.0.2.1"]
    kept = json.loads((shop / ".ringfence/claims.json").read_text())
    (entry,) = kept["accepted"]
    assert (entry["host"], entry["address"], entry["how"]) == ("web-1", "10.0.2.1", "first gathering")
    assert {"by", "at"} < set(entry)

    says(shop, "web-1", "10.0.1.1", "10.0.2.1", "10.0.9.9", "10.0.1.4")
    assert addresses(shop, "web-1") == ["10.0.1.1", "10.0.2.1"]
    checked = ringfence(shop, "check")
    assert "'web-1' says that it has 10.0.9.9" in checked.output
    assert "'web-1' says that it has 10.0.1.4 of 'db-1'" in checked.output
    planned = ringfence(shop, "plan", "--no-flows", "--json")
    assert "'web-1' says that it has 10.0.9.9" in planned.stderr
    assert planned.exit_code == 0
    assert told(shop, "assets", "claims") == [
        {"host": "web-1", "address": "10.0.1.4", "state": "another's", "holder": "db-1"},
        {"host": "web-1", "address": "10.0.2.1", "state": "counts", "holder": None},
        {"host": "web-1", "address": "10.0.9.9", "state": "waits", "holder": None},
    ]
    accepted = told(shop, "assets", "accept")
    assert accepted["addresses"] == [{"host": "web-1", "address": "10.0.9.9"}]
    assert addresses(shop, "web-1") == ["10.0.1.1", "10.0.2.1", "10.0.9.9"]
    assert addresses(shop, "db-1") == ["10.0.1.4"]
    assert "10.0.9.9" not in ringfence(shop, "check").output


def test_an_address_that_waits_is_unknown_to_the_policy(shop):
    says(shop, "web-1", "10.0.1.1")
    ringfence(shop, "check")
    says(shop, "web-1", "10.0.1.1", "10.0.9.9")
    explained = json.loads(ringfence(shop, "explain", "10.0.9.9", "db-1", "tcp/5432", "--json").stdout)
    assert "web-1" not in json.dumps(explained)


def test_a_trusted_network_needs_no_person(shop):
    write(shop, "ringfence.yml", 'control: {from: [10.0.0.0/24]}\ntrust: {addresses: ["10.0.9.0/24"]}\n')
    says(shop, "web-1", "10.0.1.1")
    ringfence(shop, "check")
    says(shop, "web-1", "10.0.1.1", "10.0.9.9", "10.0.8.8")
    assert addresses(shop, "web-1") == ["10.0.1.1", "10.0.9.9"]


def test_damaged_claims_are_wrong_input_with_the_way_out(shop):
    write(shop, ".ringfence/claims.json", '{"format": 1, "accepted": [{"host": "web-1"}]}')
    done = ringfence(shop, "check")
    assert done.exit_code == 2
    assert "claims.json" in done.output
    assert "delete it" in done.output


def test_claims_that_cannot_be_kept_are_a_warning(shop):
    says(shop, "web-1", "10.0.1.1", "10.0.2.1")
    (shop / ".ringfence/claims.json.d").mkdir()
    (shop / ".ringfence").chmod(0o500)
    try:
        done = ringfence(shop, "check")
    finally:
        (shop / ".ringfence").chmod(0o700)
    assert done.exit_code in (0, 1), done.output
    assert "cannot be kept" in done.output or (shop / ".ringfence/claims.json").exists(), "root writes everywhere"


def test_a_label_that_rests_on_a_hosts_word_is_marked_everywhere(shop):
    write(shop, "labels.yml", "labels:\n  - os: facts.distribution\n")
    says(shop, "web-1", ansible_distribution="Debian")
    assert told(shop, "labels", "web-1")["assets"]["web-1"]["os"] == {
        "value": "Debian",
        "rule": "labels.yml:2",
        "told": "web-1",
    }
    assert "on the word of host web-1" in ringfence(shop, "labels", "web-1").output
    (asset,) = told(shop, "assets", "web-1", "--explain")
    assert asset["labels"]["os"]["told"] == "web-1"
    assert asset["labels"]["os"]["evidence"] == [
        {"attribute": "facts.distribution", "value": "Debian", "source": "host web-1"}
    ]
    explained = ringfence(shop, "assets", "web-1", "--explain").output
    assert "on the word of host web-1, about itself" in explained
    checked = ringfence(shop, "check").output
    assert (
        "labels.yml:2:5: warning: the rule for 'os' rests on what hosts say of themselves: it labels 'web-1'" in checked
    )
    write(shop, "labels.yml", "labels:\n  - os: facts.distribution\n    trust: facts\n")
    assert "rests on what hosts say" not in ringfence(shop, "check").output
    assert told(shop, "labels", "web-1")["assets"]["web-1"]["os"]["told"] == "web-1"


def test_no_host_chooses_its_labels_control_path_or_identity(shop):
    says(
        shop,
        "web-1",
        "10.0.1.1",
        ringfence_labels={"role": "db", "pci": "true"},
        ringfence_control={"from": ["0.0.0.0/0"]},
        ringfence_addresses=999,
        ringfence_workload=False,
        ansible_product_uuid="420a1b2c-3d4e-5f60-8192-a3b4c5d6e7f8",
    )
    vm = "all: {hosts: {vm-db: {ringfence_sources: [vcenter], ringfence_addresses: [10.0.1.4], ringfence_vsphere: "
    vm += "{uuid: 420a1b2c-3d4e-5f60-8192-a3b4c5d6e7f8}}}}\n"
    write(shop, "inventory/20-vms.yml", vm)
    done = ringfence(shop, "check")
    assert done.exit_code == 0, done.output
    assert (
        "the facts of 'web-1' hold ringfence_addresses, ringfence_control, ringfence_labels and 1 more" in done.output
    )
    assert "'web-1' says that it has the uuid of" in done.output
    (web,) = told(shop, "assets", "web-1")
    assert {key: label["value"] for key, label in web["labels"].items()} == {"role": "web"}
    assert (web["addresses"], web["workload"]) == (["10.0.1.1"], True)


@pytest.mark.parametrize("trust", [None, ["10.0.0.0/16"]], ids=["the first gathering", "a trusted network"])
def test_a_host_that_says_it_has_a_bastions_address_stops_no_plan_until_a_person_believes_it(shop, trust):
    settings = {"control": {"from": ["10.0.0.9/32", "10.0.0.7"], "port": 22}}
    write(shop, "ringfence.yml", json.dumps({**settings, **({"trust": {"addresses": trust}} if trust else {})}))
    write(shop, "policy/shop.yml", POLICY.replace("observe", "full"))
    says(shop, "web-1", "10.0.1.1", "10.0.0.9", "10.0.0.7", "10.0.2.1")

    planned = ringfence(shop, "plan", "--no-flows")

    assert planned.exit_code == 0, planned.output
    assert "'web-1' says that it has 10.0.0.7; 'web-1' says that it has 10.0.0.9" in planned.output
    assert "add a rule that allows it from the bastion" not in planned.output
    assert addresses(shop, "web-1") == ["10.0.1.1", "10.0.2.1"]
    accepted = ringfence(shop, "assets", "accept")
    assert accepted.exit_code == 0, accepted.output
    assert addresses(shop, "web-1") == ["10.0.0.7", "10.0.0.9", "10.0.1.1", "10.0.2.1"]
