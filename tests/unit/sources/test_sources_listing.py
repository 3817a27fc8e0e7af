"""What `ansible-inventory` is run by, so that its listing costs less, says the same."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from ringfence.sources import ansible_listing
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


def _listed(**variables: object) -> dict[str, object]:
    return {"all": {"children": ["ungrouped"]}, "_meta": {"hostvars": {"web-ü": variables}, "profile": "p"}}


def test_values_of_every_kind_are_written_as_ansible_writes_them() -> None:
    profile = pytest.importorskip(
        "ansible._internal._json._profiles._inventory_legacy", reason="needs ansible-core 2.19"
    )
    from ansible._internal._datatag._tags import Origin, TrustedAsTemplate, VaultedValue
    from ansible.parsing.vault import EncryptedString

    origin, template = Origin(path="/hosts.yml"), TrustedAsTemplate()
    vaulted = VaultedValue(ciphertext="$ANSIBLE_VAULT;1.1;AES256\n6162")
    kinds: dict[str, object] = {
        "plain": "10.0.0.1",
        "template": template.tag("{{ port }}"),
        "origin": origin.tag("ü"),
        "opened": template.tag(vaulted.tag("secret")),
        "opened data": vaulted.tag("secret"),
        "vaulted": EncryptedString(ciphertext="$ANSIBLE_VAULT;1.1;AES256\n6162"),
        "nested": origin.tag({"a": origin.tag([1, origin.tag(2.5), None, True, (template.tag("x"), "y")])}),
        "key": {template.tag("k"): template.tag("v")},
    }
    for several in (kinds, {**kinds, "date": date(2026, 1, 2)}, {**kinds, "set": {1}}, {"numbers": {1: "x"}}):
        listed = _listed(**several)
        ansible = json.dumps(listed, cls=profile.Encoder, sort_keys=True)
        assert ansible_listing._without_indentation(listed, cls=profile.Encoder, sort_keys=True, indent=4) == ansible
    groups = {"web": {"hosts": ["web-ü"], "vars": {"a": "b"}}, **_listed(**kinds)}
    ansible = json.dumps(groups, cls=profile.Encoder, sort_keys=True)
    assert ansible_listing._without_indentation(groups, cls=profile.Encoder, sort_keys=True) == ansible


def test_what_is_no_inventory_is_written_as_json_writes_it() -> None:
    assert ansible_listing._without_indentation({"b": "ü", "a": [1]}, indent=2) == '{"b": "\\u00fc", "a": [1]}'
