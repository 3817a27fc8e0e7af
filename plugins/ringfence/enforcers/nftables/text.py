"""Parts of a ruleset's text: named chains and maps, collected once each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ringfence.model.rules import Direction
from ringfence.model.tables import Cell

PROTOCOL_OF_FAMILY = {4: "ip", 6: "ip6"}
TYPE_OF_FAMILY = {4: "ipv4_addr", 6: "ipv6_addr"}


@dataclass
class Parts:
    """The sets, maps and chains of one table by name, in the order in which they were first needed.

    `before_peers`, on a host of containers, puts a chain before one that looks remote addresses up
    (`container_chains.Holding`).
    """

    sets: dict[str, str] = field(default_factory=dict)
    chains: dict[str, str] = field(default_factory=dict)
    before_peers: Callable[[Parts, Direction, int, Sequence[tuple[Cell, str]], str], str] | None = None

    def text(self) -> str:
        """Return all of them as the inside of a table block."""
        return "".join((*self.sets.values(), *self.chains.values()))


def content_name(prefix: str, *content: str) -> str:
    """Return a name that says what is in it, so that equal content has one name in every ruleset and version."""
    return f"{prefix}_{hashlib.blake2b(chr(0).join(content).encode(), digest_size=6).hexdigest()}"


def chain_text(name: str, rules: Iterable[str]) -> str:
    """Return a chain block."""
    return "\n\t\t".join((f"\tchain {name} {{", *rules)) + "\n\t}\n"


def set_text(kind: str, name: str, *properties: str) -> str:
    """Return a block of kind `set` or `map`."""
    return "\n\t\t".join((f"\t{kind} {name} {{", *properties)) + "\n\t}\n"


def elements_text(elements: str) -> str:
    """Return the property that gives a set its elements."""
    return f"elements = {{ {elements} }}"
