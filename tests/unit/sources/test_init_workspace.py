"""`ringfence init`: a workspace that loads, that Ansible reads, and that overwrites nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ringfence.language import load_settings
from ringfence.model.assets import Control
from ringfence.model.errors import InputError
from ringfence.model.problems import Severity
from ringfence.operations.init import write_workspace
from ringfence.sources import survey
from ringfence.workspace import load

from tests.unit.cli_shop import ringfence
from tests.unit.sources.asset_factory import NOW, write

BIN = Path(sys.executable).parent


def run(*arguments, cwd):
    return subprocess.run(arguments, cwd=cwd, capture_output=True, text=True, check=False, timeout=240)


def test_a_new_workspace_loads_and_its_inventory_gives_the_rows_of_its_table(tmp_path):
    write_workspace(tmp_path)
    with (tmp_path / "hosts.csv").open("a") as table:
        table.write("web-1,10.0.0.1,web,shop,prod,\n")
    workspace = load(tmp_path)
    found = survey(workspace.inventory_paths, workspace.label_rules, workspace.settings, now=NOW, directory=tmp_path)
    (web,) = found.snapshot.assets
    assert web.label_values() == {"role": "web", "app": "shop", "env": "prod"}
    assert web.sources == ("inventory/30-onprem.yml",)
    assert not [problem for problem in found.problems if problem.severity is Severity.ERROR]


def test_the_control_path_is_written_where_it_is_given(tmp_path):
    write_workspace(tmp_path / "a")
    write_workspace(tmp_path / "b", ("10.9.0.0/24", "2001:db8::/64"), 2222)
    assert load_settings(tmp_path / "a/ringfence.yml").control is None
    assert load_settings(tmp_path / "b/ringfence.yml").control == Control(("10.9.0.0/24", "2001:db8::/64"), 2222)
    with pytest.raises(InputError, match="host bits"):
        write_workspace(tmp_path / "c", ("10.9.0.1/24",))
    assert not (tmp_path / "c").exists()


def test_nothing_is_overwritten_and_nothing_written_where_a_file_is_in_the_way(tmp_path):
    mine = write(tmp_path / "policy/guardrails.yml", "# mine\n")
    with pytest.raises(InputError, match=r"these files are already there: policy/guardrails\.yml"):
        write_workspace(tmp_path)
    assert mine.read_text() == "# mine\n"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["guardrails.yml"]


def test_a_dangling_link_is_in_the_way_too(tmp_path):
    (tmp_path / "labels.yml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"labels\.yml"):
        write_workspace(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


def test_a_fresh_workspace_passes_the_strictest_check(tmp_path):
    write_workspace(tmp_path, ("10.0.0.0/24",))
    done = ringfence(tmp_path, "check", "--strict")
    assert (done.exit_code, "0 errors, 0 warnings" in done.output) == (0, True), done.output


def test_labels_that_are_read_before_the_hosts_are_told_in_a_workspace(tmp_path):
    write_workspace(tmp_path, ("10.0.0.0/24",))
    (tmp_path / "hosts.csv").write_text("name,addresses\nweb-1,10.1.0.1\n")
    (tmp_path / "inventory/90-labels.yml").rename(tmp_path / "inventory/10-labels.yml")
    done = ringfence(tmp_path, "check")
    assert "no inventory before this one has hosts" in done.output, done.output


def test_the_commented_examples_are_valid_once_uncommented(tmp_path):
    write_workspace(tmp_path)
    for name in ("labels.yml", "policy/enforcement.yml", "policy/guardrails.yml", "policy/tests/guardrails.yml"):
        path = tmp_path / name
        lines = path.read_text().splitlines()
        first = next(number for number, line in enumerate(lines) if line.startswith("# ") and line.endswith(":"))
        example = [line[2:] for line in lines[first:] if line.startswith("# ")]
        head = [line for line in lines if line.startswith("tier:")]
        path.write_text("\n".join([*head, *example]) + "\n")
    workspace = load(tmp_path)
    assert [len(part) for part in (workspace.label_rules, workspace.policy.rules, workspace.policy.invariants)] == [
        3,
        1,
        1,
    ]
    assert len(workspace.policy.enforcement) == 3


def test_awx_finds_playbooks_that_call_the_collection_and_what_to_install(tmp_path):
    write_workspace(tmp_path)
    for name in ("discover", "plan", "rollout", "confirm", "rollback", "verify", "info", "remove"):
        (play,) = yaml.safe_load((tmp_path / f"playbooks/{name}.yml").read_text())
        assert play["ansible.builtin.import_playbook"] == f"ringfence.core.{name}"
    wanted = yaml.safe_load((tmp_path / "collections/requirements.yml").read_text())
    assert [collection["name"] for collection in wanted["collections"]] == ["ringfence.core"]
    image = yaml.safe_load((tmp_path / "execution-environment.yml").read_text())
    assert (image["version"], image["dependencies"]["galaxy"]) == (3, "collections/requirements.yml")


DISCOVER = """
- hosts: self
  gather_facts: false
  tasks:
    - ansible.builtin.set_fact: {listeners: [{port: 5432, unit: postgresql.service}], cacheable: true}
    - ansible.builtin.setup: {gather_subset: [network]}
"""


def test_facts_that_ansible_cached_are_attributes_for_label_rules(tmp_path):
    write_workspace(tmp_path)
    settings = tmp_path / "ansible.cfg"
    caching = "fact_caching = jsonfile\nfact_caching_connection = cached\ngathering"
    settings.write_text(settings.read_text().replace("gathering", caching, 1))
    write(tmp_path / "inventory/10-self.yml", "all: {hosts: {self: {ansible_connection: local}}}\n")
    write(tmp_path / "labels.yml", "labels: [{role: db, when: 'contains(listeners[].port, `5432`)'}]\n")
    write(tmp_path / "discover.yml", DISCOVER)
    python = f"ansible_python_interpreter={sys.executable}"
    done = run(str(BIN / "ansible-playbook"), "-e", python, "discover.yml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    workspace = load(tmp_path)
    found = survey([Path("inventory")], workspace.label_rules, workspace.settings, now=NOW, directory=tmp_path)
    host = found.snapshot.named()["self"]
    assert host.attributes["listeners"] == [{"port": 5432, "unit": "postgresql.service"}]
    assert "interfaces" in host.attributes["facts"]
    assert host.label_values() == {"role": "db"}


def test_the_command_says_what_it_wrote_and_makes_a_repository(tmp_path):
    done = run(str(BIN / "ringfence"), "init", "net", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert "labels.yml" in told["files"]
    assert told["git"] == (tmp_path / "net/.git").is_dir()
    again = run(str(BIN / "ringfence"), "init", "net", cwd=tmp_path)
    assert again.returncode == 2
    assert "nothing was written" in again.stderr


def test_what_a_killed_command_had_half_written_is_nothing_that_git_would_add(tmp_path):
    write_workspace(tmp_path)
    run("git", "init", "--quiet", cwd=tmp_path)
    die = "import os, sys, signal, pathlib; os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
    write_it = "from ringfence.files import write_whole; write_whole(pathlib.Path(sys.argv[1]), 'x')"
    for name in ("emergencies/q-1a2b3c4d.json", "policy/late.yml", "sets/blocked.txt"):
        assert run(sys.executable, "-c", die + write_it, name, cwd=tmp_path).returncode == -9
        assert len(list((tmp_path / name).parent.glob(f".{Path(name).name}.*"))) == 1
    run("git", "add", "--all", cwd=tmp_path)
    assert not [name for name in run("git", "ls-files", cwd=tmp_path).stdout.split() if ".tmp" in name or "/." in name]
