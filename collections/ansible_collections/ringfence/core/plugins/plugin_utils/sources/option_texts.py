"""Options that people write as YAML and a source wants as texts, filters and labels; and which filters meet nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from ansible.errors import AnsibleParserError
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.label_texts import label_text

# Values that a warning names where none is near.
_NAMED = 5


def texts(value: object) -> list[str]:
    """Return a value, or each of a list, as texts; numbers and truth values come only as they are written."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]


def texts_by_name(mapping: Mapping[str, object] | None) -> dict[str, list[str]]:
    """Return a mapping of names to a value or a list as one of texts to lists of texts."""
    return {str(name): texts(value) for name, value in (mapping or {}).items()}


def text_by_name(mapping: Mapping[str, object] | None) -> dict[str, str]:
    """Return a mapping of names to values as one of texts; raise AnsibleParserError where one has several."""
    for name, value in (mapping or {}).items():
        if isinstance(value, list | dict):
            shape = "a list" if isinstance(value, list) else "a mapping"
            raise AnsibleParserError(f"'{name}' has {shape}, but needs text: write a single text, not a list.")
    return {str(name): str(value) for name, value in (mapping or {}).items()}


def unmatched(
    option: str, wanted: Mapping[str, Sequence[str]], have: Mapping[str, Iterable[str]], what: str
) -> list[str]:
    """Return a warning for every text of a filter that nothing has, with the nearest that there is.

    `have` are the texts that there are by the names of the filter, `what` is what they are looked for in: "row".
    """
    found = []
    for name, values in wanted.items():
        there = sorted({label_text(text) for text in have.get(name, ()) if text})
        for value in values:
            if label_text(value) not in there and not (value == "" and "" in have.get(name, ())):
                where = f"'{option}' has '{value}' for '{name}'" if name else f"'{option}' has '{value}'"
                found.append(f"{where}, which no {what} has ({_nearest(value, there)})")
    return found


def _nearest(value: str, there: Sequence[str]) -> str:
    folded = {text.casefold(): text for text in reversed(there)}
    near = get_close_matches(value.casefold(), list(folded), n=1, cutoff=0.6)
    if near:
        return f"did you mean '{folded[near[0]]}'?"
    more = ", …" if len(there) > _NAMED else ""
    return f"there are: {', '.join(there[:_NAMED])}{more}" if there else "there is nothing"
