"""What a selector is made of: the first part of a kind, what it names as one of several, and how large it is."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.language.values import MOST_NESTING
from ringfence.model.selectors import AllOf, AnyOf, AssetNamed, FqdnIs, LabelIn, Not, Selector, leaves

MOST_LEAVES = 10_000


def one_of_several(selector: Selector) -> Iterator[Selector]:
    """Yield the assets and the label values that a selector names as one of several, outside of `not`."""
    match selector:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from one_of_several(part)
        case LabelIn(key, values) if len(values) > 1:
            yield from (LabelIn(key, (value,)) for value in values)
        case AssetNamed():
            yield selector


def excess(selector: Selector) -> str | None:
    """Return in what a selector exceeds what later stages are made for, or None."""
    if _leaves(selector, MOST_LEAVES) > MOST_LEAVES:
        return f"has more than {MOST_LEAVES} parts"
    return f"is nested deeper than {MOST_NESTING} levels" if _depth(selector) > MOST_NESTING else None


def _depth(selector: Selector, above: int = 0) -> int:
    """Return how deeply a selector is nested; past `MOST_NESTING` twice over, counting ends."""
    match selector:
        case AllOf(parts) | AnyOf(parts) if above <= 2 * MOST_NESTING:
            return 1 + max((_depth(part, above + 1) for part in parts), default=0)
        case Not(part) if above <= 2 * MOST_NESTING:
            return 1 + _depth(part, above + 1)
        case _:
            return 1


def _leaves(selector: Selector, most: int) -> int:
    """Return the number of a selector's leaves; counting ends soon after `most`."""
    match selector:
        case AllOf(parts) | AnyOf(parts):
            count = 0
            for part in parts:
                count += _leaves(part, most - count)
                if count > most:
                    break
            return count
        case Not(part):
            return _leaves(part, most)
        case _:
            return 1


def negated_name(selector: Selector) -> Selector | None:
    """Return the first name of a selector that stands under `not`."""
    match selector:
        case AllOf(parts) | AnyOf(parts):
            return next((found for part in parts if (found := negated_name(part))), None)
        case Not(part):
            return first(part, FqdnIs)
        case _:
            return None


def first(selector: Selector, kinds: type[Selector] | tuple[type[Selector], ...]) -> Selector | None:
    """Return the first leaf of a selector that is of one of these kinds."""
    return next((leaf for leaf in leaves(selector) if isinstance(leaf, kinds)), None)
