"""The demonstration's workspace: its policy from the package, its inventory from the lab, with tags to label by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import cast

from ruamel.yaml import YAML

TAGS = {"app": "Application", "env": "Environment", "role": "Role", "loc": "Site", "pci": "Data"}
WORDS = {("env", "prod"): "production", ("env", "dev"): "development", ("pci", "true"): "cardholder"}
PROCESS = re.compile(r", process: \{[^{}]*\}")
CONFIGURATION = """\
[defaults]
inventory = inventory
gathering = explicit
interpreter_python = auto_silent
retry_files_enabled = False

[ssh_connection]
pipelining = True
ssh_args = -C -o ControlMaster=auto -o ControlPersist=60s -o ServerAliveInterval=5 -o ServerAliveCountMax=2
"""


def write_workspace(directory: Path, lab_inventory: Path, *, processes: bool) -> list[Path]:
    """Write the workspace and return its policy files; without `processes` rules speak of hosts alone."""
    written = []
    for path, text in _files(resources.files("ringfence.cli.demonstration") / "workspace", Path()):
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text if processes else PROCESS.sub("", text), encoding="utf-8")
        written.append(target)
    (directory / "ansible.cfg").write_text(CONFIGURATION, encoding="utf-8")
    _write_inventory(directory / "inventory" / "10-lab.yml", lab_inventory)
    return sorted(path for path in written if path.is_relative_to(directory / "policy"))


def _files(folder: Traversable, below: Path) -> Iterator[tuple[Path, str]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _files(entry, below / entry.name)
        else:
            yield below / entry.name, entry.read_text(encoding="utf-8")


def _write_inventory(path: Path, lab_inventory: Path) -> None:
    """Write the lab's inventory as a cloud or a hypervisor would tell it: with tags, not with our labels."""
    yaml = YAML()
    inventory = yaml.load(lab_inventory.read_text(encoding="utf-8"))
    for variables in inventory["all"]["hosts"].values():
        labels = cast(Mapping[str, str], variables.pop("ringfence_labels", {}))
        variables["tags"] = {TAGS[key]: WORDS.get((key, value), value) for key, value in labels.items() if key in TAGS}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(inventory, file)
