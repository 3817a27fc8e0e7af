"""The strict reader: what a host lists of iptables and ipset turned back into the verdict table that it enforces.

Only the shapes that we render are read; anything else is drift and told with its line. Names of chains and sets prove
nothing here: their content is resolved. What hosts and the kernel fill is reported beside the table.
"""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.service_line import Piece
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.address_line import (
    FAMILIES,
    fused,
    range_text,
)

from .family import Family, Interval
from .generations import one_generation
from .listing import Listing, parse_listing
from .runtime_elements import of_sets
from .shapes import HOOKS, OURS, set_shape
from .variants import MISSING


def read_ruleset(text: str) -> dict[str, object]:
    """Return the data of a verdict table as a listing shows it, and what is not of it; see `listing` for its form.

    Units are called `u0`, `u1`, …, users `x0`, …, in the order of the table's sorted names, dynamic sets by the digests
    of their names; modes and rule names are not listed. Beside a table's keys: `present`, whether anything of ours is
    in the kernel; `plan`, the first 16 hex digits of the table's digest as both families claim them; `variant`, the one
    of iptables that carries ours, empty where the families differ; `passes`, whether connections of permissions pass;
    `filled`, see `filled`; `leftovers`, sets of another
    generation; and `drift`: `{"line", "text", "problem", "change"}` for all that is not of our shape, where `change` is
    `open`, `closed` or `shape`.
    """
    return _Reader(parse_listing(text)).table()


class _Reader:
    def __init__(self, listing: Listing) -> None:
        self.drift: list[dict[str, object]] = []
        self._told: set[tuple[int, str, str, str]] = set()
        self.leftovers = one_generation(listing)
        self.listing = listing
        self.addresses: dict[tuple[Interval, ...], str] = {}
        self.services: dict[tuple[Piece, ...], str] = {}

    def report(self, line: int, text: str, problem: str, change: str = "shape") -> None:
        told = (line, text, problem, change)
        if told not in self._told:
            self._told.add(told)
            self.drift.append({"line": line, "text": text, "problem": problem, "change": change})

    def table(self) -> dict[str, object]:
        for stranger in self.listing.strangers:
            self.report(*stranger)
        if not self.listing.has_sets:
            self.report(0, "the sets", "are not listed")
        self._check_sets()
        families = [Family(self.listing, family, self.report) for family in FAMILIES]
        present = any(one.present for one in families)
        if not present:
            self.report(0, "our chains", MISSING, "open")
        directions = {direction: self._direction(families if present else [], direction) for direction in HOOKS}
        identities = {identity for one in families for identity in one.identities}
        variants = {one.variant for one in families}
        filled = of_sets(self.listing.sets, self.report)
        for one in families:
            one.fill(filled)
        return {
            "format": 1,
            "control": self._control(families),
            **directions,
            "addresses": {name: [range_text(*one) for one in ranges] for ranges, name in self.addresses.items()},
            "services": {
                name: [[*piece[:2], *piece.outcome] for piece in pieces] for pieces, name in self.services.items()
            },
            "rules": {},
            "present": present,
            "plan": identities.pop() if len(identities) == 1 and all(one.identities for one in families) else None,
            "variant": variants.pop() if len(variants) == 1 else "",
            "passes": any(one.passes for one in families),
            "filled": filled,
            "leftovers": self.leftovers,
            "drift": self.drift,
        }

    def _check_sets(self) -> None:
        for block in self.listing.sets.values():
            shape = set_shape(block.name, len(block.elements))
            sizes = ("hashsize", "bucketsize", "initval")
            properties = {name: value for name, value in block.properties.items() if name not in sizes}
            if not OURS.match(block.name):
                continue
            if shape is None:
                self.report(block.line, f"set {block.name}", "is nothing that we make")
            elif (block.kind, properties) != shape:
                words = " ".join(f"{name} {value}" for name, value in properties.items())
                self.report(block.line, f"set {block.name}: {block.kind} {words}", "has other properties")

    def _control(self, families: Iterable[Family]) -> dict[str, object] | None:
        ranges: list[Interval] = []
        ports: set[int] = set()
        for family in families:
            of_family, found = family.control()
            if of_family and not found:
                self.report(0, "the control path", "has addresses and no rule: it is closed where the policy closes it")
            else:
                ranges += of_family
            ports |= found
        if not ranges or not ports:
            return None
        if len(ports) > 1:
            self.report(0, "the control path", "has more than one port")
        return {"from": [range_text(*one) for one in fused(ranges)], "port": min(ports)}

    def _direction(self, families: list[Family], direction: str) -> dict[str, object]:
        # a family that lacks a process's chains reports it, and judges it as any other
        units = max((one.processes(direction)[0] for one in families), default=0)
        users = max((one.processes(direction)[1] for one in families), default=0)
        cells = []
        for family in families:
            for unit, user, local, remote, pieces, sets in family.cells(direction, units, users):
                cells.append(
                    {
                        "local": self._named(local),
                        "unit": unit,
                        "user": user,
                        "remote": self._named(remote),
                        "services": self.services.setdefault(pieces, f"s{len(self.services)}"),
                        **sets,
                    }
                )
        return {
            "mode": None,
            "units": [f"u{n}" for n in range(units)],
            "users": [f"x{m}" for m in range(users)],
            "cells": cells,
        }

    def _named(self, ranges: list[Interval]) -> str:
        return self.addresses.setdefault(tuple(ranges), f"a{len(self.addresses)}")
