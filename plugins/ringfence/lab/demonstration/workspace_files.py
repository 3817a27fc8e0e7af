"""The demonstration's workspace: its policy from the package, its inventory and exports from the lab's hosts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from ringfence.lab.demonstration import records
from ringfence.lab.spec import HostSpec

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


def write_workspace(
    directory: Path, lab_inventory: Path, hosts: Sequence[HostSpec], *, processes: bool, first_look: bool = False
) -> list[Path]:
    """Write the workspace and return its policy files; without `processes` rules speak of hosts alone.

    For a `first_look` only denials bite, and the one that separates dev from production is left to the reader.
    """
    written = []
    package = resources.files("ringfence.lab.demonstration")
    files = dict(_files(package / "workspace", Path()))
    if first_look:
        files |= dict(_files(package / "first_look", Path()))
    for path, text in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text if processes else PROCESS.sub("", text), encoding="utf-8")
        written.append(target)
    (directory / "ansible.cfg").write_text(CONFIGURATION, encoding="utf-8")
    records.write_inventory(directory / records.SOURCE, lab_inventory, hosts)
    exports = directory / "exports"
    exports.mkdir()
    (exports / "cmdb.csv").write_text(records.cmdb(hosts), encoding="utf-8")
    (exports / "operations.json").write_text(records.operations(hosts), encoding="utf-8")
    return sorted(path for path in written if path.is_relative_to(directory / "policy"))


def _files(folder: Traversable, below: Path) -> Iterator[tuple[Path, str]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _files(entry, below / entry.name)
        else:
            yield below / entry.name, entry.read_text(encoding="utf-8")
