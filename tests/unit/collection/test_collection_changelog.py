"""The collection's changelog lists every plug-in that says since which version it is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

CORE = Path(__file__).resolve().parents[3] / "collections/ansible_collections/ringfence/core"
KINDS = ("inventory", "lookup", "modules")


@pytest.mark.parametrize("path", [path for kind in KINDS for path in sorted((CORE / "plugins" / kind).glob("*.py"))])
def test_every_plugin_is_listed_in_the_release_that_it_names(path):
    text = path.read_text(encoding="utf-8")
    if "ringfence.core.target" in text:
        text += (CORE / "plugins/doc_fragments/target.py").read_text(encoding="utf-8")
    since = re.search(r"^version_added: (\S+)$", text, re.MULTILINE)[1]
    release = yaml.safe_load((CORE / "changelogs/changelog.yaml").read_text(encoding="utf-8"))["releases"][since]
    listed = release["modules"] if path.parent.name == "modules" else release["plugins"][path.parent.name]
    assert path.stem in {one["name"] for one in listed}
