"""The strict reader: a kernel's listing of `table inet ringfence` turned back into the verdict table that it enforces.

Only the shapes that we render are read; anything else is drift and told with its line. Names of maps and chains prove
nothing here: their content is resolved. The processes' maps, tuples, memories and counters are what hosts and the
kernel fill; they are reported beside the table.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.service_line import Piece
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.address_line import (
    FAMILIES,
    fused,
    interval_of,
    range_text,
)

from .base_chain_headers import read_head
from .generations import one_generation
from .graph import Graph, Interval, Peers
from .listing import ChainBlock, Listing, SetBlock, parse_listing
from .lookups import judged_as
from .runtime_elements import filled
from .shapes import (
    CONTAINER_CHAINS,
    CONTROL_RULE,
    DIRECTIONS,
    FIELDS,
    FORWARD_CHAINS,
    GOTO,
    HOOKS,
    IDENTITY_CHAIN,
    PASSES,
    POLICY_CHAIN,
    PROCESS_CHAIN,
    control_rules,
    fixed_rules,
    header,
    outcome_of,
    process_rules,
    set_shape,
)

MISSING = "is not there: everything is open"
_NO_CELLS: dict[str, object] = {"mode": None, "units": [], "users": [], "cells": []}
SLEEPING = "the table sleeps: everything is open"


def read_ruleset(text: str) -> dict[str, object]:
    """Return the data of a verdict table as `nft -nn -y list table inet ringfence` shows it, and what is not of it.

    Units are called `u0`, `u1`, …, users `x0`, …, in the order of the table's sorted names, dynamic sets by the digests
    of their names; modes and rule names are not in a ruleset. Beside a table's keys: `present`, whether there is such a
    table at all; `plan`, the first 16 hex digits of the table's digest as the ruleset claims them; `passes`, whether
    connections of permissions pass it; `filled`, see `nft_filled`; `leftovers`, see `nft_generations`; and `drift`:
    `{"line", "text", "problem", "change"}` for all that is not of our shape, where `change` is `open`, `closed` or
    `shape`.
    """
    listing, leftovers = one_generation(parse_listing(text))
    return {**TableReader(host_part(listing)).table(), "leftovers": leftovers}


def host_part(listing: Listing) -> Listing:
    """Return a listing without the chains that meet others than the host; `container_reader` compares those."""
    chains = {name: chain for name, chain in listing.chains.items() if name not in (*CONTAINER_CHAINS, *FORWARD_CHAINS)}
    return listing if len(chains) == len(listing.chains) else replace(listing, chains=chains)


class TableReader:
    """Reads one table of a listing; `peers` says where a plan lets the addresses of containers lead."""

    def __init__(self, listing: Listing, peers: Peers | None = None) -> None:
        self.listing = listing
        self.drift: list[dict[str, object]] = []
        self._told: set[tuple[int, str, str, str]] = set()
        self.passes = self._take_passes()
        self.graph = Graph(listing, self.report, peers)
        self.addresses: dict[tuple[Interval, ...], str] = {}
        self.services: dict[tuple[Piece, ...], str] = {}

    def _take_passes(self) -> bool:
        """Take the rule for connections of permissions off the base chains; return whether it was there."""
        chains = [self.listing.chains[hook] for hook in HOOKS.values() if hook in self.listing.chains]
        there = [chain for chain in chains if chain.rules and chain.rules[0].text == PASSES]
        for chain in there:
            rule = chain.rules.pop(0)
            if len(there) != len(HOOKS):
                self.report(rule.line, rule.text, "lets connections of permissions pass in one direction alone")
        return bool(there)

    def report(self, line: int, text: str, problem: str, change: str = "shape") -> None:
        """Keep what is not of our shape, once."""
        told = (line, text, problem, change)
        if told not in self._told:
            self._told.add(told)
            self.drift.append({"line": line, "text": text, "problem": problem, "change": change})

    def table(self) -> dict[str, object]:
        """Return the data of the host's table."""
        if not self.listing.found:
            self.report(0, "table inet ringfence", MISSING, "open")
            return self._data(None, dict.fromkeys(DIRECTIONS, _NO_CELLS))
        for line, stranger in self.listing.strangers:
            if stranger.startswith("flags") and "dormant" in stranger:
                self.report(line, stranger, SLEEPING, "open")
            else:
                self.report(line, stranger, "is nothing that we render")
        if not self.listing.ended:
            self.report(0, "the listing", "ends before the table does")
        self._check_sets()
        self._check_chain_names()
        control = self._control()
        return self._data(control, {direction: self._direction(direction) for direction in DIRECTIONS})

    def _data(self, control: dict[str, object] | None, directions: dict[str, dict[str, object]]) -> dict[str, object]:
        identity = [match[1] for match in map(IDENTITY_CHAIN.fullmatch, self.listing.chains) if match]
        return {
            "format": 1,
            "control": control,
            **directions,
            "addresses": {name: [range_text(*one) for one in ranges] for ranges, name in self.addresses.items()},
            "services": {
                name: [[*piece[:2], *piece.outcome] for piece in pieces] for pieces, name in self.services.items()
            },
            "rules": {},
            "present": self.listing.found,
            "plan": identity[0] if len(identity) == 1 else None,
            "passes": self.passes,
            "filled": filled(self.listing, self.report),
            "drift": self.drift,
        }

    def _check_sets(self) -> None:
        for block in self.listing.sets.values():
            shape = set_shape(block.name)
            if shape is None:
                self.report(block.line, f"{block.kind} {block.name}", "is nothing that we render")
            elif (block.kind, sorted(block.properties)) != (shape[0], sorted(shape[1])):
                self.report(
                    block.line, f"{block.kind} {block.name}: {'; '.join(block.properties)}", "has other properties"
                )
            if re.fullmatch(r"(units|users)_.*", block.name):
                self._check_processes(block.name, block.line, block.elements)

    def _check_processes(self, name: str, line: int, elements: list[str]) -> None:
        kind, direction, *suffix = name.split("_")
        leads = rf"goto {direction}_u\d+" if kind == "units" else rf"goto {'_'.join((direction, *suffix))}_x\d+"
        for element in elements:
            verdict = element.partition(" : ")[2]
            if not re.fullmatch(leads, verdict) or verdict.removeprefix("goto ") not in self.listing.chains:
                self.report(line, f"{name}: {element}", "leads a process where we lead none")

    def _check_chain_names(self) -> None:
        for block in self.listing.chains.values():
            known = any(shape.fullmatch(block.name) for shape in (IDENTITY_CHAIN, PROCESS_CHAIN, POLICY_CHAIN))
            base = block.name in HOOKS.values()
            if not (known or base or outcome_of(block.name)):
                self.report(block.line, f"chain {block.name}", "is nothing that we render")
            if block.header and not base:
                self.report(block.line, f"chain {block.name}: {block.header}", "is hooked in and not of our making")
            if IDENTITY_CHAIN.fullmatch(block.name):
                for rule in block.rules:
                    self.graph.stranger(block, rule)

    def _control(self) -> dict[str, object] | None:
        ranges = [
            found
            for family in FAMILIES
            if (block := self.listing.sets.get(f"control{family}"))
            for element in block.elements
            if (found := self._interval(block, element))
        ]
        if not ranges:
            return None
        chains = [self.listing.chains[hook] for hook in HOOKS.values() if hook in self.listing.chains]
        ports = [
            int(match[1]) for chain in chains for rule in chain.rules if (match := CONTROL_RULE.fullmatch(rule.text))
        ]
        if not ports:
            self.report(0, "the control path", "has addresses and no rule: it is closed where the policy closes it")
            return None
        return {"from": [range_text(*one) for one in fused(ranges)], "port": ports[0]}

    def _interval(self, block: SetBlock, element: str) -> Interval | None:
        try:
            return interval_of(element)
        except ValueError:
            self.report(block.line, f"{block.name}: {element}", "has no address that can be read")
            return None

    def _direction(self, direction: str) -> dict[str, object]:
        units, users = self._processes(direction)
        hook = HOOKS[direction]
        starts: dict[tuple[str | None, str | None], str] = {}
        base = self.listing.chains.get(hook)
        met = base is not None
        if base is None:
            self.report(0, f"chain {hook}", MISSING, "open")
        else:
            met, end = self._head(base, direction)
            starts[None, None] = self._start(base, self._before_policy(base, direction, units, users), end)
        for n in (None, *range(units)):
            of_unit = direction if n is None else f"{direction}_u{n}"
            if n is not None:
                asks = [f"meta skuid vmap @users_{of_unit}"] if users else []
                starts[f"u{n}", None] = self._start(self._chain(of_unit), asks)
            for m in range(users):
                starts[None if n is None else f"u{n}", f"x{m}"] = self._start(self._chain(f"{of_unit}_x{m}"), [])
        starts = judged_as(self.listing, direction, starts) if met else {}
        return {
            "mode": None,
            "units": [f"u{n}" for n in range(units)],
            "users": [f"x{m}" for m in range(users)],
            "cells": [
                {"local": local, "unit": unit, "user": user, "remote": remote, "services": services, **sets}
                for (unit, user), start in starts.items()
                for local, remote, services, sets in self._cells(direction, start)
            ],
        }

    def _processes(self, direction: str) -> tuple[int, int]:
        """Return how many units and users the chains of a direction tell apart."""
        matches = [
            match for match in map(PROCESS_CHAIN.fullmatch, self.listing.chains) if match and match[1] == direction
        ]
        return tuple(max((int(m[group]) + 1 for m in matches if m[group]), default=0) for group in (2, 3))  # type: ignore[return-value]

    def _chain(self, name: str) -> ChainBlock:
        if name not in self.listing.chains:
            self.report(0, f"chain {name}", "is not there")
        return self.listing.chains.get(name) or ChainBlock(name, 0)

    def _head(self, base: ChainBlock, direction: str) -> tuple[bool, str]:
        """Return whether a direction's packets meet its base chain, and what becomes of them at its end."""
        head = read_head(base.header, direction)
        if head.problem:
            problem = f"is not a head of ours for chain {base.name}, which is '{header(direction)}': {head.problem}"
            self.report(base.line + 1, base.header or f"chain {base.name}", problem, head.change)
        return head.met, head.end

    def _before_policy(self, base: ChainBlock, direction: str, units: int, users: int) -> list[str]:
        """Return the rules that stand before the policy."""
        families = [family for family in FAMILIES if f"control{family}" in self.listing.sets]
        ports = [match[1] for rule in base.rules if (match := CONTROL_RULE.fullmatch(rule.text))]
        control = control_rules(direction, families, int(ports[0])) if ports else []
        if families and not ports:
            self.report(base.line, f"chain {base.name}", "misses the rules of the control path")
        return [*control, *fixed_rules(direction), *process_rules(direction, units, users)]

    def _start(self, block: ChainBlock, before: list[str], end: str = "accept") -> str:
        """Return where a chain's last rule leads, or its `end`; every other rule must be one of `before`, in order."""
        goto = GOTO.fullmatch(block.rules[-1].text) if block.rules else None
        rules = block.rules[:-1] if goto else block.rules
        self.graph.align(block, rules, before)
        if goto is None:
            passes, change = ("passes", "open") if end == "accept" else ("is dropped", "closed")
            problem = f"does not lead to the policy: what reaches its end {passes}"
            self.report(block.line, f"chain {block.name}", problem, change)
            return end
        return goto[1]

    def _cells(self, direction: str, start: str) -> list[tuple[str, str, str, dict[str, list[str]]]]:
        """Return names of local addresses, remote addresses and service map for everything behind a chain.

        With them come the dynamic sets that the remote address must be `inside` and `outside` of, if any.
        """
        remote_field, local_field = FIELDS[direction][:2]
        cells = []
        for family in FAMILIES:
            for target, local in self._led(start, local_field, family).items():
                for last, remote in self._led(target, remote_field, family).items():
                    for (inside, outside), leaf in self.graph.cases(last, family, remote_field):
                        pieces = self.graph.services(leaf, family)
                        services = self.services.setdefault(pieces, f"s{len(self.services)}")
                        sets = {"inside": sorted(inside), "outside": sorted(outside)} if inside or outside else {}
                        cells.append((self._named(local), self._named(remote), services, sets))
        return cells

    def _led(self, chain: str, field: str, family: int) -> dict[str, list[Interval]]:
        """Return the addresses of a family by where a chain leads them, as far as it asks `field`."""
        split = self.graph.split(chain, family)
        passed = {chain}
        while split is not None and split[0] == "":
            chain = split[1][0][1]
            if chain in passed:
                self.report(0, f"chain {chain}", "leads in a circle", "open")
                return {"accept": [FAMILIES[family]]}
            passed.add(chain)
            split = self.graph.split(chain, family)
        if split is None or split[0] != field:
            return {chain: [FAMILIES[family]]}
        by_target: dict[str, list[Interval]] = {}
        for interval, target in split[1]:
            by_target.setdefault(target, []).append(interval)
        return by_target

    def _named(self, ranges: list[Interval]) -> str:
        return self.addresses.setdefault(tuple(ranges), f"a{len(self.addresses)}")
