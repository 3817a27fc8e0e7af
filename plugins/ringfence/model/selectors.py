"""Selectors: which assets, or which addresses, a person means. Values only; the compiler evaluates them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ringfence.model.intervals import IntervalSet


@dataclass(frozen=True, slots=True)
class LabelIn:
    """Assets whose label `key` has one of `values`."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelExists:
    """Assets that have (or, with `exists` false, lack) the label `key`."""

    key: str
    exists: bool = True


@dataclass(frozen=True, slots=True)
class AssetNamed:
    """The asset of one name."""

    name: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """What every part chooses; all assets where there are no parts."""

    parts: tuple[Selector, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """What at least one part chooses."""

    parts: tuple[Selector, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The other assets, with the addresses that the part does not choose; never an address of no asset."""

    part: Selector


@dataclass(frozen=True, slots=True)
class AddressIn:
    """Addresses, whichever asset has them: a `cidr` or a named `list`. `text` is the written form, for messages.

    `members` are its networks, ranges and addresses as written; they make no difference between selectors.
    """

    addresses: IntervalSet
    text: str
    members: tuple[IntervalSet, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class FqdnIs:
    """The addresses that a name resolves to: a dynamic set, unknown when a table is compiled."""

    name: str


@dataclass(frozen=True, slots=True)
class AnyAddress:
    """Every address: the word `any`."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Addresses that no asset holds: the word `unknown`."""


@dataclass(frozen=True, slots=True)
class Internet:
    """Unknown addresses outside the workspace's private ranges: the word `internet`."""


Selector = (
    LabelIn | LabelExists | AssetNamed | AllOf | AnyOf | Not | AddressIn | FqdnIs | AnyAddress | Unknown | Internet
)

ANY = AnyAddress()
EVERY_ASSET = AllOf(())


def leaves(selector: Selector) -> Iterator[Selector]:
    """Yield the parts of a selector that have no parts themselves, negated or not."""
    match selector:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield selector


def renamed(selector: Selector, names: Mapping[str, str]) -> Selector:
    """Return a selector that calls assets as `names` has it, where it has the name that was written."""
    match selector:
        case AssetNamed(name):
            return AssetNamed(names[name]) if name in names else selector
        case AllOf(parts):
            return AllOf(tuple(renamed(part, names) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(renamed(part, names) for part in parts))
        case Not(part):
            return Not(renamed(part, names))
        case _:
            return selector


def chooses_assets(selector: Selector) -> bool:
    """Return whether any part of a selector chooses assets and not addresses: a `scope` is and-ed to these parts."""
    match selector:
        case LabelIn() | LabelExists() | AssetNamed() | Not():
            return True
        case AllOf(parts) | AnyOf(parts):
            return not parts or any(chooses_assets(part) for part in parts)
        case _:
            return False


def within(selector: Selector, scope: Selector | None) -> Selector:
    """Return a selector with a ruleset's scope and-ed to what it chooses by label; addresses stay as they are."""
    if scope is None or not chooses_assets(selector):
        return selector
    if isinstance(selector, AnyOf) and selector.parts:
        return AnyOf(tuple(within(part, scope) for part in selector.parts))
    return AllOf((scope, selector))
