"""What the playbook discover sees on hosts is there for label rules."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ringfence.lab.session import Lab
from ringfence.operations.init import write_workspace
from ringfence.rollout import run_playbook
from ringfence.sources import survey
from ringfence.workspace import load

pytestmark = pytest.mark.lab
LABELS = """
labels:
  - role: echo
    when: "contains(not_null(listeners, `[]`)[].port, `7000`)"
  - role: db
    when: "contains(not_null(listeners, `[]`)[].port, `5432`)"
"""


def test_a_label_rule_finds_hosts_by_the_ports_that_discover_saw(namespaces: Lab, tmp_path: Path) -> None:
    write_workspace(tmp_path)
    shutil.copy(namespaces.inventory_path, tmp_path / "inventory/10-lab.yml")
    (tmp_path / "labels.yml").write_text(LABELS)
    seen = run_playbook("discover", [tmp_path / "inventory/10-lab.yml"], directory=tmp_path)
    assert seen.ok, (seen.data(), seen.complaint)
    workspace = load(tmp_path)
    now = datetime.now(UTC)
    found = survey([Path("inventory")], workspace.label_rules, workspace.settings, now=now, directory=tmp_path)
    assets = found.snapshot.named()
    assert [assets[name].label_values() for name in ("n1", "n2", "n3", "n4")] == [{"role": "echo"}] * 4
