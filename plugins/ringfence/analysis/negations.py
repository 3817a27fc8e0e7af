"""`not` over addresses: it chooses assets alone, where a person may mean every other address."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.analysis.peer_resolution import chosen_outside
from ringfence.model.addresses import EVERY_ADDRESS
from ringfence.model.intervals import IntervalSet, union
from ringfence.model.selectors import AddressIn, AllOf, AnyAddress, AnyOf, Internet, Not, Selector, Unknown, leaves

EVERYWHERE = "0.0.0.0/0, '::/0'"
# How to say that assets alone are meant: it is what such a `not` chooses.
ASSETS_ALONE = "{all: [{}, {not: …}]}"


def misleading_not(selector: Selector, private: IntervalSet) -> Not | None:
    """Return the first `not` over addresses that would choose addresses of no asset if it meant every other address.

    None where labels beside it keep those out anyway, and where there is no such `not`. `private` are the addresses
    that `internet` never means.
    """
    if _as_complement(selector, private) == chosen_outside(selector, EVERY_ADDRESS, private):
        return None
    return next(_over_addresses(selector), None)


def every_other(negation: Not) -> str:
    """Return how to write that every other address is meant."""
    match negation.part:
        case AddressIn(_, text) if not text[:1].isdigit() and ":" not in text:
            return f"{{cidr: [{EVERYWHERE}], except: […]}} with the networks of '{text}'"
        case AddressIn(_, text) if " except " in text:
            networks, _, without = text.partition(" except ")
            return f"[{{cidr: [{EVERYWHERE}], except: [{_quoted(networks)}]}}, {{cidr: [{_quoted(without)}]}}]"
        case AddressIn(_, text):
            return f"{{cidr: [{EVERYWHERE}], except: [{_quoted(text)}]}}"
        case AnyOf(parts) if all(isinstance(part, AddressIn) for part in parts):
            texts = ", ".join(part.text for part in parts if isinstance(part, AddressIn))
            return f"{{cidr: [{EVERYWHERE}], except: [{_quoted(texts)}]}}"
        case Not(AddressIn(_, text)):
            return f"{{cidr: [{_quoted(text)}]}}"
        case Unknown():
            return "{}"
        case Internet():
            return "[{}, {cidr: […]}] with the private ranges"
        case _:
            return f"{{cidr: [{EVERYWHERE}], except: […]}}, and what is chosen by label on its own"


def _quoted(texts: str) -> str:
    """Return networks as they can stand in a YAML list: those of IPv6 in quotes."""
    return ", ".join(f"'{text}'" if ":" in text else text for text in texts.split(", "))


def _as_complement(selector: Selector, private: IntervalSet) -> IntervalSet:
    """Return the addresses of no asset that a selector would choose if `not` over addresses were their complement."""
    match selector:
        case Not(part) if _speaks_of_addresses(part):
            return EVERY_ADDRESS - _as_complement(part, private)
        case AllOf(parts) if parts:
            chosen = EVERY_ADDRESS
            for part in parts:
                chosen = chosen & _as_complement(part, private)
            return chosen
        case AnyOf(parts):
            return union(_as_complement(part, private) for part in parts)
        case _:
            return chosen_outside(selector, EVERY_ADDRESS, private)


def _over_addresses(selector: Selector) -> Iterator[Not]:
    match selector:
        case Not(part) if _speaks_of_addresses(part):
            yield selector
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _over_addresses(part)
        case _:
            return


def _speaks_of_addresses(selector: Selector) -> bool:
    return any(isinstance(leaf, AddressIn | AnyAddress | Internet | Unknown) for leaf in leaves(selector))
