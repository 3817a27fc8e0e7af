"""The words of a filter: what they mean, the command that says the same, and why nothing is found."""

from __future__ import annotations

from collections.abc import Mapping, Set
from difflib import get_close_matches

from ringfence.wire.first_few import first_few

from ringfence_tui.screens.assets.model import OTHER_KEYS, AssetTable, engine_words, own_words

Values = Mapping[str, Set[str]]
SHOWN = 6


def command_words(filter_text: str, values: Values) -> tuple[list[str], list[str]]:
    """Return the words of the command that lists the same assets, and those of the filter that it has no words for."""
    said, unsaid = list(engine_words(filter_text)), []
    for word in own_words(filter_text):
        key, sign, wanted = word.lstrip("!").partition("=")
        if key in OTHER_KEYS or word == "stale" or (word.startswith("!") and not (sign and key and wanted)):
            unsaid.append(word.removesuffix("=") if word.startswith("!") else word)
        elif word.startswith("!"):
            said.append(f"{{not: {{{key}: [{', '.join(map(_quoted, wanted.split('|')))}]}}}}")
        elif sign and wanted and not wanted.isspace():
            said.append(f"{key}={'|'.join(_begun(one, values.get(key, frozenset())) for one in wanted.split('|'))}")
        else:
            said.append(word)
    return said, unsaid


def why_nothing(filter_text: str, table: AssetTable) -> str:
    """Return which word no asset has, and what may be meant; empty where each word by itself is had by one."""
    for word in own_words(filter_text):
        if word.startswith("!") or table.find(f"{word} " if "=" not in word else word):
            continue
        key, sign, _ = word.partition("=")
        known = sorted(table.values.get(key, ()))
        if not sign or not key:
            return f"no asset has '{word}' in a name, an address or a label; write role=db for a label"
        if not known:
            near = get_close_matches(key, table.values, 1)
            meant = f"did you mean {near[0]}=" if near else f"there are {_some(sorted(table.values))}"
            return f"nothing is called '{key}' here: {meant}"
        return f"no asset has '{word}'; {key} is {_some(known)}"
    return ""


def _some(words: list[str]) -> str:
    return first_few(words, SHOWN)


def _quoted(value: str) -> str:
    """Return a value as YAML in single quotes, which leaves no character a meaning."""
    return "'" + value.replace("'", "''") + "'"


def _begun(value: str, known: Set[str]) -> str:
    """Return the values that begin so where none is as it is typed."""
    lower = value.lower()
    if any(one.lower() == lower for one in known):
        return value
    return "|".join(sorted(one for one in known if one.lower().startswith(lower))) or value
