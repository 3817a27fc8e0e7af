"""Waves: which hosts a rollout touches first; a canary, then more, then the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, zip_longest


def waves(tables: Mapping[str, str], changed: frozenset[str], sizes: Sequence[int]) -> list[list[str]]:
    """Return the hosts of `tables` (name → digest of its table) in waves of the sizes given, the last one open.

    Hosts that change come first, else a canary would show nothing; among them every distinct table has its turn before
    any has its second, the most common first, so that early waves meet as many different tables as they can. Equal
    input gives equal waves.
    """
    order = [*_spread(tables, sorted(changed & tables.keys())), *_spread(tables, sorted(tables.keys() - changed))]
    result: list[list[str]] = []
    for size in sizes:
        if not order:
            return result
        result.append(order[:size])
        order = order[size:]
    return [*result, order] if order else result


def _spread(tables: Mapping[str, str], hosts: Sequence[str]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for host in hosts:
        groups.setdefault(tables[host], []).append(host)
    ordered = sorted(groups.values(), key=lambda group: (-len(group), group[0]))
    return [host for host in chain.from_iterable(zip_longest(*ordered)) if host is not None]
