"""What Ansible passes over in an inventory without a word is told: files by their names' ends, hosts by their place."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.model.errors import InputErrors, OutsideError
from ringfence.model.rules import Settings
from ringfence.sources.ansible_inventory import InventoryHost, _failure, read_inventory
from ringfence.sources.inventory import read_assets

from tests.unit.sources.asset_factory import write


def told(directory):
    parsed = read_inventory([directory / "inventory"], directory)
    return [host.name for host in parsed.hosts], [str(problem) for problem in parsed.problems]


@pytest.mark.parametrize("name", ["20-db.cfg", "20-db.txt", "20-db.yml.bak", "20-db~"])
def test_a_file_of_hosts_that_ansible_does_not_read_for_its_name_is_a_warning(tmp_path, name):
    write(tmp_path / "inventory/10-web.yml", "web:\n  hosts:\n    web-1:\n")
    write(tmp_path / "inventory" / name, "[db]\ndb-1 ansible_host=10.1.0.2\n")
    hosts, problems = told(tmp_path)
    assert hosts == ["web-1"]
    assert len(problems) == 1
    assert problems[0].startswith(f"inventory/{name}: is not read: Ansible passes over files")


def test_notes_settings_of_scripts_and_what_the_settings_let_in_are_no_warning(tmp_path):
    write(tmp_path / "ansible.cfg", "[defaults]\ninventory_ignore_extensions = .bak\n")
    write(tmp_path / "inventory/10-web.cfg", "[web]\nweb-1\n")
    write(tmp_path / "inventory/README.txt.bak", "what these are: our hosts\n")
    script = tmp_path / "inventory/30-cmdb.py"
    write(script, "#!/bin/sh\necho '{}'\n")
    script.chmod(0o755)
    write(tmp_path / "inventory/30-cmdb.bak", "[cmdb]\nurl = https://cmdb.example\n")
    assert told(tmp_path) == (["web-1"], [])


def test_a_file_that_is_named_by_itself_is_read_however_it_is_called(tmp_path):
    write(tmp_path / "hosts.cfg", "[web]\nweb-1\n")
    parsed = read_inventory([tmp_path / "hosts.cfg"], tmp_path)
    assert ([host.name for host in parsed.hosts], parsed.problems) == (["web-1"], ())


def test_hosts_right_below_their_group_are_told_with_their_lines(tmp_path):
    text = (
        "all:\n  children:\n    web:\n      web-1:\n      web-2:   # the second\n    db:\n      hosts:\n        db-1:\n"
    )
    write(tmp_path / "inventory/10-static.yml", text)
    hosts, problems = told(tmp_path)
    assert hosts == ["db-1"]
    assert [problem.partition(", where")[0] for problem in problems] == [
        "inventory/10-static.yml:4:7: 'web-1' stands right below a group",
        "inventory/10-static.yml:5:7: 'web-2' stands right below a group",
    ]


def test_inventories_as_they_should_be_have_no_such_warning(tmp_path):
    text = """---
all:
  hosts:
    web-1: {ansible_host: 10.1.0.1}
    web-2:
      ansible_host: 10.1.0.2
  vars:
    motd: |
      hello:
    empty:
  children:
    ungrouped:
    web:
      hosts:
        web-1:
        web-2:
      children:
      vars:
db:
  hosts: {db-1: }
"""
    write(tmp_path / "inventory/10-static.yml", text)
    write(tmp_path / "inventory/20-groups.yml", "plugin: ansible.builtin.constructed\ngroups:\n  none: false\n")
    write(tmp_path / "inventory/group_vars/all.yml", "one:\n  two:\n")
    assert told(tmp_path) == (["db-1", "web-1", "web-2"], [])


def test_the_older_name_of_ansible_host_says_where_a_host_is(tmp_path):
    write(tmp_path / "inventory/10-static.ini", "web-1 ansible_ssh_host=10.1.0.1\n")
    (host,) = read_inventory([tmp_path / "inventory/10-static.ini"], tmp_path).hosts
    assert host.variables["ansible_host"] == "10.1.0.1"


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("10.1.0.16/24", "write the address without its prefix: '10.1.0.16'"),
        ("n/a", "write single IPv4 or IPv6 addresses"),
        ("/", "write single IPv4 or IPv6 addresses"),
    ],
)
def test_the_remedy_for_a_wrong_address_proposes_addresses_alone(written, remedy):
    with pytest.raises(InputErrors) as caught:
        read_assets([InventoryHost("h", {"ringfence_addresses": [written]}, ())], Settings(), {}, dict.fromkeys)
    assert caught.value.errors[0].remedy == remedy


def test_a_home_that_cannot_be_written_to_is_told_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/proc")
    monkeypatch.delenv("ANSIBLE_HOME", raising=False)
    monkeypatch.delenv("ANSIBLE_LOCAL_TEMP", raising=False)
    write(tmp_path / "inventory/10-static.ini", "web-1\n")
    with pytest.raises(OutsideError, match="Ansible has no folder of its own to write in") as caught:
        read_inventory([tmp_path / "inventory"], tmp_path)
    assert "ANSIBLE_HOME" in str(caught.value.remedy)


@pytest.mark.parametrize("why", ["Permission denied", "Read-only file system", "No space left on device"])
def test_a_folder_of_ansible_that_is_anothers_is_named_with_the_way_out(why):
    said = (
        "ERROR! Unhandled exception when retrieving 'DEFAULT_LOCAL_TMP': "
        f"[Errno 13] {why}: '/home/kim/.ansible/tmp/ansible-local-22264v3vat644'"
    )
    error = _failure(said, 5, [], Path())
    assert error.message == f"Ansible cannot write in /home/kim/.ansible/tmp: {why}"
    assert "chown it to yourself" in str(error.remedy)
