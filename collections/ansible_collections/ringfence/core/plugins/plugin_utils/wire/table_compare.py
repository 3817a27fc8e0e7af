"""Two verdict tables compared exactly, for every address, port and process class, and told in the words of a policy.

Nothing is sampled: both tables cut the address line and the service line into intervals, and every interval between
two cuts is compared once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from .difference_words import with_text
from .service_line import Outcome, Piece, piece_differences, words
from .table_index import Case, Cells, Interval, Process, Remote, TableIndex, kinds_of
from .vendored.address_line import FAMILIES, fused, interval_of, of_family, range_text

NOTHING = [Case(frozenset(), frozenset(), (Piece(0, 256 * 65536 - 1, Outcome("allow", "none", False)),))]
CHANGES = ("open", "closed", "shape", "control", "record")


def differences(expected: dict, found: dict) -> list[dict[str, object]]:
    """Return how `found` (of the reader, or any table) differs from `expected`; an empty list is the proof of equality.

    Every difference has `change` and `text`. `open` and `closed` mean what passes now and should not, or should and
    does not; `record` that it is counted or logged under another rule. They come with `direction`, `family`, `local`,
    `remote`, `services`, `processes`, `expected` and `found` (effect, rule, log), where it is so for members of some
    dynamic sets or for others only also with `sets` (words), or with the `line` of a rule that does it. `control` is a
    difference of the control path, `shape` one of the ruleset whose effect is not known, with its `line`.
    """
    drift = found.get("drift") or []
    told = [_shape(entry["line"], f"{entry['text']} {entry['problem']}", entry["change"]) for entry in drift]
    if not found.get("present", True):
        return told
    told += _identity(expected, found) + _control(expected["control"], found["control"])
    ours, theirs = TableIndex(expected), TableIndex(found)
    for direction in ("in", "out"):
        for family in FAMILIES:
            told += _Sweep(ours, theirs, direction, family).differences()
    return sorted(
        (with_text(one, expected.get("rules", {})) for one in told), key=lambda one: CHANGES.index(str(one["change"]))
    )


def _shape(line: int, text: str, change: str = "shape") -> dict[str, object]:
    return {"change": change, "line": line, "text": f"line {line}: {text}" if line else text}


def _identity(expected: dict, found: dict) -> list[dict[str, object]]:
    if "plan" not in found:
        return []
    text = json.dumps(expected, sort_keys=True, separators=(",", ":")) + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    if found["plan"] == digest:
        return []
    return [_shape(0, f"the ruleset says that it is of table {found['plan'] or 'none'}, but should be of {digest}")]


def _control(expected: dict | None, found: dict | None) -> list[dict[str, object]]:
    one, other = (
        (fused([interval_of(text) for text in control["from"]]), control["port"]) if control else ([], None)
        for control in (expected, found)
    )
    if one == other:
        return []
    told = [
        f"tcp/{port} from {', '.join(range_text(*interval) for interval in ranges)}" if ranges else "none"
        for ranges, port in (one, other)
    ]
    return [{"change": "control", "text": f"the control path is {told[1]}, but should be {told[0]}"}]


class _Sweep:
    """The comparison of one direction and family."""

    def __init__(self, expected: TableIndex, found: TableIndex, direction: str, family: int) -> None:
        self.expected, self.found, self.direction, self.family = expected, found, direction, family
        self.kinds = kinds_of(expected.table[direction])
        # The reader knows processes by their place among the sorted names only.
        read = "present" in found.table
        self._names: dict[str | None, str] = {
            place: name
            for key in (f"{kind}s" for kind in self.kinds)
            for place, name in zip(found.table[direction][key], expected.table[direction][key], strict=False)
            if read
        }
        self._places: dict[str | None, str | None] = {name: place for place, name in self._names.items()}
        self._services: dict[tuple[str, str], list] = {}
        self._remotes: dict[tuple[int, int], dict[tuple[str, str], list[Interval]]] = {}

    def differences(self) -> list[dict]:
        ours, theirs = self.expected.cells(self.direction), self.found.cells(self.direction)
        named = [
            sorted(
                {self._names.get(process[at], process[at]) for process in theirs} | {process[at] for process in ours},
                key=str,
            )
            for at in range(len(self.kinds))
        ]
        processes = list(product(*named))
        told: list[dict] = []
        for process in processes:
            there = tuple(self._places.get(name, name) for name in process)
            told += self._of_process(process, _of_class(ours, process), _of_class(theirs, there))
        told = _joined(_joined(told, "remote"), "processes")
        for one in told:
            one["processes"] = ["any"] if len(one["processes"]) == len(processes) else one["processes"]
            for side in ("local", "remote"):
                ranges = fused(one[side])
                whole = ranges == [FAMILIES[self.family]]
                one[side] = ["any"] if whole else [range_text(*interval) for interval in ranges]
        return told

    def _of_process(self, process: Process, ours: list[Cells], theirs: list[Cells]) -> list[dict[str, object]]:
        by_pair: dict[tuple[int, int], list[Interval]] = {}
        lists: dict[int, list[Remote]] = {}
        for low, high, one, other in _overlaps(self._locals(ours), self._locals(theirs), FAMILIES[self.family]):
            remotes = [cells.remotes if cells else [] for cells in (one, other)]
            lists.update((id(remote), remote) for remote in remotes)
            by_pair.setdefault((id(remotes[0]), id(remotes[1])), []).append((low, high))
        told = []
        for (one_id, other_id), local in by_pair.items():
            for services, remote in self._differing(lists[one_id], lists[other_id]).items():
                told += self._told(process, fused(local), remote, self._pieces(*services))
        return told

    def _locals(self, cells: list[Cells]) -> list[tuple[int, int, Cells]]:
        found = [(low, high, one) for one in cells for low, high in of_family(one.local, self.family)]
        return sorted(found, key=lambda entry: entry[0])

    def _differing(self, ours: list[Remote], theirs: list[Remote]) -> dict[tuple[str, str], list[Interval]]:
        """Return the remote addresses where two lists lead to different services, by the names of both maps."""
        key = (id(ours), id(theirs))
        if key not in self._remotes:
            first, last = FAMILIES[self.family]
            mine, other = ([one for one in remotes if first <= one[0] <= last] for remotes in (ours, theirs))
            found: dict[tuple[str, str], list[Interval]] = {}
            for low, high, one, two in _overlaps(mine, other, (first, last)):
                if self._pieces(one or "", two or ""):
                    found.setdefault((one or "", two or ""), []).append((low, high))
            self._remotes[key] = found
        return self._remotes[key]

    def _pieces(self, expected: str, found: str) -> list:
        """Return pieces that differ, each with the words of the dynamic sets for whose members it does."""
        key = (expected, found)
        if key not in self._services:
            ours = self.expected.cases(expected) if expected else NOTHING
            theirs = self.found.cases(found) if found else NOTHING
            self._services[key] = [
                (self._sets(one.inside | other.inside, one.outside | other.outside), difference)
                for one, other in product(ours, theirs)
                if not (one.inside & other.outside or one.outside & other.inside)
                for difference in piece_differences(one.pieces, other.pieces, self.family)
            ]
        return self._services[key]

    def _sets(self, inside: frozenset[str], outside: frozenset[str]) -> tuple[str, ...]:
        names = {**self.found.sets, **self.expected.sets}
        told = [("", name) for name in sorted(names[one] for one in inside)]
        told += [("not ", name) for name in sorted(names[one] for one in outside)]
        return tuple(f"{negated}in {name}" for negated, name in told)

    def _told(self, process: Process, local: list[Interval], remote: list[Interval], pieces: list) -> list[dict]:
        by_outcome: dict[tuple[tuple[str, ...], Outcome, Outcome], list[Interval]] = {}
        for sets, (low, high, one, other) in pieces:
            by_outcome.setdefault((sets, one, other), []).append((low, high))
        return [
            {
                "change": _change(one, other),
                "direction": self.direction,
                "family": self.family,
                "processes": [_process_words(self.kinds, process)],
                "local": local,
                "remote": remote,
                "services": words(points, self.family),
                "expected": one._asdict(),
                "found": other._asdict(),
                **({"sets": list(sets)} if sets else {}),
            }
            for (sets, one, other), points in by_outcome.items()
        ]


def _of_class(cells: dict[Process, list[Cells]], process: Process) -> list[Cells]:
    """Return the cells that decide for a process: what a table does not name is none of the named to it."""
    named = [set(names) for names in zip(*cells, strict=True)]
    return cells.get(tuple(name if name in known else None for name, known in zip(process, named, strict=False)), [])


def _change(expected: Outcome, found: Outcome) -> str:
    if (expected.effect == "deny") == (found.effect == "deny"):
        return "record"
    return "open" if expected.effect == "deny" else "closed"


def _overlaps(ours: list, theirs: list, whole: Interval) -> Iterator[tuple[int, int, Any, Any]]:
    """Yield `(low, high, ours, theirs)` for every run of points between two cuts; None where a list has a gap."""
    i = j = 0
    low, last = whole
    while low <= last:
        while i < len(ours) and ours[i][1] < low:
            i += 1
        while j < len(theirs) and theirs[j][1] < low:
            j += 1
        high, values = last, []
        for entries, at in ((ours, i), (theirs, j)):
            value = None
            if at < len(entries):
                start, end, name = entries[at]
                if start <= low:
                    value, high = name, min(high, end)
                else:
                    high = min(high, start - 1)
            values.append(value)
        yield low, high, values[0], values[1]
        low = high + 1


def _process_words(kinds: tuple[str, ...], process: Process) -> str:
    return " ".join(f"{kind} {name}" for kind, name in zip(kinds, process, strict=True) if name) or "any other process"


def _joined(told: list[dict], joining: str) -> list[dict]:
    """Return differences as one that differ in nothing but the list `joining`."""
    joined: dict[str, dict] = {}
    for one in told:
        key = repr({name: value for name, value in one.items() if name != joining})
        if key in joined:
            joined[key][joining] = joined[key][joining] + one[joining]
        else:
            joined[key] = dict(one)
    return list(joined.values())
