"""Written values with their places: the trees that YAML documents become before anything is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.model.errors import Place

Plain = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A word, number, truth value or null; `text` is what was written, without its quotes."""

    place: Place
    value: Plain
    text: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A YAML sequence."""

    place: Place
    items: tuple[Node, ...]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a mapping; the key is a string, and `place` is the key's."""

    place: Place
    key: str
    value: Node


@dataclass(frozen=True, slots=True)
class Table:
    """A YAML mapping; its keys are strings and differ."""

    place: Place
    entries: tuple[Entry, ...]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def get(self, key: str) -> Node | None:
        """Return the value of a key, or None where the key is absent."""
        return next((entry.value for entry in self.entries if entry.key == key), None)

    def keys(self) -> tuple[str, ...]:
        """Return the keys in the order they were written."""
        return tuple(entry.key for entry in self.entries)


Node = Scalar | Listing | Table


def plain(node: Node) -> object:
    """Return a tree as plain data: dict, list, str, int, float, bool, None."""
    match node:
        case Scalar():
            return node.value
        case Listing():
            return [plain(item) for item in node]
        case Table():
            return {entry.key: plain(entry.value) for entry in node}


def kind(node: Node) -> str:
    """Return what a node is, in words for a message."""
    match node:
        case Listing():
            return "a list"
        case Table():
            return "a mapping"
        case Scalar(value=bool()):
            return f"the truth value {node.text}"
        case Scalar(value=int() | float()):
            return f"the number {node.text}"
        case Scalar(value=None):
            return "nothing"
        case _:
            return f"the word '{node.text}'"
