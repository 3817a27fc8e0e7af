"""The pages of docs/sources and the plugins' own documentation: every example is a configuration that there is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.sources.inventory_run import PLUGINS, ROOT, documentation

PAGES = sorted((ROOT / "docs/sources").glob("*.md"))
SHARED = {"compose", "groups", "keyed_groups", "strict", "cache", "cache_plugin", "cache_timeout", "failures"}


def configurations(page):
    text = page.read_text(encoding="utf-8")
    written = re.findall(r"> inventory/\S+ <<'END'\n(.*?)END\n", text, re.DOTALL)
    for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) + written:
        for document in yaml.safe_load_all(block):
            if isinstance(document, dict) and "plugin" in document:
                yield document


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_shows_a_configuration_with_options_that_there_are(page):
    shown = list(configurations(page))
    assert shown
    for configuration in shown:
        name = configuration["plugin"].removeprefix("ringfence.core.")
        options, _ = documentation(name)
        assert set(configuration) <= options | SHARED


def test_every_example_has_options_and_values_that_its_plug_in_takes():
    shown = [one for page in (*PAGES, ROOT / "docs/inventory.md") for one in configurations(page)]
    shown += [one for path in sorted((PLUGINS / "inventory").glob("*.py")) for one in documentation(path.stem)[1]]
    done = subprocess.run(
        [sys.executable, Path(__file__).parent / "take_examples.py"],
        input=json.dumps(shown),
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            **{f"VMWARE_{name}": "from the environment" for name in ("USER", "PASSWORD")},
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize("plugin", sorted(path.stem for path in (PLUGINS / "inventory").glob("*.py")))
def test_every_plugin_has_examples_and_a_page(plugin):
    _, examples = documentation(plugin)
    assert all(example["plugin"] == f"ringfence.core.{plugin}" for example in examples)
    written = " ".join(path.read_text(encoding="utf-8") for path in (*PAGES, ROOT / "docs/inventory.md"))
    assert f"ringfence.core.{plugin}" in written


@pytest.mark.parametrize("plugin", sorted(path.stem for path in (PLUGINS / "inventory").glob("*.py")))
def test_no_word_of_an_example_is_a_truth_value_to_yaml_1_1(plugin):
    _, examples = documentation(plugin)
    for example in examples:
        assert all(isinstance(one.get("prefix", ""), str) for one in example.get("keyed_groups", ()))
