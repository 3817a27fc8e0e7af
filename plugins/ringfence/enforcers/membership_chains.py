"""From the dynamic sets that an address is in to what decides next: one question after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ringfence.model.memberships import Membership

Case = tuple[Membership, str]
# Makes a chain of the sets to ask for, with where their members go, and of where all others go; returns its name.
MakeChain = Callable[[Sequence[tuple[str, str]], str], str]


class TooDeep(Exception):
    """More questions would stand behind each other than allowed; `name` is the set that is one too many."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def by_membership(cases: Sequence[Case], depth: int, make_chain: MakeChain) -> str:
    """Return where an address starts that is to be led by the sets it is in; the cases tell each membership once.

    Where only one target is left there is no chain, and that target itself is returned. Raises TooDeep.
    """
    left = list(cases)
    asked: list[tuple[str, str]] = []
    while len({target for _, target in left}) > 1:
        name = _first(left)
        if depth == 0:
            raise TooDeep(name)
        inside = by_membership(_given(left, Membership((name,), ())), depth - 1, make_chain)
        left = _given(left, Membership((), (name,)))
        asked.append((name, inside))
    target = left[0][1]
    while asked and asked[-1][1] == target:
        asked.pop()
    return make_chain(asked, target) if asked else target


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
