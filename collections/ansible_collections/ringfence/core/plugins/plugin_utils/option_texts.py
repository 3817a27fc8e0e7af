"""Options whose values people write as YAML and a source wants as texts: filters, labels."""

from __future__ import annotations

from collections.abc import Mapping


def texts(value: object) -> list[str]:
    """Return a value, or each of a list, as texts, with `true` and `false` in the spelling of interfaces."""
    values = value if isinstance(value, list) else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]


def texts_by_name(mapping: Mapping[str, object]) -> dict[str, list[str]]:
    """Return a mapping of names to a value or a list as one of texts to lists of texts."""
    return {str(name): texts(value) for name, value in mapping.items()}


def text_by_name(mapping: Mapping[str, object]) -> dict[str, str]:
    """Return a mapping of names to values as one of texts."""
    return {str(name): str(value) for name, value in mapping.items()}
