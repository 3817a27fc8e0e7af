"""What the reference says of a case where a person asks about some process, not about a known one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, combinations, product

from ringfence.model.rules import Peer, Process
from ringfence.model.selectors import FqdnIs, leaves
from ringfence.model.tables import Effect

from .case import Case
from .reference import Runner, Side, judge_side, runs
from .strategies import UNITS, USERS

# Every process that a drawn policy can tell apart, and one that none names.
RUNNERS = tuple(Runner(*pair) for pair in product((None, "z.service", *UNITS), (None, "backup", *USERS)))


DISCOVERY = [(58, kind) for kind in (133, 134, 135, 136, 137)]
GROUPS = [(2, 0), *((58, kind) for kind in (130, 131, 132, 143))]


def proper_hops(protocol: int, port: int) -> int | None:
    """Return the hop limit that a built-in wants of a message, None for any: nobody is asked for it."""
    return 255 if (protocol, port) in DISCOVERY else 1 if (protocol, port) in GROUPS else None


def names_in(ends: Iterable[Iterable[Peer]]) -> frozenset[str]:
    """Return the names that some ends of rules or statements name."""
    found = (leaf for peer in chain(*ends) for leaf in leaves(peer.selector))
    return frozenset(leaf.name for leaf in found if isinstance(leaf, FqdnIs))


def memberships(names: frozenset[str]) -> list[frozenset[str]]:
    """Return all that an address can be an answer to at once, of some names: nothing first, then one, two, … [12]."""
    sizes = range(len(names) + 1)
    return [frozenset(chosen) for size in sizes for chosen in combinations(sorted(names), size)]


def passes(case: Case, side: Side) -> bool:
    """Return whether the reference lets a packet through on one side, built-ins left out."""
    return judge_side(case.snapshot, case.policy, case.settings, side).effect is not Effect.DENY


def someone_passes(case: Case, side: Side, process: Process | None = None) -> bool:
    """Return whether a process of this side's own host, one of those named, gets through.

    A side that is not a workload lets all through.
    """
    if not side.workload.workload:
        return True
    runners = (runner for runner in RUNNERS if runs(process, runner))
    return any(passes(case, replace(side, unit=runner.unit, user=runner.user)) for runner in runners)
