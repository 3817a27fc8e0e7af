"""Named selectors, services and address lists: defined in any policy file, used in all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ringfence.language.checking import fields
from ringfence.language.nodes import Entry, Node
from ringfence.language.reports import Reports, meant
from ringfence.model.intervals import IntervalSet
from ringfence.model.selectors import Selector
from ringfence.model.services import Services

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
SERVICE_WORDS = frozenset({"any", "tcp", "udp", "sctp", "icmp", "icmpv6", "ip"})


@dataclass(slots=True)
class Definitions:
    """What the files define, by name: as it was written, and, once it was read, what it means (None: it is wrong)."""

    selectors: dict[str, Entry] = field(default_factory=dict)
    services: dict[str, Entry] = field(default_factory=dict)
    lists: dict[str, Entry] = field(default_factory=dict)
    read_selectors: dict[str, Selector | None] = field(default_factory=dict)
    read_services: dict[str, Services | None] = field(default_factory=dict)
    read_lists: dict[str, tuple[IntervalSet, ...]] = field(default_factory=dict)

    @staticmethod
    def of(documents: Iterable[Node], reports: Reports) -> Definitions:
        """Return the definitions of all documents; bad names and second definitions are reported."""
        found = Definitions()
        for document in documents:
            entries = fields(document)
            _collect(entries.get("selectors"), found.selectors, "selector", reports)
            _collect(entries.get("services"), found.services, "service", reports)
            _collect(entries.get("lists"), found.lists, "list", reports)
        return found


def _collect(entry: Entry | None, into: dict[str, Entry], kind: str, reports: Reports) -> None:
    if entry is None:
        return
    for name, definition in fields(entry.value).items():
        if not NAME.fullmatch(name) or (kind == "service" and name in SERVICE_WORDS):
            reports.add(
                definition.place,
                f"'{name}' is not a valid name for a {kind}",
                "a letter or '_', then letters, digits and any of _ . -; and no word of the grammar",
            )
        elif name in into:
            reports.add(
                definition.place, f"the {kind} '{name}' is defined twice", f"first in {into[name].place}: remove one"
            )
        else:
            into[name] = definition


def unknown(kind: str, name: str, known: Mapping[str, Entry]) -> tuple[str, str]:
    """Return the message and the remedy for a name that nothing defines."""
    remedy = meant(name, known, f"the {kind}s are")
    return f"no {kind} is named '{name}'", remedy or f"define it: '{kind}s: {{{name}: …}}'"
