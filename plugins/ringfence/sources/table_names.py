"""Hosts of several tables with one name: one host where they share an address, else each with a name of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePath

from ringfence.model.addresses import point_of
from ringfence.model.errors import InputError
from ringfence.sources.host_row import TableHost


def told_apart(hosts: Iterable[TableHost]) -> list[tuple[str, TableHost]]:
    """Return hosts of several tables, each under a name that no other has, in the order of the tables.

    The first host of a name keeps it; a further one is named after its table as well. Hosts of one name that share an
    address are one, and so is a row without an address that contradicts no label of the only host of its name.
    """
    found: dict[str, TableHost] = {}
    called: dict[str, list[str]] = {}
    hosts = list(hosts)
    taken = {host.name for host in hosts}
    for host in sorted(hosts, key=lambda host: not host.addresses):
        names = called.setdefault(host.name, [])
        same = next((name for name in names if _is_one(found[name], host, len(names))), None)
        if same is not None:
            found[same] = _joined(found[same], host)
            continue
        name = host.name if not names else _other(host, taken)
        taken.add(name)
        names.append(name)
        found[name] = host
    return list(found.items())


def _is_one(there: TableHost, host: TableHost, holders: int) -> bool:
    if _points(there) & _points(host):
        return True
    if host.addresses or holders > 1 or host.place.file == there.place.file:
        return False
    return all(there.labels.get(key, value) == value for key, value in host.labels.items())


def _joined(first: TableHost, second: TableHost) -> TableHost:
    return replace(
        first,
        addresses=tuple(dict.fromkeys([*first.addresses, *second.addresses])),
        labels={**second.labels, **first.labels},
        cells={**second.cells, **{column: cell for column, cell in first.cells.items() if cell not in (None, "")}},
        also=(*first.also, second.place, *second.also),
    )


def _other(host: TableHost, taken: Iterable[str]) -> str:
    start = name = f"{host.name}_{PurePath(host.place.file).stem}"
    number = 1
    while name in taken:
        number += 1
        name = f"{start}_{number}"
    return name


def _points(host: TableHost) -> set[int]:
    found = set()
    for text in host.addresses:
        try:
            found.add(point_of(text))
        except InputError:
            continue
    return found
