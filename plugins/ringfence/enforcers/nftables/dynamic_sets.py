"""Dynamic sets in the ruleset: empty sets that the target fills, and chains that ask whether an address is in them.

A set is called `dyn4_` or `dyn6_` and a hash of its name. Its elements age: what is no answer any more leaves it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pydantic import JsonValue

from ringfence.enforcers.nftables.text import (
    PROTOCOL_OF_FAMILY,
    TYPE_OF_FAMILY,
    Parts,
    chain_text,
    content_name,
    set_text,
)
from ringfence.model.errors import RingfenceError
from ringfence.model.memberships import Membership
from ringfence.model.tables import VerdictTable

# Seconds that an answer stands unless it is given again, and how many a set holds: 16 every five minutes and then some.
ANSWER_STANDS = 3600
MOST_ANSWERS = 256
# The kernel follows 16 chains (NFT_JUMP_STACK_SIZE), of which a packet passes up to eight beside these.
DEEPEST_QUESTIONS = 7

Case = tuple[Membership, str]


def set_digest(name: str) -> str:
    """Return the part of a ruleset's set name that stands for a dynamic set: 12 hexadecimal digits."""
    return hashlib.blake2b(name.encode(), digest_size=6).hexdigest()


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

    Where only one target is left there is no chain, and that target itself is returned. Raises RingfenceError where
    more chains would stand behind each other than the kernel follows.
    """
    return _asked(parts, direction, f"{PROTOCOL_OF_FAMILY[family]} {field}", family, list(cases), DEEPEST_QUESTIONS)


def _asked(parts: Parts, direction: str, address: str, family: int, cases: list[Case], depth: int) -> str:
    rules: list[str] = []
    while len({target for _, target in cases}) > 1:
        name = _first(cases)
        if depth == 0:
            raise RingfenceError(
                f"an address may be an answer to more than {DEEPEST_QUESTIONS} names with services of their own, which "
                f"nftables cannot tell; {name} is one of them",
                remedy="give the rules of several names the same services",
            )
        inside = _asked(parts, direction, address, family, _given(cases, Membership((name,), ())), depth - 1)
        cases = _given(cases, Membership((), (name,)))
        rules.append(f"{address} @dyn{family}_{set_digest(name)} goto {inside}")
    target = cases[0][1]
    while rules and rules[-1].endswith(f" goto {target}"):
        rules.pop()
    if not rules:
        return target
    chain = content_name(f"{direction}_d", *rules, f"goto {target}")
    parts.chains[chain] = chain_text(chain, (*rules, f"goto {target}"))
    return chain


def _first(cases: Sequence[Case]) -> str:
    """Return the set that most cases speak of; of equals the one that the first case names first."""
    counts: dict[str, int] = {}
    for membership, _ in cases:
        for name in (*membership.inside, *membership.outside):
            counts[name] = counts.get(name, 0) + 1
    return max(counts, key=lambda name: counts[name])


def _given(cases: Sequence[Case], known: Membership) -> list[Case]:
    """Return what is left of some cases where a set's membership is known, that set no longer asked for."""
    settled = {*known.inside, *known.outside}
    left: list[Case] = []
    for membership, target in cases:
        if membership.merged(known) is None:
            continue
        inside = tuple(name for name in membership.inside if name not in settled)
        outside = tuple(name for name in membership.outside if name not in settled)
        left.append((Membership(inside, outside), target))
    return left
