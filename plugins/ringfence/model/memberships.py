"""Memberships: which dynamic sets an address is in, and what a selector chooses for each of them.

A dynamic set's members are not known when a table is compiled, so what depends on them is told for members and for
non-members. A set is called by its kind and name: `fqdn:api.example.org`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import product

from ringfence.model.errors import InputError
from ringfence.model.selectors import ANY, AllOf, AnyOf, FqdnIs, Selector, leaves

MOST_ALTERNATIVES = 4096


@dataclass(frozen=True, slots=True, order=True)
class Membership:
    """A condition on an address: it is in all sets of `inside` and in none of `outside`; both sorted."""

    inside: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()

    def holds(self, sets: Collection[str]) -> bool:
        """Return whether an address in these sets, and in no other, meets the condition."""
        return all(name in sets for name in self.inside) and not any(name in sets for name in self.outside)

    def merged(self, other: Membership) -> Membership | None:
        """Return both conditions as one, or None where no address can meet both."""
        if not (other.inside or other.outside):
            return self
        inside, outside = {*self.inside, *other.inside}, {*self.outside, *other.outside}
        if inside & outside:
            return None
        return Membership(tuple(sorted(inside)), tuple(sorted(outside)))

    @property
    def size(self) -> int:
        """Return how many sets the condition asks for."""
        return len(self.inside) + len(self.outside)

    def opposites(self) -> Iterator[tuple[Membership, Membership]]:
        """Yield each condition that differs in one set alone, with the one that holds for both: without the set."""
        for name in (*self.inside, *self.outside):
            inside, outside = ({one for one in names if one != name} for names in (self.inside, self.outside))
            both = Membership(tuple(sorted(inside)), tuple(sorted(outside)))
            mirrored = (inside, outside | {name}) if name in self.inside else (inside | {name}, outside)
            yield Membership(*(tuple(sorted(names)) for names in mirrored)), both

    def __str__(self) -> str:
        """Return the condition as words behind an address: `in fqdn:a and not in fqdn:b`."""
        return " and ".join([f"in {name}" for name in self.inside] + [f"not in {name}" for name in self.outside])


ALWAYS = Membership()


def set_of(selector: FqdnIs) -> str:
    """Return what the dynamic set of a selector is called."""
    return f"fqdn:{selector.name}"


def sets_of(selector: Selector) -> tuple[str, ...]:
    """Return the dynamic sets that a selector names, each once."""
    return tuple(dict.fromkeys(set_of(leaf) for leaf in leaves(selector) if isinstance(leaf, FqdnIs)))


def alternatives(selector: Selector) -> list[tuple[frozenset[str], Selector]]:
    """Return what a selector chooses as alternatives: sets to be in, and a selector without dynamic sets.

    An address is chosen if it meets one of them. A name never stands under `not` (the language refuses it), so no
    alternative asks an address to be outside of a set. Raises InputError where there are too many.
    """
    if not sets_of(selector):
        return [(frozenset(), selector)]
    found: list[tuple[frozenset[str], Selector]] = []
    match selector:
        case FqdnIs():
            return [(frozenset({set_of(selector)}), ANY)]
        case AnyOf(parts):
            found = [one for part in parts for one in alternatives(part)]
        case AllOf(parts):
            for chosen in product(*map(alternatives, parts)):
                sets = frozenset[str]().union(*(needed for needed, _ in chosen))
                found.append((sets, AllOf(tuple(plain for _, plain in chosen))))
                if len(found) > MOST_ALTERNATIVES:
                    break
        case _:
            raise InputError("a name cannot stand under 'not'", remedy="pass or allow it, and deny the rest")
    if len(found) > MOST_ALTERNATIVES:
        raise InputError(f"a selector combines names in more than {MOST_ALTERNATIVES} ways", remedy="split the rule")
    return found
