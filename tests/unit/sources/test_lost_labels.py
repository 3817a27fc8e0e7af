"""Labels that Ansible drops because a nearer `ringfence_labels` takes their place are told by name."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from ringfence.model.rules import Settings
from ringfence.sources.inventory import survey

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def lost(directory: Path, files: dict[str, str]) -> list[str]:
    """Return what a survey of an inventory of these files says of labels that are lost."""
    for name, text in files.items():
        path = directory / "inventory" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = survey([Path("inventory")], [], Settings(), now=NOW, directory=directory, facts={})
    return sorted(f"{one.place}: {one.message.partition(':')[0]}" for one in found.problems if "lost" in one.message)


HOST = "db-1 ansible_host=10.1.0.1 ringfence_labels=\"{'role': 'db'}\"\n"
YAML = """all:
  children:
    dbs:
      vars:
        ringfence_labels: {env: prod}
      hosts:
        db-1: {ansible_host: 10.1.0.1, ringfence_labels: {role: db}}
"""


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"a.ini": f"[dbs]\n{HOST}[dbs:vars]\nringfence_labels={{'env': 'prod'}}\n"}, "inventory/a.ini:4"),
        ({"a.yml": YAML}, "inventory/a.yml:5:9"),
        ({"a": f"[dbs]\n{HOST}", "group_vars/dbs.yml": "ringfence_labels: {env: prod}\n"}, "group_vars/dbs.yml:1:1"),
        ({"a": f"[dbs]\n{HOST}", "group_vars/dbs": "ringfence_labels: {env: prod}\n"}, "group_vars/dbs:1:1"),
        ({"a": f"[dbs]\n{HOST}", "group_vars/dbs/l.yml": "ringfence_labels: {env: prod}\n"}, "group_vars/dbs/l.yml"),
        ({"a": f"[dbs]\n{HOST}", "group_vars/dbs.json": '{"ringfence_labels": {"env": "prod"}}'}, "dbs.json:1:2"),
    ],
)
def test_the_keys_of_a_group_that_a_hosts_own_labels_replace_are_told_where_they_stand(
    tmp_path: Path, files: dict[str, str], place: str
) -> None:
    (told,) = lost(tmp_path, files)
    assert place in told
    assert "ringfence_labels of group 'dbs' gives 'env', lost for 'db-1'" in told


def test_the_keys_of_all_and_of_a_group_that_another_group_replaces_are_told(tmp_path: Path) -> None:
    files = {
        "a.ini": "[dbs]\ndb-1 ansible_host=10.1.0.1\n[zone]\ndb-1\n",
        "group_vars/all.yml": "ringfence_labels: {env: prod}\n",
        "group_vars/dbs.yml": "ringfence_labels: {role: db}\n",
        "group_vars/zone.yml": "ringfence_labels: {loc: fra}\n",
    }
    told = lost(tmp_path, files)
    assert [one.partition(", lost")[0].rpartition("group ")[2] for one in told] == [
        "'all' gives 'env'",
        "'dbs' gives 'role'",
    ]


def test_what_host_vars_replace_of_the_hosts_own_labels_is_told(tmp_path: Path) -> None:
    told = lost(tmp_path, {"a.ini": HOST, "host_vars/db-1.yml": "ringfence_labels: {env: prod}\n"})
    assert told == ["inventory/a.ini:1: ringfence_labels of host 'db-1' gives 'role', lost"]


def test_what_host_vars_replace_of_a_tables_labels_is_told(tmp_path: Path) -> None:
    files = {
        "../hosts.csv": "name,addresses,role\ndb-1,10.1.0.1,db\n",
        "30-onprem.yml": "plugin: ringfence.core.onprem\ntable: ../hosts.csv\n",
        "host_vars/db-1.yml": "ringfence_labels: {env: prod}\n",
    }
    (told,) = lost(tmp_path, files)
    assert "ringfence_labels of host 'db-1' gives 'role', lost" in told


def test_nothing_is_told_where_the_nearest_labels_have_every_key(tmp_path: Path) -> None:
    files = {"a": f"[dbs]\n{HOST}", "group_vars/dbs.yml": "ringfence_labels: {role: other}\n"}
    assert lost(tmp_path, files) == []


def test_what_the_workspaces_own_group_vars_give_and_a_host_replaces_is_told(tmp_path: Path) -> None:
    said = lost(tmp_path, {"a": f"[dbs]\n{HOST}", "../group_vars/dbs.yml": "ringfence_labels: {env: prod}\n"})
    assert said == ["group_vars/dbs.yml:1:1: ringfence_labels of group 'dbs' gives 'env', lost for 'db-1'"]
