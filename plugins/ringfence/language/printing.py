"""Selectors, peers and processes in one line, as messages and derived names show them."""

from __future__ import annotations

from collections.abc import Iterable

from ringfence.model.rules import Peer, Process
from ringfence.model.selectors import (
    AddressIn,
    AllOf,
    AnyAddress,
    AnyOf,
    AssetNamed,
    FqdnIs,
    Internet,
    LabelExists,
    LabelIn,
    Not,
    Selector,
    Unknown,
)


def selector_text(selector: Selector) -> str:
    """Return a selector in words: `role=web|api and not env=dev`; `any asset` for the selector without parts."""
    match selector:
        case LabelIn(key, values):
            return f"{key}={'|'.join(values)}"
        case LabelExists(key, exists):
            return f"{'has' if exists else 'lacks'} {key}"
        case AssetNamed(name):
            return name
        case AddressIn(_, text):
            return text
        case FqdnIs(name):
            return name
        case AllOf(()):
            return "any asset"
        case AllOf(parts):
            return " and ".join(_nested(part) for part in parts)
        case AnyOf(parts):
            return " or ".join(_nested(part) for part in parts) or "no asset"
        case Not(part):
            return f"not {_nested(part)}"
        case AnyAddress():
            return "any"
        case Unknown():
            return "unknown"
        case Internet():
            return "internet"


def process_text(process: Process) -> str:
    """Return a process in words: `unit shop-api.service of user shop`."""
    kinds = (
        ("unit", process.units),
        ("user", process.users),
        ("program", process.programs),
        ("service", process.services),
    )
    return " of ".join(f"{kind} {'|'.join(names)}" for kind, names in kinds if names)


def peer_text(peer: Peer) -> str:
    """Return a peer in words: its selector, and its process in brackets."""
    who = f" [{process_text(peer.process)}]" if peer.process else ""
    return f"{selector_text(peer.selector)}{who}"


def peers_text(peers: Iterable[Peer]) -> str:
    """Return alternatives in words, joined by `or`."""
    return " or ".join(peer_text(peer) for peer in peers)


def _nested(selector: Selector) -> str:
    text = selector_text(selector)
    return f"({text})" if isinstance(selector, AllOf | AnyOf) and len(selector.parts) > 1 else text
