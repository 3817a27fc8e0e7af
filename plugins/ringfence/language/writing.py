"""Plain data as the YAML that a person would have written: a rule as a list item, what is in it in one line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from ringfence.language.documents import resolved
from ringfence.language.shapes import RuleEntry

ORDER = tuple(field.alias or name for name, field in RuleEntry.model_fields.items())
LABEL_ORDER = ("when", "map", "priority")
BARE = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_./@-]*( [A-Za-z0-9_/][A-Za-z0-9_./@-]*)*")
# YAML 1.1, "bool": what older readers take for truth values.
OLD_TRUTHS = re.compile(r"y|n|yes|no|on|off", re.IGNORECASE)


def rule_lines(rule: Mapping[str, object], indent: int) -> list[str]:
    """Return a rule as the lines of a list item with its dash at `indent`; keys stand in the grammar's order."""
    keys = sorted(rule, key=lambda key: ORDER.index(key) if key in ORDER else len(ORDER))
    return _item_lines(rule, keys, indent)


def label_rule_lines(rule: Mapping[str, object], indent: int) -> list[str]:
    """Return a label rule as the lines of a list item with its dash at `indent`; the label stands first."""
    keys = sorted(rule, key=lambda key: LABEL_ORDER.index(key) if key in LABEL_ORDER else -1)
    return _item_lines(rule, keys, indent)


def item_lines(item: Mapping[str, object], indent: int) -> list[str]:
    """Return a mapping as the lines of a list item with its dash at `indent`, its keys in their order."""
    return _item_lines(item, list(item), indent)


def _item_lines(rule: Mapping[str, object], keys: Sequence[str], indent: int) -> list[str]:
    lines = [f"{scalar_text(key)}: {flow_text(rule[key])}" for key in keys] or ["{}"]
    return [f"{' ' * indent}{'  ' if number else '- '}{line}" for number, line in enumerate(lines)]


def flow_text(value: object) -> str:
    """Return plain data in one line of YAML."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{scalar_text(str(key))}: {flow_text(part)}" for key, part in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(flow_text(part) for part in value) + "]"
        case str():
            return scalar_text(value)
        case _:
            return json.dumps(value)


def scalar_text(text: str) -> str:
    """Return a word as it is where every reader of YAML takes it for that word, else in double quotes."""
    if BARE.fullmatch(text) and resolved(text) == text and not OLD_TRUTHS.fullmatch(text):
        return text
    return "".join(
        part if part.isprintable() else f"\\U{ord(part):08x}" for part in json.dumps(text, ensure_ascii=False)
    )
