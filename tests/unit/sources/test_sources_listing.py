"""What `ansible-inventory` is run by, so that its listing costs less, says the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ringfence.sources.ansible_inventory import read_inventory

HOSTS = """\
all:
  children:
    web:
      vars: {port: 443, "ü": [1, 2.5, null, true, "a\\tb"]}
      hosts: {web-1: {ansible_host: 10.0.0.1, note: "{{ port }}"}, web-2: {}}
  hosts: {db-1: {nested: {deep: {deeper: [x, {y: z}]}}}}
"""


def test_the_listing_says_what_ansible_inventory_says(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text(HOSTS, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", "hosts.yml", "--list"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
    variables = json.loads(said)["_meta"]["hostvars"]
    hosts = read_inventory([Path("hosts.yml")], tmp_path).hosts
    assert {host.name: dict(host.variables) for host in hosts} == {name: {} for name in ("web-2",)} | variables
    assert {host.name: host.groups for host in hosts} == {"db-1": (), "web-1": ("web",), "web-2": ("web",)}


def test_a_command_that_is_no_python_program_is_run_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hosts.yml").write_text(HOSTS, encoding="utf-8")
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    (bin_directory / "python").symlink_to(sys.executable)
    for name in ("ansible-inventory", "ansible-config"):
        wrapper = bin_directory / name
        wrapper.write_text(f'#!/bin/sh\nexec {Path(sys.executable).with_name(name)} "$@"\n')
        wrapper.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bin_directory / "python"))
    assert [host.name for host in read_inventory([Path("hosts.yml")], tmp_path).hosts] == ["db-1", "web-1", "web-2"]
