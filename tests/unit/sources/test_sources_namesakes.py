"""A name is no identity: what two sources, tables or files call alike is one asset or two as keys and addresses say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import permutations
from pathlib import Path

import pytest
from ringfence.model.addresses import address_text
from ringfence.model.identity import Identity
from ringfence.model.problems import Severity
from ringfence.model.rules import Settings
from ringfence.sources import survey

from tests.unit.sources.asset_factory import NOW, write

COMMAND = Path(sys.executable).parent / "ansible-inventory"
if not COMMAND.exists():
    pytest.skip("ansible-core is not installed beside this Python", allow_module_level=True)

FRA = "name,addresses,role,env\nweb-1,10.1.0.11,web,prod\n"
BER = "name,addresses,role,env\nweb-1,10.2.0.11,web,dev\n"
SAME = "name,addresses,owner,loc\nweb-1,10.1.0.11 192.0.2.9,ann,fra\n"


def table(workspace, file, text, **options):
    """Write a table and the configuration that reads it, as `file` of the inventory."""
    csv = write(workspace / f"{file.partition('.')[0]}.csv", text)
    more = "".join(f"{key}: {json.dumps(value)}\n" for key, value in options.items())
    write(workspace / "inventory" / file, f"plugin: ringfence.core.onprem\ntable: ../{csv.name}\n{more}")


def look(workspace, last=None):
    return survey(
        [workspace / "inventory"],
        [],
        Settings(),
        now=NOW,
        directory=workspace,
        last=None if last is None else lambda: last,
    )


def shown(found):
    """Return the addresses and labels of assets by name."""
    return {
        one.name: (" ".join(address_text(point) for point in one.addresses), one.label_values())
        for one in found.snapshot.assets
    }


def messages(found, severity):
    return [str(one) for one in found.problems if one.severity is severity]


def test_two_machines_of_one_name_in_two_sources_are_two_assets_and_both_places_are_told(tmp_path):
    table(tmp_path, "10-fra.yml", FRA)
    table(tmp_path, "20-ber.yml", BER)
    found = look(tmp_path)
    assert shown(found) == {
        "web-1": ("10.1.0.11", {"role": "web", "env": "prod"}),
        "web-1_20-ber": ("10.2.0.11", {"role": "web", "env": "dev"}),
    }
    assert not messages(found, Severity.ERROR)
    (warning,) = [text for text in messages(found, Severity.WARNING) if "one name for two machines" in text]
    assert "inventory/10-fra.yml" in warning
    assert "inventory/20-ber.yml" in warning


def test_two_machines_of_one_name_that_a_person_said_to_be_two_are_no_matter_for_a_warning(tmp_path):
    table(tmp_path, "10-fra.yml", FRA)
    table(tmp_path, "20-ber.yml", BER)
    told = Settings(identity=Identity(different=(("web-1", "web-1_20-ber"),)))
    found = survey([tmp_path / "inventory"], [], told, now=NOW, directory=tmp_path)
    assert len(found.snapshot.assets) == 2
    assert not [text for text in messages(found, Severity.WARNING) if "one name" in text]


def test_a_name_of_two_machines_stands_for_both(tmp_path):
    table(tmp_path, "10-fra.yml", FRA)
    table(tmp_path, "20-ber.yml", BER)
    called = look(tmp_path).snapshot.called()
    assert [one.name for one in called["web-1"]] == ["web-1", "web-1_20-ber"]


@pytest.mark.parametrize("order", list(permutations(("10", "20"))))
def test_one_machine_of_one_name_in_two_sources_is_one_asset_with_the_addresses_and_labels_of_both(tmp_path, order):
    table(tmp_path, f"{order[0]}-fra.yml", FRA)
    table(tmp_path, f"{order[1]}-cmdb.yml", SAME, columns={"labels": {"loc": "loc"}})
    found = look(tmp_path)
    labels = {"role": "web", "env": "prod", "loc": "fra"}
    assert shown(found) == {"web-1": ("10.1.0.11 192.0.2.9", labels)}
    assert not messages(found, Severity.ERROR)
    assert not [text for text in messages(found, Severity.WARNING) if "one name" in text]


def test_attributes_that_one_of_two_machines_has_are_not_the_others(tmp_path):
    windows = "name,addresses,role,enforcer,realm,connection\nweb-1,10.1.0.11,web,windows,fra,psrp\n"
    chosen = {"ringfence_enforcer": "enforcer", "ringfence_realm": "realm", "ansible_connection": "connection"}
    table(tmp_path, "10-fra.yml", windows, host_vars=chosen)
    table(tmp_path, "20-ber.yml", BER)
    fra, ber = look(tmp_path).snapshot.assets
    assert (fra.enforcer, fra.realm, fra.attributes["ansible_connection"]) == ("windows", "fra", "psrp")
    assert (ber.enforcer, ber.realm, ber.attributes.get("ansible_connection")) == ("nftables", "default", None)
    assert (fra.sources, ber.sources) == (("inventory/10-fra.yml",), ("inventory/20-ber.yml",))


def test_a_static_host_before_a_source_is_not_written_over(tmp_path):
    write(tmp_path / "inventory/10-static.ini", "web-1 ansible_host=10.9.0.1 ringfence_labels=\"{'pci': 'yes'}\"\n")
    table(tmp_path, "20-ber.yml", BER)
    assert shown(look(tmp_path)) == {
        "web-1": ("10.9.0.1", {"pci": "yes"}),
        "web-1_20-ber": ("10.2.0.11", {"role": "web", "env": "dev"}),
    }


def test_a_static_host_before_a_source_that_is_the_same_machine_has_what_both_say(tmp_path):
    write(tmp_path / "inventory/10-static.ini", "web-1 ansible_host=10.2.0.11 ringfence_labels=\"{'pci': 'yes'}\"\n")
    table(tmp_path, "20-ber.yml", BER)
    assert shown(look(tmp_path)) == {"web-1": ("10.2.0.11", {"pci": "yes", "role": "web", "env": "dev"})}


@pytest.mark.parametrize(
    "line", ["web-1 ansible_host=10.9.0.1", "web-1 ringfence_addresses=10.9.0.1", "[web]\nweb-1 ansible_host=10.9.0.1"]
)
def test_a_static_host_behind_a_source_with_another_address_is_an_error_with_both_places(tmp_path, line):
    table(tmp_path, "20-ber.yml", BER)
    write(tmp_path / "inventory/30-static.ini", f"{line}\n")
    (error,) = messages(look(tmp_path), Severity.ERROR)
    assert f"inventory/30-static.ini:{line.count(chr(10)) + 1}" in error
    assert "inventory/20-ber.yml" in error


SCRIPT = """#!/bin/sh
echo '{"_meta": {"hostvars": {"web-1": {"ansible_host": "10.9.0.1"}}}, "shop": {"hosts": ["web-1"]}}'
"""


def test_a_script_behind_a_source_with_another_address_is_an_error_that_names_the_source(tmp_path):
    table(tmp_path, "20-ber.yml", BER)
    write(tmp_path / "inventory/30-cloud.sh", SCRIPT).chmod(0o755)
    (error,) = messages(look(tmp_path), Severity.ERROR)
    assert "'web-1' is in inventory/30-cloud.sh, and in inventory/20-ber.yml with other addresses" in error


def test_what_is_composed_for_a_host_is_no_other_machine(tmp_path):
    table(tmp_path, "20-ber.yml", BER)
    composed = "plugin: ansible.builtin.constructed\nstrict: true\ncompose: {ansible_host: \"'198.51.100.7'\"}\n"
    write(tmp_path / "inventory/30-constructed.yml", composed)
    found = look(tmp_path)
    assert shown(found)["web-1"][0] == "10.2.0.11"
    assert found.snapshot.assets[0].attributes["ansible_host"] == "198.51.100.7"
    assert not messages(found, Severity.ERROR)


def test_a_script_before_a_source_keeps_its_host(tmp_path):
    write(tmp_path / "inventory/10-cloud.sh", SCRIPT).chmod(0o755)
    table(tmp_path, "20-ber.yml", BER)
    assert {name: addresses for name, (addresses, _) in shown(look(tmp_path)).items()} == {
        "web-1": "10.9.0.1",
        "web-1_20-ber": "10.2.0.11",
    }


def test_a_static_host_behind_a_source_that_is_the_same_machine_has_what_both_say(tmp_path):
    table(tmp_path, "20-cmdb.yml", SAME, columns={"labels": {"loc": "loc"}})
    line = "web-1 ansible_host=10.1.0.11 ringfence_addresses=10.1.0.11 ringfence_labels=\"{'pci': 'yes'}\"\n"
    write(tmp_path / "inventory/30-static.ini", line)
    found = look(tmp_path)
    assert shown(found) == {"web-1": ("10.1.0.11 192.0.2.9", {"pci": "yes", "loc": "fra"})}
    assert not messages(found, Severity.ERROR)


def test_what_host_vars_say_of_a_host_counts_and_is_no_other_machine(tmp_path):
    table(tmp_path, "20-ber.yml", BER)
    write(tmp_path / "inventory/host_vars/web-1.yml", "ansible_host: 198.51.100.7\nringfence_addresses: [10.2.0.12]\n")
    found = look(tmp_path)
    assert shown(found)["web-1"][0] == "10.2.0.12"
    assert not messages(found, Severity.ERROR)


@pytest.mark.parametrize("number", ["10", "30"])
def test_a_bare_name_in_a_group_of_a_static_file_is_the_host_of_the_source(tmp_path, number):
    table(tmp_path, "20-ber.yml", BER)
    write(tmp_path / f"inventory/{number}-groups.ini", "[shop]\nweb-1 ansible_user=admin\n")
    found = look(tmp_path)
    assert shown(found) == {"web-1": ("10.2.0.11", {"role": "web", "env": "dev"})}
    (web,) = found.snapshot.assets
    assert (web.attributes["groups"], web.attributes["ansible_user"]) == (["shop"], "admin")


def test_a_row_without_an_address_adds_labels_to_the_host_of_its_name_and_says_so(tmp_path):
    table(tmp_path, "10-fra.yml", FRA)
    table(tmp_path, "20-more.yml", "name,addresses,loc,env\nweb-1,,fra,prod\n")
    found = look(tmp_path)
    assert shown(found) == {"web-1": ("10.1.0.11", {"role": "web", "env": "prod", "loc": "fra"})}
    (web,) = found.snapshot.assets
    assert web.attributes["ringfence_by_name"] == {"inventory/20-more.yml": ["loc"]}
    assert web.sources == ("inventory/10-fra.yml", "inventory/20-more.yml")


@pytest.mark.parametrize(
    ("before", "row"),
    [
        ({"10-fra.yml": FRA}, "web-1,,fra,dev"),
        ({"10-fra.yml": FRA, "15-ber.yml": BER}, "web-1,,fra,"),
    ],
)
def test_a_row_without_an_address_means_nobody_where_it_contradicts_or_two_have_the_name(tmp_path, before, row):
    for file, text in before.items():
        table(tmp_path, file, text)
    table(tmp_path, "20-more.yml", f"name,addresses,loc,env\n{row}\n")
    found = look(tmp_path)
    assert shown(found)["web-1"] == ("10.1.0.11", {"role": "web", "env": "prod"})
    assert shown(found)["web-1_20-more"][1]["loc"] == "fra"


def test_a_source_parsed_twice_has_each_host_once(tmp_path):
    table(tmp_path, "10-fra.yml", FRA)
    table(tmp_path, "20-ber.yml", BER)
    paths = [tmp_path / "inventory", tmp_path / "inventory/20-ber.yml"]
    found = survey(paths, [], Settings(), now=NOW, directory=tmp_path)
    assert [one.name for one in found.snapshot.assets] == ["web-1", "web-1_20-ber"]


def test_a_row_of_a_groups_name_is_a_host_of_another_name_and_the_groups_stay_as_they_are(tmp_path):
    write(tmp_path / "inventory/10-static.ini", "[web]\nold-1 ansible_host=10.9.0.1\n")
    rows = "name,addresses,role,env\nweb,10.1.0.11,web,prod\nweb-2,10.1.0.12,web,prod\n"
    table(tmp_path, "20-fra.yml", rows, keyed_groups=[{"key": "ringfence_labels.env", "prefix": "env"}])
    found = look(tmp_path)
    groups = {one.name: one.attributes["groups"] for one in found.snapshot.assets}
    assert groups == {"old-1": ["web"], "web-2": ["env_prod"], "web_20-fra": ["env_prod"]}
    assert any("'web' is 'web_20-fra'" in text for text in messages(found, Severity.WARNING))


@pytest.mark.parametrize("name", ["all", "ungrouped", "localhost", "@web", "-rf"])
def test_a_row_with_a_name_that_means_something_else_to_ansible_is_left_out_with_its_line(tmp_path, name):
    table(tmp_path, "20-fra.yml", f"name,addresses,role,env\n{name},10.1.0.11,web,prod\nweb-2,10.1.0.12,web,prod\n")
    found = look(tmp_path)
    assert list(shown(found)) == ["web-2"]
    assert any("20-fra.csv:2" in text for text in messages(found, Severity.WARNING))


def test_the_label_groups_hold_a_host_whose_name_is_a_groups_name(tmp_path):
    write(tmp_path / "labels.yml", "labels:\n  - app: app\n")
    write(tmp_path / "inventory/10-any.ini", "app_shop app=shop\n[web]\nold-1 app=shop\n[app_shop:children]\nweb\n")
    write(tmp_path / "inventory/90-labels.yml", "plugin: ringfence.core.labels\n")
    done = subprocess.run(
        [str(COMMAND), "-i", "inventory", "--list"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1"},
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["app_shop"]["hosts"]) == {"app_shop", "old-1"}


def test_a_name_does_not_pass_to_another_machine_while_the_source_that_had_it_is_silent(tmp_path):
    table(tmp_path, "10-fra.yml", FRA)
    table(tmp_path, "20-ber.yml", BER)
    before = look(tmp_path).snapshot
    write(tmp_path / "inventory/10-fra.yml", "plugin: ringfence.core.onprem\ntable: ../gone.csv\n")
    found = look(tmp_path, before)
    (error,) = messages(found, Severity.ERROR)
    assert "'web-1' is a machine of inventory/20-ber.yml now, and was one of inventory/10-fra.yml" in error


def test_rows_of_two_tables_of_one_source_are_two_hosts_or_one_as_their_addresses_say(tmp_path):
    for name, text in (("fra", FRA), ("ber", BER), ("cmdb", SAME)):
        write(tmp_path / f"{name}.csv", text)
    config = "plugin: ringfence.core.onprem\ntable: [../fra.csv, ../ber.csv, ../cmdb.csv]\n"
    write(tmp_path / "inventory/10-all.yml", config)
    found = look(tmp_path)
    assert shown(found)["web-1"][0] == "10.1.0.11 192.0.2.9"
    assert shown(found)["web-1_ber"] == ("10.2.0.11", {"role": "web", "env": "dev"})
    assert len(found.snapshot.assets) == 2


def test_one_of_several_tables_that_cannot_be_read_costs_its_own_hosts_and_they_stand(tmp_path):
    write(tmp_path / "fra.csv", FRA.replace("web-1", "web-2"))
    ber = write(tmp_path / "ber.csv", BER)
    write(tmp_path / "inventory/10-all.yml", "plugin: ringfence.core.onprem\ntable: [../fra.csv, ../ber.csv]\n")
    before = look(tmp_path).snapshot
    ber.unlink()
    found = look(tmp_path, before)
    assert (
        shown(found)
        == shown(look(tmp_path, before))
        == {
            "web-1": ("10.2.0.11", {"role": "web", "env": "dev"}),
            "web-2": ("10.1.0.11", {"role": "web", "env": "prod"}),
        }
    )
    assert found.snapshot.named()["web-1"].attributes["stale"]["source"] == "inventory/10-all.yml: ber.csv"
    assert any("ber.csv" in text and "1 asset stands as it was" in text for text in messages(found, Severity.WARNING))
