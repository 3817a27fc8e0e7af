"""What rolls a plan out needs the standard library and ansible-core alone."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[3] / "collections/ansible_collections/ringfence/core/plugins"
FOLDERS = ("action", "lookup", "modules", "module_utils", "plugin_utils")
FILES = sorted(path for folder in FOLDERS for path in (PLUGINS / folder).rglob("*.py"))
ALLOWED = {*sys.stdlib_module_names, "ansible", "ansible_collections"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_no_module_of_the_rollout_imports_the_engine_or_anything_to_install(path: Path) -> None:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(str(node.module).partition(".")[0])
    assert names - ALLOWED == set()
