"""The inventory plugin ringfence.core.labels with what other people's texts and addresses do to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.unit.sources.asset_factory import write

HOSTILE = "{{ lookup('pipe', 'touch pwned') }}"


def listed(directory: Path) -> dict[str, dict[str, object]]:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-inventory")), "-i", "inventory", "--list"],
        cwd=directory,
        env={**os.environ, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_labels_are_data_and_networks_decide_where_hosts_are(tmp_path):
    rules = "labels:\n  - note: tags.Note\n  - loc: fra\n    when: in_network(addresses, '10.1.0.0/16')\n"
    write(tmp_path / "labels.yml", rules)
    hosts = {"a": {"ansible_host": "10.1.0.7", "tags": {"Note": HOSTILE}}, "b": {"ansible_host": "10.2.0.7"}}
    # What a script says is data to Ansible, and so is what labels make of it.
    script = (
        "#!/bin/sh\ncat <<'EOF'\n" + json.dumps({"_meta": {"hostvars": hosts}, "x": {"hosts": ["a", "b"]}}) + "\nEOF\n"
    )
    write(tmp_path / "inventory/10-hosts.sh", script).chmod(0o755)
    write(tmp_path / "inventory/90-labels.yml", "plugin: ringfence.core.labels\n")
    compose = "{copied: ringfence_label_values.note | default('')}"
    write(tmp_path / "inventory/95-more.yml", f"plugin: ansible.builtin.constructed\ncompose: {compose}\n")
    found = listed(tmp_path)["_meta"]["hostvars"]
    assert not list(tmp_path.rglob("pwned"))
    assert "lookup" in json.dumps(found["a"]["copied"])
    assert found["a"]["ringfence_label_values"]["loc"] == "fra"
    assert "loc" not in found["b"]["ringfence_label_values"]
