"""From real Ansible inventories to snapshots: variables, addresses, groups, failures."""

from __future__ import annotations

import json

import pytest
from ringfence.model.addresses import address_text, point_of
from ringfence.model.assets import Control, Label
from ringfence.model.errors import InputError, InputErrors
from ringfence.model.problems import Severity
from ringfence.model.rules import Settings
from ringfence.sources import survey
from ringfence.sources.ansible_inventory import InventoryHost
from ringfence.sources.inventory import read_assets
from ringfence.sources.label_doubts import address_doubts, label_doubts

from tests.unit.sources.asset_factory import NOW, rule, write

SETTINGS = Settings()
HOSTS = """
all:
  children:
    shop:
      children:
        web:
          hosts:
            web-1:
              ansible_host: 10.0.0.1
              tags: {Environment: production}
              tpl: !unsafe "{{ raw }}"
              ansible_become_pass: hunter2
              db: {name: shop, password: hunter2, DB_TOKEN: x}
              env: ["PATH=/bin", "API_TOKEN=abc"]
              dsn: postgres://shop:hunter2@db/shop
  hosts:
    db-1:
      ringfence_addresses: [10.0.0.2, "2001:db8::2"]
      ringfence_labels: {role: db, "pci": "true"}
      ringfence_workload: false
      ringfence_control: {from: [10.9.0.0/24], port: 2222}
      ansible_host: db-1.example.invalid
"""


def no_names(names):
    return dict.fromkeys(names, ())


def read(variables, settings=SETTINGS, facts=None):
    return read_assets([InventoryHost("h", variables, ("web",))], settings, facts or {}, no_names)[0]


def faults(variables):
    with pytest.raises(InputErrors) as caught:
        read(variables)
    return [str(error) for error in caught.value.errors]


def addresses(asset):
    return [address_text(point) for point in asset.addresses]


def test_a_real_inventory_becomes_a_labelled_snapshot(tmp_path):
    inventory = write(tmp_path / "hosts.yml", HOSTS)
    rules = [
        rule(2, "env", "tags.Environment", values={"production": "prod"}),
        rule(3, "role", "'web'", when="contains(groups, 'shop')"),
    ]
    snapshot = survey([inventory], rules, Settings(), now=NOW, directory=tmp_path).snapshot
    db, web = snapshot.assets
    assert snapshot.taken == NOW
    assert (db.name, addresses(db)) == ("db-1", ["10.0.0.2", "2001:db8::2"])
    assert db.label_values() == {"role": "db", "pci": "true"}
    assert db.control == Control(("10.9.0.0/24",), 2222)
    assert not db.workload
    assert web.label_values() == {"env": "prod", "role": "web"}
    assert web.attributes["groups"] == ["shop", "web"]
    assert web.attributes["tpl"] == "{{ raw }}"
    assert web.sources == ("hosts.yml",)


def test_no_secret_is_kept_in_attributes(tmp_path):
    inventory = write(tmp_path / "hosts.yml", HOSTS)
    snapshot = survey([inventory], [], Settings(), now=NOW, directory=tmp_path).snapshot
    kept = snapshot.named()["web-1"].attributes
    assert "hunter2" not in json.dumps(kept)
    assert kept["db"] == {"name": "shop"}
    assert kept["env"] == ["PATH=/bin"]


def test_rules_see_the_tags_and_region_of_a_source_by_their_short_names():
    fact = {"tags": {"Environment": "prod", "DbPassword": "x"}, "region": "eu-west-1"}
    attributes = read({"ringfence_aws": fact, "ringfence_labels": {"region": "north"}}).attributes
    assert (attributes["tags"], attributes["region"]) == ({"Environment": "prod"}, "eu-west-1")
    assert read({"ringfence_aws": fact, "tags": {"Environment": "own"}}).attributes["tags"] == {"Environment": "own"}
    assert "region" not in read({"ringfence_labels": {"region": "north"}}).attributes


def test_vaulted_variables_are_left_out_of_attributes():
    asset = read({"x": {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n61"}, "y": "$ANSIBLE_VAULT;1.1;AES256\n61"})
    assert set(asset.attributes) == {"name", "groups"}


def test_a_broken_file_is_a_placed_error_and_never_an_estate_without_its_hosts(tmp_path):
    write(tmp_path / "inventory/10-good.yml", "all: {hosts: {a: {ansible_host: 10.0.0.1}}}\n")
    write(tmp_path / "inventory/20-bad.yml", "all:\n  hosts: {b: [\n")
    with pytest.raises(InputError) as caught:
        survey([tmp_path / "inventory"], [], Settings(), now=NOW, directory=tmp_path)
    assert str(caught.value.place).startswith("inventory/20-bad.yml:3")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plugin: no.such.plugin\n", "ansible-galaxy collection install"),
        ("$ANSIBLE_VAULT;1.1;AES256\n6162\n", "ANSIBLE_VAULT_PASSWORD_FILE"),
    ],
)
def test_what_ansible_cannot_read_is_told_with_the_way_out(tmp_path, text, said):
    inventory = write(tmp_path / "inventory.yml", text)
    with pytest.raises(InputError) as caught:
        survey([inventory], [], Settings(), now=NOW, directory=tmp_path)
    assert said in str(caught.value)


def test_a_missing_inventory_is_wrong_input():
    with pytest.raises(InputError, match="there is no inventory 'nowhere'"):
        survey(["nowhere"], [], Settings(), now=NOW)


def test_equal_warnings_of_ansible_come_once_and_the_noise_about_tags_never(tmp_path):
    hosts = "".join(f"    h{n}: {{ansible_host: 10.0.0.{n}, tags: {{}}, gather_facts: x}}\n" for n in range(1, 4))
    inventory = write(tmp_path / "hosts.yml", f"all:\n  hosts:\n{hosts}")
    found = survey([inventory], [], Settings(), now=NOW, directory=tmp_path)
    assert [problem.severity for problem in found.problems] == [Severity.WARNING]
    assert "gather_facts" in found.problems[0].message


def test_cached_facts_give_addresses_and_attributes(tmp_path):
    facts = {
        "ansible_all_ipv4_addresses": ["10.0.0.7", "172.17.0.1"],
        "ansible_all_ipv6_addresses": ["2001:db8::7", "fe80::1"],
        "ansible_interfaces": ["eth0", "docker0"],
        "ansible_docker0": {"ipv4": {"address": "172.17.0.1"}},
        "ansible_distribution": "Debian",
        "ansible_uptime_seconds": 5,
        "listeners": [{"port": 5432}],
    }
    write(tmp_path / "facts/s1_db-1", json.dumps({"__payload__": json.dumps(facts)}))
    write(tmp_path / "facts/db-2", "{broken")
    write(tmp_path / "hosts.yml", "all: {hosts: {db-1: {ansible_host: 10.0.0.8}, db-2: {ansible_host: 10.0.0.9}}}\n")
    cache = tmp_path / "facts"
    found = survey([tmp_path / "hosts.yml"], [], Settings(), now=NOW, cache=cache, directory=tmp_path)
    db = found.snapshot.named()["db-1"]
    assert addresses(db) == ["10.0.0.7", "10.0.0.8", "2001:db8::7"]
    assert db.attributes["facts"] == {"interfaces": ["eth0", "docker0"], "distribution": "Debian"}
    assert db.attributes["listeners"] == [{"port": 5432}]
    assert ["cached facts of 'db-2'" in problem.message for problem in found.problems] == [True]


def test_a_name_is_resolved_once_and_one_that_does_not_resolve_is_told_with_the_remedy(tmp_path):
    asked = []

    def resolver(names):
        asked.extend(names)
        return {"a.example": (1,), "b": ()}

    inventory = write(tmp_path / "hosts", "a ansible_host=a.example\nb\nc ansible_host=10.0.0.3\n")
    found = survey([inventory], [], Settings(), now=NOW, directory=tmp_path, resolve=resolver)
    assert asked == ["a.example", "b"]
    assert [asset.addresses for asset in found.snapshot.assets] == [(1,), (), (167772163,)]
    (problem,) = found.problems
    assert problem.message == "asset 'b' is without an address: no policy can speak of it"
    assert "ringfence_addresses" in str(problem.remedy)


def test_loopback_and_link_local_tell_nobody_apart():
    assert addresses(read({"ansible_host": "127.0.0.1"})) == []
    assert addresses(read({"ansible_host": "fe80::1%eth0"})) == []
    assert addresses(read({"ansible_host": "10.0.0.1"}, facts={"h": {"all_ipv4_addresses": ["127.0.0.1"]}})) == [
        "10.0.0.1"
    ]


def test_an_ini_inventory_may_write_addresses_as_text():
    assert addresses(read({"ringfence_addresses": "10.0.0.2, 10.0.0.1 2001:DB8::1"})) == [
        "10.0.0.1",
        "10.0.0.2",
        "2001:db8::1",
    ]


def test_unsafe_strings_are_read_as_the_strings_they_are():
    unsafe = {
        "ringfence_addresses": [{"__ansible_unsafe": "10.0.0.1"}],
        "ringfence_labels": {"a": {"__ansible_unsafe": "b"}},
    }
    asset = read(unsafe)
    assert (addresses(asset), asset.label_values()) == (["10.0.0.1"], {"a": "b"})


def test_a_control_path_takes_what_it_leaves_out_from_the_workspace():
    settings = Settings(control=Control(("10.9.0.0/24",), 22))
    assert read({"ringfence_control": {"port": 2222}}, settings).control == Control(("10.9.0.0/24",), 2222)
    assert read({"ringfence_control": {"from": "10.8.0.1"}}, settings).control == Control(("10.8.0.1",), 22)
    assert read({}, settings).control is None


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ringfence_addresses": 7}, "ringfence_addresses of host 'h' is 7"),
        ({"ringfence_addresses": [167772161]}, "holds 167772161 (write every address as text"),
        ({"ringfence_addresses": ["10.0.0.1/24"]}, "write the address without its prefix: '10.0.0.1'"),
        ({"ringfence_addresses": {"a": 1}}, "write a list of addresses"),
        ({"ringfence_addresses": "{{ x }}"}, "is the template '{{ x }}', which an inventory does not evaluate"),
        ({"ringfence_labels": ["role"]}, "write a mapping"),
        ({"ringfence_workload": "maybe"}, "ringfence_workload of host 'h' is 'maybe' (write true or false)"),
        ({"ringfence_enforcer": ["nftables"]}, "ringfence_enforcer of host 'h' is ['nftables']"),
        ({"ringfence_realm": "a b"}, "ringfence_realm of host 'h' is 'a b'"),
        ({"ringfence_control": "10.0.0.1"}, "write {from: ['10.9.0.0/24'], port: 22}"),
        ({"ringfence_control": {"form": ["10.0.0.1"]}}, "has the unknown key 'form'"),
        ({"ringfence_control": {"from": ["10.0.0.1/8"]}}, "did you mean '10.0.0.0/8'?"),
        ({"ringfence_control": {"from": ["10.0.0.1"], "port": True}}, "has the port True"),
        ({"ringfence_control": {"port": 22}}, "does not say from where"),
        ({"ringfence_control": {"from": [5]}}, "names 5 as a network"),
        ({"ringfence_sources": [5]}, "ringfence_sources of host 'h' is [5]"),
    ],
)
def test_a_hostile_variable_is_told_with_its_host_and_name(variables, said):
    assert any(said in fault for fault in faults(variables)), faults(variables)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pci": True}, "gives 'pci' True, and labels are text: that label is left out (write pci: 'true')"),
        ({"tier": 1}, "(write tier: '1')"),
        ({"x": None}, "gives 'x' no value"),
        ({"x": ""}, "gives 'x' an empty value"),
        ({"x": "\u200b "}, "gives 'x' an empty value"),
        ({"x": ["a"]}, "gives 'x' ['a'], and labels are text"),
        ({"not": "x"}, "'not' is a word of the grammar"),
        ({"9x": "x"}, "'9x' is not a valid label key"),
        ({"x": "a\x1b[2Jb"}, "gives 'x' a value with control characters (U+001B), 'a\\x1b[2Jb'"),
        ({"x": "pr\u200bod"}, "gives 'x' a value with invisible characters (U+200B), 'pr\\u200bod'"),
    ],
)
def test_what_can_be_no_label_costs_that_label_alone_and_is_told_with_host_and_source(given, said):
    variables = {"ringfence_labels": {"role": "db", **given}, "ringfence_sources": ["inventory/20-aws.yml"]}
    assert read(variables).labels == {"role": Label("db", "inventory")}
    (problem,) = label_doubts([InventoryHost(name, variables, ()) for name in ("h", "i")])
    assert str(problem).startswith("ringfence_labels of host 'h' and 1 more (from inventory/20-aws.yml) ")
    assert (said in str(problem), problem.severity) == (True, Severity.WARNING)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "::", "127.0.0.1", "127.9.9.9", "::1", "169.254.1.1", "fe80::1", "fe80::1%eth0"),
        *("255.255.255.255", "224.0.0.1", "239.255.255.250", "ff02::1", "::ffff:127.0.0.1"),
    ],
)
def test_an_address_of_every_host_or_of_none_is_left_out_and_told_with_host_and_source(address):
    for given in ([address, "10.0.0.7"], f"10.0.0.7, {address}"):
        variables = {"ringfence_addresses": given, "ringfence_sources": ["inventory/20-aws.yml"]}
        assert read(variables).addresses == (point_of("10.0.0.7"),)
        (problem,) = address_doubts([InventoryHost(name, variables, ()) for name in ("h", "i")])
        assert str(problem) == (
            f"ringfence_addresses of host 'h' and 1 more (from inventory/20-aws.yml) holds {address}, which every host "
            "has for itself or none can have: it is left out (write addresses at which others meet the host)"
        )
        assert problem.severity is Severity.WARNING


def test_addresses_that_hosts_do_have_are_taken_without_a_word():
    given = ["10.0.0.7", "192.0.2.7", "fd00::7", "2001:db8::7", "128.0.0.1", "::ffff:10.0.0.8"]
    assert len(read({"ringfence_addresses": given}).addresses) == 6
    assert address_doubts([InventoryHost("h", {"ringfence_addresses": given}, ())]) == ()


@pytest.mark.parametrize("written", ["prod ", "\xa0prod", "prod\u200b", "\ufeffprod\n"])
def test_blanks_and_invisible_characters_at_the_ends_of_a_label_make_no_other_label(written):
    assert read({"ringfence_labels": {"env": written}}).labels == {"env": Label("prod", "inventory")}


def test_a_no_break_space_inside_is_a_blank_and_composed_letters_are_one_with_their_parts():
    given = {"team": "Team\xa0Nord", "site": "cafe\u0301"}
    assert read({"ringfence_labels": given}).label_values() == {"team": "Team Nord", "site": "caf\xe9"}


def test_all_faults_of_all_hosts_are_told_at_once():
    hosts = [InventoryHost(name, {"ringfence_addresses": [1], "ringfence_realm": 2}, ()) for name in "ab"]
    with pytest.raises(InputErrors) as caught:
        read_assets(hosts, Settings(), {}, no_names)
    assert len(caught.value.errors) == 4


def test_nesting_without_end_exhausts_nothing():
    deep = "leaf"
    for _ in range(500):
        deep = [deep]
    assert "x" in read({"x": deep}).attributes
    assert "write a mapping" in faults({"ringfence_labels": deep})[0]


def test_an_address_mapped_into_ipv6_is_the_ipv4_address_of_the_host():
    assert addresses(read({"ringfence_addresses": ["::ffff:10.0.0.3", "10.0.0.3", "::ffff:0a00:0004"]})) == [
        "10.0.0.3",
        "10.0.0.4",
    ]
    assert addresses(read({"ansible_host": "::ffff:10.0.0.3"})) == ["10.0.0.3"]


def test_the_control_path_of_a_host_is_kept_as_networks():
    control = {"from": ["10.9.0.0-10.9.0.255", "::ffff:10.8.0.1", "2001:DB8::/64"]}
    assert read({"ringfence_control": control}).control == Control(("10.9.0.0/24", "10.8.0.1", "2001:db8::/64"), 22)
    (fault,) = faults({"ringfence_control": {"from": "fe80::1%eth0"}})
    assert "'fe80::1%eth0' names an interface, which no packet carries" in fault


@pytest.mark.parametrize(
    ("variables", "enforcer"),
    [
        ({}, "nftables"),
        ({"ansible_connection": "ssh"}, "nftables"),
        ({"ansible_connection": "local"}, "nftables"),
        ({"ansible_connection": "winrm"}, "windows"),
        ({"ansible_connection": "ansible.builtin.psrp"}, "windows"),
        ({"ansible_connection": "ssh", "ansible_shell_type": "powershell"}, "windows"),
        ({"ansible_shell_type": "cmd"}, "windows"),
        ({"ansible_connection": "ansible.netcommon.network_cli"}, "network"),
        ({"ansible_connection": "netconf"}, "network"),
        ({"ansible_connection": "ansible.netcommon.httpapi"}, "network"),
        ({"ansible_connection": "winrm", "ringfence_enforcer": "nftables"}, "nftables"),
    ],
)
def test_no_nftables_is_taken_to_run_where_ansible_talks_to_windows_or_to_a_switch(variables, enforcer):
    assert read(variables).enforcer == enforcer


def test_a_host_cannot_say_itself_what_enforces_on_it_by_a_connection_among_its_facts():
    assert read({}, facts={"h": {"ansible_connection": "winrm"}}).enforcer == "nftables"


@pytest.mark.parametrize("first", ["10-table.yml", "90-table.yml"])
def test_a_windows_host_that_a_table_knows_too_stays_one_whichever_comes_first(tmp_path, first):
    (tmp_path / "hosts.csv").write_text("name,addresses,role\nwin-1.shop.example,10.0.0.5,till\n")
    write(tmp_path / "inventory" / first, "plugin: ringfence.core.onprem\ntable: ../hosts.csv\n")
    write(tmp_path / "inventory/50-static.ini", "win-1 ansible_host=10.0.0.5 ansible_connection=winrm\n")
    (one,) = survey([tmp_path / "inventory"], [], SETTINGS, now=NOW, directory=tmp_path).snapshot.assets
    assert (one.enforcer, one.labels["role"].value) == ("windows", "till")
