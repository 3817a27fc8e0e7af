"""Selectors of labels as what a Kubernetes label selector can say: alternatives, each a set of requirements.

A requirement is `In`, `NotIn`, `Exists` or `DoesNotExist` of one label, as in apimachinery. `NotIn` holds
for pods that lack the label, as `not` does in the language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ringfence.exporting.networkpolicy.refusals import Inexpressible
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

MOST_TERMS = 64


@dataclass(frozen=True, order=True, slots=True)
class Requirement:
    """What is asked of one label; `values` are sorted, and empty for `Exists` and `DoesNotExist`."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def holds(self, value: str | None) -> bool:
        """Return whether a label's value, None where there is none, meets it."""
        match self.operator:
            case "In":
                return value in self.values
            case "NotIn":
                return value not in self.values
            case "Exists":
                return value is not None
            case _:
                return value is None


Term = frozenset[Requirement]
Terms = tuple[Term, ...]
EVERY: Terms = (frozenset(),)
NONE: Terms = ()


@dataclass(frozen=True)
class Reader:
    """Reads selectors for pods: `constants` are labels that all of them share, `is_pod` says which names are pods'."""

    constants: dict[str, str]
    present: frozenset[str]
    is_pod: Callable[[str], bool]

    def terms(self, selector: Selector) -> Terms:
        """Return the alternatives that choose the same pods. Raise Inexpressible where there are none."""
        return self._read(selector, wanted=True)

    def _read(self, selector: Selector, *, wanted: bool) -> Terms:
        match selector:
            case LabelIn(key, values) if key in self.constants:
                return _constant((self.constants[key] in values) is wanted)
            case LabelIn(key, values):
                return (frozenset({Requirement(key, "In" if wanted else "NotIn", tuple(sorted(set(values))))}),)
            case LabelExists(key, exists) if key in self.constants or key in self.present:
                return _constant(exists is wanted)
            case LabelExists(key, exists):
                return (frozenset({Requirement(key, "Exists" if exists is wanted else "DoesNotExist")}),)
            case Not(part):
                return self._read(part, wanted=not wanted)
            case AllOf(parts) | AnyOf(parts):
                read = [self._read(part, wanted=wanted) for part in parts]
                return every(read) if isinstance(selector, AllOf) is wanted else either(read)
            case AnyAddress():
                return _constant(wanted)
            case Unknown() | Internet() | FqdnIs():
                return _constant(not wanted)
            case AssetNamed(name):
                if self.is_pod(name):
                    raise Inexpressible(f"'{name}' is a pod, and no selector names a pod", "choose it by a label")
                return _constant(not wanted)
            case AddressIn(_, text):
                raise Inexpressible(f"'{text}' stands together with labels", "make two rules of it")


def every(parts: Iterable[Terms]) -> Terms:
    """Return what all of some alternatives choose."""
    found = EVERY
    for part in parts:
        found = _smaller(joined for one in found for other in part if (joined := _joined(one | other)) is not None)
    return found


def either(parts: Iterable[Terms]) -> Terms:
    """Return what at least one of some alternatives chooses."""
    return _smaller(term for part in parts for term in part)


def at_value(terms: Terms, key: str, value: str) -> Terms:
    """Return what alternatives say of pods whose label `key` has one value, without that label."""
    held = [term for term in terms if all(one.holds(value) for one in term if one.key == key)]
    return _smaller(frozenset(one for one in term if one.key != key) for term in held)


def _constant(true: bool) -> Terms:
    return EVERY if true else NONE


def _smaller(terms: Iterable[Term]) -> Terms:
    """Return alternatives in order, without those that another one says already."""
    distinct = sorted(set(terms), key=lambda term: (len(term), sorted(term)))
    if len(distinct) > MOST_TERMS * 4:
        raise Inexpressible("the selector has too many alternatives for label selectors", "write it with fewer 'not'")
    kept: list[Term] = []
    for term in distinct:
        if not any(other <= term for other in kept):
            kept.append(term)
    if len(kept) > MOST_TERMS:
        raise Inexpressible("the selector has too many alternatives for label selectors", "write it with fewer 'not'")
    return tuple(kept)


def _joined(term: Term) -> Term | None:
    """Return requirements with one `In` a label; None where no pod can meet them."""
    chosen: dict[str, set[str]] = {}
    for one in term:
        if one.operator == "In":
            chosen[one.key] = chosen[one.key] & set(one.values) if one.key in chosen else set(one.values)
    rest = set()
    for one in term:
        if one.operator == "In":
            continue
        if one.key not in chosen:
            rest.add(one)
        else:
            chosen[one.key] = {value for value in chosen[one.key] if one.holds(value)}
    if not all(chosen.values()):
        return None
    lacking = {one.key for one in rest if one.operator == "DoesNotExist"}
    if any(one.operator == "Exists" and one.key in lacking for one in rest):
        return None
    return frozenset(rest | {Requirement(key, "In", tuple(sorted(values))) for key, values in chosen.items()})
