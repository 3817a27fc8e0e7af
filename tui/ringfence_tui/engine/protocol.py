"""What goes over the pair of sockets between screens and engine: a length of four bytes, then a pickle."""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass

HEAD = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class Ask:
    """A question by its name, `map.picture`, and what it is asked with; answers carry its number."""

    number: int
    question: str
    request: object


@dataclass(frozen=True, slots=True)
class Cancel:
    """Nobody waits for the answer to this question any more."""

    number: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an answer, or its progress."""

    number: int
    part: object


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of an answer."""

    number: int
    result: object


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer: what is wrong, where, and the remedy, of each error."""

    number: int
    errors: tuple[tuple[str, str, str], ...]


Said = Part | Answer | Failure


def packed(message: object) -> bytes:
    """Return a message as it goes over the socket."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return HEAD.pack(len(body)) + body


def unpacked(body: bytes) -> object:
    """Return the message of a pickle that our own other process wrote."""
    return pickle.loads(body)  # noqa: S301  # only the process at the other end has this socket
