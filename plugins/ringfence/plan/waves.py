"""Waves: which hosts a rollout touches first; a canary, then more, then the rest."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import chain, zip_longest


def waves(
    tables: Mapping[str, str],
    changed: frozenset[str],
    sizes: Sequence[int],
    ranked: Sequence[str] = (),
    last: Collection[str] = (),
) -> list[list[str]]:
    """Return the hosts of `tables` (name → digest of its table) in waves of the given sizes, the last one open.

    The first wave is taken from `ranked`, the best canary first; the remaining hosts of `last` are a wave of their own
    after all others. Hosts that change come first, because a canary would show nothing otherwise; among them every
    distinct table has its turn before any has its second, the most common first, so that early waves meet as many
    different tables as possible. Equal input gives equal waves.
    """
    spread = [*_spread(tables, sorted(changed & tables.keys())), *_spread(tables, sorted(tables.keys() - changed))]
    first = [host for host in ranked if host in tables][: sizes[0] if sizes else 0]
    first = [*first[:1], *(host for host in first[1:] if host not in last)]
    order = [*first, *(host for host in spread if host not in first and host not in last)]
    result: list[list[str]] = []
    for size in sizes:
        if order:
            result.append(order[:size])
            order = order[size:]
    behind = [host for host in spread if host in last and host not in first]
    return [*result, *(wave for wave in (order, behind) if wave)]


def _spread(tables: Mapping[str, str], hosts: Sequence[str]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for host in hosts:
        groups.setdefault(tables[host], []).append(host)
    ordered = sorted(groups.values(), key=lambda group: (-len(group), group[0]))
    return [host for host in chain.from_iterable(zip_longest(*ordered)) if host is not None]
