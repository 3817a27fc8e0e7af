"""Dynamic sets: empty sets that the target fills with answers, and chains that ask whether an address is in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ringfence.enforcers import membership_chains
from ringfence.enforcers.iptables.text import GENERATION, Parts, set_text
from ringfence.enforcers.membership_chains import Case
from ringfence.model.errors import RingfenceError
from ringfence.model.rules import Direction
from ringfence.model.tables import VerdictTable
from ringfence.wire.set_names import set_digest

if TYPE_CHECKING:
    from pydantic import JsonValue

# Seconds that an answer stands unless it is given again, and how many a set holds.
ANSWER_STANDS = 3600
MOST_ANSWERS = 256
# `-g` leaves no trace behind it, but a host's other rules may, and iptables over nf_tables follows 16 chains in all.
DEEPEST_QUESTIONS = 7


def _name(dynamic: str, family: int) -> str:
    return f"rf_dyn{family}_{set_digest(dynamic)}{GENERATION}"


def add_sets(parts: Parts, table: VerdictTable) -> None:
    """Add the set of one family for every dynamic set of a table."""
    for dynamic in table.dynamic_sets:
        name = _name(dynamic, parts.family)
        parts.sets[name] = set_text(parts.family, name, "hash:ip", MOST_ANSWERS, f"timeout {ANSWER_STANDS}")


def answer_elements(table: VerdictTable) -> list[dict[str, JsonValue]]:
    """Return what the target fills in for names: for every name its sets, without their generation."""
    found: list[dict[str, JsonValue]] = []
    for dynamic in table.dynamic_sets:
        kind, _, name = dynamic.partition(":")
        sets: list[JsonValue] = [
            [_name(dynamic, family).removesuffix(GENERATION), f"timeout {ANSWER_STANDS}s"] for family in (4, 6)
        ]
        found.append({kind: name, "elements": sets})
    return found


def by_membership(parts: Parts, direction: Direction, remote: str, cases: Sequence[Case]) -> str:
    """Return the chain that leads an address to its target by the sets it is in; the cases tell each membership once.

    Where only one target is left there is no chain, and that target itself is returned. Raise RingfenceError where
    more chains would stand behind each other than are followed.
    """

    def make_chain(asked: Sequence[tuple[str, str]], target: str) -> str:
        rules = [f"-m set --match-set {_name(name, parts.family)} {remote} -g {inside}" for name, inside in asked]
        return parts.chain(f"rf_{direction}_d", [*rules, f"-g {target}"])

    try:
        return membership_chains.by_membership(cases, DEEPEST_QUESTIONS, make_chain)
    except membership_chains.TooDeep as error:
        raise RingfenceError(
            f"an address may be an answer to more than {DEEPEST_QUESTIONS} names with services of their own, which "
            f"iptables cannot tell; {error.name} is one of them",
            remedy="give the rules of several names the same services",
        ) from error
