"""What rolls a plan out needs the standard library and ansible-core alone."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[3] / "collections/ansible_collections/ringfence/core/plugins"
ENTRIES = sorted(path for folder in ("action", "lookup", "modules") for path in (PLUGINS / folder).glob("*.py"))
ALLOWED = {*sys.stdlib_module_names, "ansible"}
ENFORCERS = PLUGINS / "plugin_utils/enforcers"
OURS = "ansible_collections.ringfence.core.plugins."


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports; those of the collection with their full names."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            folder = ".".join(path.parent.relative_to(PLUGINS).parts)
            names.add(f"{OURS}{folder}.{node.module}" if node.level else str(node.module))
    return names


def file_of(module: str) -> Path:
    """Return the file of a module of the collection."""
    path = PLUGINS / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def reached(entry: Path) -> dict[Path, set[str]]:
    """Return every file of the collection that a plug-in needs, with what it imports."""
    found: dict[Path, set[str]] = {}
    waiting = [entry]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found[path] = imports(path)
        names = (name.removeprefix(OURS) for name in found[path] if name.startswith(OURS))
        waiting += [file_of(name) for name in names]
        if path == ENFORCERS / "__init__.py":
            waiting += ENFORCERS.glob("*/__init__.py")  # loaded by their names
    return found


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_plug_in_of_the_rollout_needs_neither_the_engine_nor_anything_to_install(entry: Path) -> None:
    for path, names in reached(entry).items():
        foreign = {name for name in names if name.partition(".")[0] not in ALLOWED and not name.startswith(OURS)}
        assert foreign == set(), path
