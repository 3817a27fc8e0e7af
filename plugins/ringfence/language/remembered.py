"""Texts that were parsed or edited a moment ago: a draft asks for the same ones again and again."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from threading import Lock

from ringfence.language.documents import CONTROLS, parse_documents
from ringfence.language.nodes import Node
from ringfence.language.reports import Reports
from ringfence.model.errors import InputError, InputErrors

# What is larger is parsed each time: memory is dearer then.
LARGEST = 1 << 20
_EDITS = 64


def documents_of(text: str, file: str, reports: Reports) -> tuple[Node, ...]:
    """Return the documents of a YAML text as `parse_documents` does, with what is wrong reported again."""
    documents, errors = (_remembered if len(text) <= LARGEST else _parsed)(text, file)
    for error in errors:
        assert error.place is not None
        reports.add(error.place, error.message, error.remedy)
    return documents


def _parsed(text: str, file: str) -> tuple[tuple[Node, ...], tuple[InputError, ...]]:
    reports = Reports()
    documents = parse_documents(text, file, reports, CONTROLS)
    try:
        reports.settle()
    except InputErrors as found:
        return documents, tuple(found.errors)
    return documents, ()


_remembered = lru_cache(maxsize=12)(_parsed)


class Edits:
    """Texts that edits made of others: an edit is proven once. What is refused is tried each time."""

    def __init__(self) -> None:
        self._texts: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._lock = Lock()

    def made(self, edit: object, text: str, make: Callable[[], str]) -> str:
        """Return what an edit, given as plain data, makes of a text."""
        key = (json.dumps(edit, sort_keys=True), text)
        with self._lock:
            known = self._texts.get(key)
        if known is not None:
            return known
        made = make()
        with self._lock:
            self._texts[key] = made
            while len(self._texts) > _EDITS or sum(map(len, self._texts.values())) > 16 * LARGEST:
                self._texts.popitem(last=False)
        return made
