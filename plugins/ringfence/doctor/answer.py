"""What a host answered to one look, as a stranger may have written it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

VERSION = re.compile(r"\d{1,6}(\.\d{1,6}){0,4}[\w.+~-]{0,60}", re.ASCII)
WORD = re.compile(r"[\w.@/-]{1,64}", re.ASCII)
NUMBER = re.compile(r"\d{1,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """The values that a host gave to one look, lists of texts by key; whatever is not of that shape is left out."""

    values: Mapping[str, tuple[str, ...]]

    @staticmethod
    def of(told: object) -> Answer:
        """Return the answer of a result's part."""
        found: dict[str, tuple[str, ...]] = {}
        if isinstance(told, Mapping):
            for key, values in list(told.items())[:64]:
                if isinstance(key, str) and isinstance(values, list):
                    found[key] = tuple(text[:200] for text in values[:16] if isinstance(text, str))
        return Answer(found)

    def all(self, key: str) -> tuple[str, ...]:
        """Return every value of a key."""
        return self.values.get(key, ())

    def one(self, key: str, form: re.Pattern[str]) -> str:
        """Return the value of a key that has a form, empty where there is none."""
        return next((text for text in self.all(key) if form.fullmatch(text)), "")
