"""What people type to ask about: selectors and services, in short or in the grammar's own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ringfence.language.documents import parse_documents
from ringfence.language.nodes import Listing, Node
from ringfence.language.reports import Reports
from ringfence.language.selectors import WORDS, SelectorReader
from ringfence.language.values import service_set
from ringfence.model.addresses import network_of
from ringfence.model.errors import InputError
from ringfence.model.selectors import AddressIn, AssetNamed, Selector
from ringfence.model.services import Services, parse_service
from ringfence.workspace import Workspace

T = TypeVar("T")
COMMAND_LINE = "command line"


class Asking:
    """Reads selectors and services with the definitions of a workspace's policy files."""

    def __init__(self, workspace: Workspace) -> None:
        self.definitions = workspace.definitions

    def selectors(self, text: str) -> tuple[Selector, ...]:
        """Return what a text means: `role=web,env=prod|dev`, `{role: web}`, a word, a network, an asset's name.

        A list in the grammar's form gives its alternatives. Raises InputErrors for a text that is none of these.
        """
        text = text.strip()
        if text in WORDS:
            return (WORDS[text],)
        if text.startswith(("{", "[")):
            return self._read(text, self._written)
        if "=" in text:
            return self._read(_long(text), self._written)
        try:
            return (AddressIn(network_of(text), text),)
        except InputError:
            if "/" in text:
                raise
            return (AssetNamed(text),)

    def services(self, text: str) -> Services:
        """Return the services of a text: what stands behind `allow:`, several separated by commas."""
        parts = [part.strip() for part in text.split(",")]
        total = Services()
        for part in parts:
            total = total | self._service(part)
        return total

    def _service(self, text: str) -> Services:
        if text not in self.definitions.services:
            return parse_service(text)
        entry = self.definitions.services[text]
        reports = Reports()
        found = service_set(entry.value, self.definitions, reports, (text,))
        reports.settle()
        if found is None:
            raise InputError(f"the service '{text}' is not well defined", entry.place)
        return found

    def _written(self, node: Node, reports: Reports) -> tuple[Selector, ...]:
        reader = SelectorReader(self.definitions, reports)
        nodes = node.items if isinstance(node, Listing) else (node,)
        return tuple(selector for one in nodes if (selector := reader.selector(one)) is not None)

    def _read(self, text: str, read: Callable[[Node, Reports], T]) -> T:
        reports = Reports()
        documents = parse_documents(text, COMMAND_LINE, reports)
        reports.settle()
        if len(documents) != 1:
            raise InputError(f"'{text}' is no selector", remedy="write role=web or {role: web}")
        found = read(documents[0], reports)
        reports.settle()
        return found


def _long(text: str) -> str:
    """Return the grammar's form of `role=web|api,env=prod`; `role=` asks for the label's existence."""
    pairs = []
    for pair in text.split(","):
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise InputError(f"'{pair}' is no label", remedy="write key=value")
        values = [_quoted(one.strip()) for one in value.split("|")] if value.strip() else []
        pairs.append(f"{_quoted(key.strip())}: {'[' + ', '.join(values) + ']' if values else '{exists: true}'}")
    return "{" + ", ".join(pairs) + "}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
