"""What runs on a target keeps to Python 3.8 and its standard library."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[3] / "collections/ansible_collections/ringfence/core/plugins"
FILES = [PLUGINS / "modules/linux_flows_info.py", *sorted((PLUGINS / "module_utils").glob("flows_*.py"))]
OURS = "ansible_collections.ringfence.core.plugins.module_utils."


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_python_3_8_and_imports_the_standard_library_alone(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=(3, 8))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    foreign = {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}
    assert all(name.startswith((OURS, "ansible.module_utils.")) for name in foreign), foreign
