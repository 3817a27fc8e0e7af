"""The classes of a view divided by the terms that a workload meets: far ends that match the same terms are together."""

from __future__ import annotations

from collections.abc import Sequence

from pyroaring import BitMap

from ringfence.compiler.terms import Term
from ringfence.compiler.view import View

Signature = tuple[Term, ...]
Part = tuple[BitMap, int, Signature]


class Partition:
    """Cuts classes by terms; the cut by broad terms, which many tables share, is made once for each set of them."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._broad: dict[tuple[int, ...], list[Part]] = {}
        self._part_of_class: dict[tuple[int, ...], dict[int, int]] = {}

    def parts(self, terms: Sequence[Term]) -> list[Part]:
        """Return disjoint sets of classes of one family that cover the view, each with its family and its terms.

        The terms of a part are in deciding order, as they were given.
        """
        broad = [term for term in terms if term.broad]
        key = tuple(id(term) for term in broad)
        base = self._broad.get(key)
        if base is None:
            base = self._broad[key] = self._cut_broad(broad)
            self._part_of_class[key] = {number: index for index, part in enumerate(base) for number in part[0]}
        narrow = [term for term in terms if not term.broad]
        if not narrow:
            return base
        met: dict[int, list[Term]] = {}
        for term in narrow:
            for number in term.classes:
                met.setdefault(number, []).append(term)
        part_of_class = self._part_of_class[key]
        grouped: dict[tuple[int, tuple[int, ...]], tuple[list[int], list[Term]]] = {}
        for number, found in met.items():
            index = part_of_class[number]
            group = grouped.setdefault((index, tuple(map(id, found))), ([], found))
            group[0].append(number)
        rest = dict(enumerate(base))
        parts: list[Part] = []
        for (index, _), (numbers, found) in grouped.items():
            classes = BitMap(numbers)
            left, family, signature = rest[index]
            rest[index] = (left - classes, family, signature)
            merged = tuple(sorted((*signature, *found), key=lambda term: term.rule)) if signature else tuple(found)
            parts.append((classes, family, merged))
        parts.extend(part for part in rest.values() if part[0])
        return parts

    def _cut_broad(self, broad: Sequence[Term]) -> list[Part]:
        parts: list[Part] = [(self.view.by_family[family], family, ()) for family in (4, 6)]
        for term in broad:
            cut: list[Part] = []
            for classes, family, signature in parts:
                inside = classes & term.classes
                if not inside:
                    cut.append((classes, family, signature))
                elif len(inside) == len(classes):
                    cut.append((classes, family, (*signature, term)))
                else:
                    cut.append((inside, family, (*signature, term)))
                    cut.append((classes - inside, family, signature))
            parts = cut
        return parts
