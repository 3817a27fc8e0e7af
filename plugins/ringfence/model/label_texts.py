"""The text of a label's value, and why a text can be none."""

from __future__ import annotations

from ringfence.wire.label_texts import INVISIBLE, label_text

__all__ = ["label_fault", "label_text", "visible"]


def label_fault(text: str) -> str | None:
    """Return why the text of `label_text` can be no label's value, None where it can."""
    if not text:
        return "an empty value"
    wrong = next((character for character in text if not character.isprintable()), None)
    if wrong is None:
        return None
    kind = "invisible" if wrong in INVISIBLE else "control"
    return f"a value with {kind} characters (U+{ord(wrong):04X}), {_shown(text)}"


def visible(text: str) -> str:
    """Return a text from outside as a message may show it: what could steer a terminal is escaped."""
    return text if text.isprintable() else "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _shown(text: str) -> str:
    shown = ascii(text)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"
