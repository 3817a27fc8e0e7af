"""Dynamic sets in the ruleset: empty sets that the target fills, and chains that ask whether an address is in them.

A set is called `dyn4_` or `dyn6_` and a hash of its name. Its elements age: what is no answer any more leaves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ringfence.enforcers import membership_chains
from ringfence.enforcers.membership_chains import Case
from ringfence.enforcers.nftables.text import (
    PROTOCOL_OF_FAMILY,
    TYPE_OF_FAMILY,
    Parts,
    chain_text,
    content_name,
    set_text,
)
from ringfence.model.errors import RingfenceError
from ringfence.model.tables import VerdictTable
from ringfence.wire.set_names import set_digest

if TYPE_CHECKING:
    from pydantic import JsonValue

# Seconds that an answer stands unless it is given again, and how many a set holds: 16 every five minutes and then some.
ANSWER_STANDS = 3600
MOST_ANSWERS = 256
# The kernel follows 16 chains (NFT_JUMP_STACK_SIZE), of which a packet passes up to eight beside these.
DEEPEST_QUESTIONS = 7


def add_sets(parts: Parts, table: VerdictTable) -> None:
    """Add the sets of both families for every dynamic set of a table."""
    for dynamic in table.dynamic_sets:
        for family, address in TYPE_OF_FAMILY.items():
            name = f"dyn{family}_{set_digest(dynamic)}"
            parts.sets[name] = set_text("set", name, f"type {address}", f"size {MOST_ANSWERS}", "flags timeout")


def answer_elements(table: VerdictTable) -> list[dict[str, JsonValue]]:
    """Return what the target fills in for names: for every name its sets, and what stands behind an address in them."""
    found: list[dict[str, JsonValue]] = []
    for dynamic in table.dynamic_sets:
        kind, _, name = dynamic.partition(":")
        sets: list[JsonValue] = [
            [f"dyn{family}_{set_digest(dynamic)}", f"timeout {ANSWER_STANDS}s"] for family in (4, 6)
        ]
        found.append({kind: name, "elements": sets})
    return found


def by_membership(parts: Parts, direction: str, field: str, family: int, cases: Sequence[Case]) -> str:
    """Return the chain that leads an address to its target by the sets it is in; the cases tell each membership once.

    Where only one target is left there is no chain, and that target itself is returned. Raise RingfenceError where
    more chains would stand behind each other than the kernel follows.
    """

    def make_chain(asked: Sequence[tuple[str, str]], target: str) -> str:
        address = f"{PROTOCOL_OF_FAMILY[family]} {field}"
        rules = [f"{address} @dyn{family}_{set_digest(name)} goto {inside}" for name, inside in asked]
        chain = content_name(f"{direction}_d", *rules, f"goto {target}")
        parts.chains[chain] = chain_text(chain, (*rules, f"goto {target}"))
        return chain

    try:
        return membership_chains.by_membership(cases, DEEPEST_QUESTIONS, make_chain)
    except membership_chains.TooDeep as error:
        raise RingfenceError(
            f"an address may be an answer to more than {DEEPEST_QUESTIONS} names with services of their own, which "
            f"nftables cannot tell; {error.name} is one of them",
            remedy="give the rules of several names the same services",
        ) from error
