"""The rulebook for webhooks: what a caller sends reaches no template, no shell and no option."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

PLACE = "collections/ansible_collections/ringfence/core/extensions/eda/rulebooks/quarantine.yml"
RULEBOOK = yaml.safe_load((Path(__file__).parents[3] / PLACE).read_text())[0]
WORD = re.compile(r'event\.payload\.(\w+) is match\("([^"]+)"\)')
FIELD = re.compile(r"\{\{ event\.payload\.(\w+) \}\}")
HOSTILE: list[Any] = [
    "{{ lookup('pipe', 'id') }}", "{% for x in y %}", "{# a #}", "web-1; reboot", "$(reboot)", "`id`", "a|b", "a\nb",
    "web-1\n", "4h\n", "q-12345678\n", "any", "role=web", "10.0.0.0/8", 'web-1"}, x: {"', "\x1b[2J", "\u202eweb",
    "-rf", "--yes", "", " ", "x" * 1_000_000, "q-" + "a" * 1_000_000, "9" * 1_000_000 + "h",
]  # fmt: skip


def rules() -> list[dict[str, Any]]:
    return [rule for rule in RULEBOOK["rules"] if "run_module" in rule["action"]]


def test_every_word_of_a_caller_is_held_to_a_pattern_and_reaches_no_shell() -> None:
    assert len(rules()) == 2
    for rule in rules():
        patterns = dict(WORD.findall(rule["condition"]))
        module = rule["action"]["run_module"]
        assert module["name"] == "ansible.builtin.command"
        assert set(module["module_args"]) == {"argv"}
        used = {name for word in module["module_args"]["argv"] for name in FIELD.findall(word)}
        assert used == set(patterns)
        # what begins a word of its own is no option, and behind `--` nothing is
        for word in module["module_args"]["argv"]:
            begins = FIELD.match(word)
            assert not begins or module["module_args"]["argv"].index("--") < module["module_args"]["argv"].index(word)


@pytest.mark.parametrize("name", ["host", "because", "for", "id"])
def test_what_is_hostile_fits_no_pattern(name: str) -> None:
    (pattern,) = {dict(WORD.findall(rule["condition"])).get(name) for rule in rules()} - {None}
    assert pattern.startswith("^")
    good = {"host": "web-3.example", "because": "alert 4711, see #12", "for": "4h", "id": "q-1a2b3c4d"}
    for other, word in good.items():
        assert (re.search(pattern, word) is not None) == (name in (other, "because") or _also(name, other))
    for word in HOSTILE:
        if name == "because" and word in ("any", "10.0.0.0/8"):
            continue  # words like others, of a reason
        if name == "host" and word == "any":
            continue  # the selector names an asset, and so this one means none
        assert re.search(pattern, word) is None, word[:40]


def _also(name: str, other: str) -> bool:
    """A name of a host may look like a span or an id."""
    return name == "host" and other in ("for", "id")


def test_what_fits_no_rule_is_refused_in_words_of_the_rulebook_alone() -> None:
    last = RULEBOOK["rules"][-1]
    assert last["condition"] == "event.meta is defined"
    assert "{{" not in last["action"]["debug"]["msg"]
    assert "refused" in last["action"]["debug"]["msg"]
