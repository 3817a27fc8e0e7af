"""`suggestions.yml`: what was suggested and a person rejected, with the reason; it is never suggested again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringfence.files import write_whole
from ringfence.language.checking import fields, items
from ringfence.language.definitions import Definitions
from ringfence.language.documents import parse_documents, read_text
from ringfence.language.editing import add_items
from ringfence.language.nodes import Node, Scalar, Table
from ringfence.language.reports import Reports
from ringfence.language.selectors import SelectorReader
from ringfence.language.values import service_set
from ringfence.language.writing import item_lines
from ringfence.model.rules import Peer
from ringfence.model.services import Services

FILE = "suggestions.yml"
LIST = "rejected"
KEYS = ("id", "from", "to", "allow", "because", "date")
HEAD = """\
# What 'ringfence suggest' suggested and a person rejected. Traffic that such a rule would allow is not suggested again;
# take an entry away to be asked once more. Keep this file in git.
rejected:
"""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A rule that a person does not want, and why."""

    id: str
    sources: tuple[Peer, ...]
    destinations: tuple[Peer, ...]
    services: Services
    because: str


def read_rejections(path: Path, definitions: Definitions, root: Path) -> tuple[Rejection, ...]:
    """Return what the file holds, nothing where there is none.

    Raise InputErrors with the place of everything that is wrong.
    """
    if not path.exists():
        return ()
    reports = Reports()
    shown = path.relative_to(root).as_posix()
    documents = parse_documents(read_text(path, shown, reports) or "", shown, reports)
    selectors = SelectorReader(definitions, reports)
    found = []
    for document in documents:
        for key, entry in fields(document).items():
            if key != LIST:
                reports.add(entry.place, f"'{key}' is not a key of {FILE}", f"there is one: {LIST}")
        if not isinstance(document, Table):
            reports.add(document.place, "this is not a mapping", f"write '{LIST}:' and a list")
        for node in items(fields(document).get(LIST)):
            found.append(_rejection(node, selectors, definitions, reports))
    reports.settle()
    return tuple(one for one in found if one is not None)


def add_rejections(path: Path, rejected: Sequence[Mapping[str, object]]) -> None:
    """Write rejections behind those that the file holds; its comments and layout stay.

    Raise InputError if the file is broken, and OSError.
    """
    if not path.exists():
        write_whole(path, HEAD)
    add_items(path, LIST, rejected, item_lines)


def _rejection(node: Node, selectors: SelectorReader, definitions: Definitions, reports: Reports) -> Rejection | None:
    entries = fields(node)
    if not isinstance(node, Table):
        reports.add(node.place, "this is not a rejection", f"write a mapping with {', '.join(KEYS)}")
        return None
    for key, entry in entries.items():
        if key not in KEYS:
            reports.add(entry.place, f"'{key}' is not a key of a rejection", f"there are {', '.join(KEYS)}")
    lacking = [key for key in ("from", "to", "allow") if key not in entries]
    if lacking:
        reports.add(node.place, f"this rejection lacks {', '.join(lacking)}", "say which rule is not wanted")
        return None
    sources = selectors.peers(entries["from"].value, "from")
    destinations = selectors.peers(entries["to"].value, "to")
    services = service_set(entries["allow"].value, definitions, reports)
    if sources is None or destinations is None or services is None:
        return None
    words = {key: _text(entries[key].value) for key in ("id", "because") if key in entries}
    return Rejection(words.get("id", ""), sources, destinations, services, words.get("because", ""))


def _text(node: Node) -> str:
    return str(node.value) if isinstance(node, Scalar) else ""
