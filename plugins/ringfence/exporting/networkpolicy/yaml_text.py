"""Objects as YAML that every parser reads alike: 1.1 as kubectl's, and 1.2; the same bytes for the same objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

# Words that no parser takes for a number, a truth or a null; everything else stands in quotes.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*([./-][A-Za-z0-9]+)*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def yaml_text(value: object) -> str:
    """Return one document, with its `---`, of dictionaries, lists, texts and whole numbers."""
    return "\n".join(["---", *_lines(value, "")]) + "\n"


def _lines(value: object, indent: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _entry(f"{indent}{_scalar(key)}:", inner, f"{indent}  ")
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict | list) and inner:
                first, *rest = _lines(inner, f"{indent}  ")
                yield f"{indent}- {first.removeprefix(f'{indent}  ')}"
                yield from rest
            else:
                yield f"{indent}- {_scalar(inner)}"


def _entry(head: str, value: object, indent: str) -> Iterator[str]:
    if isinstance(value, dict | list) and value:
        yield head
        yield from _lines(value, indent)
    else:
        yield f"{head} {_scalar(value)}"


def _scalar(value: object) -> str:
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    # JSON's escapes are YAML's, but for the pairs that JSON has beyond U+FFFF
    return "".join(one if ord(one) <= 0xFFFF else f"\\U{ord(one):08X}" for one in _quoted(text))


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(one if " " <= one <= "~" or ord(one) > 0xFFFF else f"\\u{ord(one):04x}" for one in quoted)
