"""The playbooks beside the collection call those of the collection, and do nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OWN = sorted((ROOT / "playbooks").iterdir())
COLLECTIONS = {path.name for path in (ROOT / "collections/ansible_collections/ringfence/core/playbooks").iterdir()}


def test_there_is_one_for_each_of_the_collection() -> None:
    # `watch` runs by the command alone, which gives it a socket
    assert {path.name for path in OWN} == COLLECTIONS - {"watch.yml"}


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_a_playbook_imports_the_one_of_its_name_and_nothing_else(path: Path) -> None:
    # ansible-lint reads the collection alone: what such a file may be is said here, to the letter
    title = "[A-Z][^\\n:#{}]*[^\\n:#{}. ]"
    imported = rf"ansible\.builtin\.import_playbook: ringfence\.core\.{path.stem}"
    assert re.fullmatch(rf"---\n- name: {title}\n  {imported}\n", path.read_text(encoding="utf-8"))
