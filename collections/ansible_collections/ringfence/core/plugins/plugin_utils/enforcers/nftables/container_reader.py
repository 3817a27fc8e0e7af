# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tables of a host's containers read back from its listing, and the chains that lead to them compared.

A container is read from the chain that the plan leads its addresses to, with the addresses of other containers leading
where the plan says: so the maps that the target fills are proven as well, as far as they hold what the plan says. What
meets containers at all (base chains, networks) is compared with the plan's own text. Which addresses are in the maps
now is told beside the processes.
"""

from __future__ import annotations

import re

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.address_line import (
    fused,
    interval_of,
    of_family,
)

from .graph import Interval, Peers
from .listing import ChainBlock, Listing, SetBlock, parse_listing
from .reader import TableReader, host_part
from .shapes import CONTAINER_CHAINS, DIRECTIONS, PEERS_CHAIN

_START = re.compile(r"containers_(in|out)[46]")
_COMPARED = re.compile(
    r"networks_(?:in|out)[46]|container_nets[46]|(?:peers|containers|containers_cut)_(?:in|out)[46](?:_[0-9a-f]{12})?"
)
_RUNTIME = re.compile(r"(?:peers|containers)_.*")


def read_holding(
    text: str, rendered: str, containers: dict, runtime: list[dict], forwarded: list[dict] | None = None
) -> tuple[dict, dict[str, dict], list[dict]]:
    """Return what a listing of a host enforces for itself, for each of its containers by name, and for others.

    `rendered` is the text that the plan gave the host; `containers`, `runtime` and `forwarded` are what the plan says
    of it, and the last tables come in the order of `forwarded`. What is not as it was rendered is in the `drift` of the
    host's table.
    """
    from .forward_reader import read_groups

    listing, wanted = parse_listing(text), parse_listing(rendered)
    peers = _peers(containers, runtime)
    host = TableReader(host_part(listing), peers)
    found = {**host.table(), "leftovers": []}
    drift, on_the_way = read_groups(listing, wanted, forwarded or [], peers)
    found["drift"] = [*host.drift, *compared(wanted, listing, CONTAINER_CHAINS, _COMPARED, "containers"), *drift]
    tables = {}
    for name, one in containers.items():
        starts = _starts(one["called"], runtime)
        tables[name] = HeldReader(host_part(listing), peers, starts).held()
    return found, tables, on_the_way


def _starts(called: str, runtime: list[dict]) -> dict[str, str]:
    """Return the chains that a container's tables begin with, by direction."""
    return {
        start[1]: verdict.removeprefix("goto ")
        for one in runtime
        if one.get("container") == called
        for name, verdict in one["elements"]
        if (start := _START.fullmatch(name))
    }


def _peers(containers: dict, runtime: list[dict]) -> Peers:
    """Return, by map, where the addresses of containers lead that the plan knows them by."""
    known = {one["called"]: [interval_of(text) for text in one["addresses"]] for one in containers.values()}
    peers: Peers = {}
    for one in runtime:
        for name, verdict in one["elements"] if "container" in one else ():
            if name.startswith("peers_"):
                family = int(name.removeprefix("peers_").lstrip("inout")[0])
                own = of_family(known.get(one["container"], []), family)
                peers.setdefault(name, []).extend((interval, verdict.removeprefix("goto ")) for interval in own)
    return peers


class HeldReader(TableReader):
    """Reads what the chains of another than the host enforce; what they share with the host's is told with the host."""

    def __init__(self, listing: Listing, peers: Peers, starts: dict[str, str]) -> None:
        super().__init__(listing, peers)
        self.starts = starts

    def held(self) -> dict:
        """Return the data of the table."""
        directions = {direction: self._of_direction(direction) for direction in DIRECTIONS}
        data = self._data(None, directions)
        del data["plan"]
        return data

    def _of_direction(self, direction: str) -> dict[str, object]:
        start = self.starts.get(direction, "")
        if start not in self.listing.chains:
            self.report(0, f"chain {start}", "is not there", "open")
            start = "accept"
        cells = [
            {"local": local, "unit": None, "user": None, "remote": remote, "services": services, **sets}
            for local, remote, services, sets in self._cells(direction, start)
        ]
        return {"mode": None, "units": [], "users": [], "cells": cells}


def compared(
    rendered: Listing, listing: Listing, chains: tuple[str, ...], sets: re.Pattern[str], whom: str
) -> list[dict[str, object]]:
    """Return what differs between the chains and sets that meet others than the host and what they were rendered as."""
    told = []
    for name, chain in rendered.chains.items():
        if name not in chains and not (chains is CONTAINER_CHAINS and PEERS_CHAIN.fullmatch(name)):
            continue
        there = listing.chains.get(name)
        if there is None:
            told.append(_told(0, f"chain {name}", f"is not there: open for {whom}", "open"))
        elif _header(chain) != _header(there) or [one.text for one in chain.rules] != [one.text for one in there.rules]:
            told.append(_told(there.line, f"chain {name}", f"is not as it was rendered: maybe open for {whom}", "open"))
    for name in chains:
        if name in listing.chains and name not in rendered.chains:
            told.append(_told(listing.chains[name].line, f"chain {name}", "is not part of this plan"))
    for name, block in rendered.sets.items():
        if not sets.fullmatch(name):
            continue
        found = listing.sets.get(name)
        if found is None:
            told.append(_told(0, f"{block.kind} {name}", f"is not there: maybe open for {whom}", "open"))
        elif not _RUNTIME.fullmatch(name) and _elements(found) != _elements(block):
            problem = f"holds other addresses than it was rendered with: maybe open for {whom}"
            told.append(_told(found.line, f"{block.kind} {name}", problem, "open"))
    return told


def _header(chain: ChainBlock) -> str:
    return re.sub(r"priority filter ([-+]) (\d+)", r"priority \1\2", chain.header)


def _elements(block: SetBlock) -> dict[str, list[Interval]] | None:
    """Return the addresses of a set by where they lead, None where one cannot be read."""
    found: dict[str, list[Interval]] = {}
    try:
        for element in block.elements:
            key, _, verdict = element.partition(" : ")
            found.setdefault(verdict, []).append(interval_of(key))
    except ValueError:
        return None
    return {verdict: fused(ranges) for verdict, ranges in found.items()}


def _told(line: int, text: str, problem: str, change: str = "shape") -> dict[str, object]:
    return {"line": line, "text": text, "problem": problem, "change": change}
