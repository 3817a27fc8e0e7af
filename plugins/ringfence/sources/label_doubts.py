"""Labels and addresses of the inventory that are not valid: the host loses only these, and a warning says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from ringfence.model.errors import Place
from ringfence.model.label_rules import LabelRule
from ringfence.model.problems import Problem, Severity
from ringfence.sources.ansible_inventory import InventoryHost
from ringfence.sources.host_variables import ADDRESSES, LABELS, HostVariables
from ringfence.sources.vaulted import REMEDY, place_of_value
from ringfence.wire.first_few import first_few

_Doubt = tuple[str, str, str]  # the variable, what is wrong behind its host, and the way out
# What a table says of a column that is called like a usual label but for case (`host_table`).
COLUMN_GIVES_NONE = re.compile(r"the column '(.+)' gives no label: the one that does is called '([^']+)'")
EVERYBODYS = "write addresses at which others meet the host"


def label_doubts(hosts: Iterable[InventoryHost], place: Place | None = None) -> tuple[Problem, ...]:
    """Return a warning for every value in `ringfence_labels` that can be no label; hosts with the same share one."""
    return _doubts(hosts, place, _label_faults)


def address_doubts(hosts: Iterable[InventoryHost], place: Place | None = None) -> tuple[Problem, ...]:
    """Return a warning for every address in `ringfence_addresses` that is of every host or of none; as above."""
    return _doubts(hosts, place, _address_faults)


def vault_doubts(
    hosts: Iterable[InventoryHost], place: Place | None = None, paths: Sequence[Path] = (), base: Path | None = None
) -> tuple[Problem, ...]:
    """Return a warning for every variable of the connection that is vaulted by itself; as above.

    Its place is the line of the value where one file of the inventories in `paths` alone has it.
    """
    return _doubts(hosts, place, _vault_faults, lambda name: place_of_value(name, paths, base or Path()))


def everybodys(address: str) -> str:
    """Return the words about an address that is left out, which follow whoever gave it."""
    return f"{address}, which every host has for itself or none can have: it is left out"


def _label_faults(reading: HostVariables) -> Iterator[_Doubt]:
    for fault in reading.label_faults():
        yield LABELS, f"{fault.fault}: that label is left out", fault.remedy


def _address_faults(reading: HostVariables) -> Iterator[_Doubt]:
    for address in reading.address_faults():
        yield ADDRESSES, f"holds {everybodys(address)}", EVERYBODYS


def _vault_faults(reading: HostVariables) -> Iterator[_Doubt]:
    for variable in reading.closed():
        yield variable, "is vaulted, and Ansible's listing keeps it closed: it counts in plays alone", REMEDY


def _doubts(
    hosts: Iterable[InventoryHost],
    place: Place | None,
    faults: Callable[[HostVariables], Iterator[_Doubt]],
    place_of: Callable[[str], Place | None] = lambda _: None,
) -> tuple[Problem, ...]:
    found: dict[tuple[_Doubt, tuple[str, ...]], list[str]] = {}
    for host in hosts:
        reading = HostVariables(host.name, host.variables, place)
        for doubt in dict.fromkeys(faults(reading)):
            found.setdefault((doubt, reading.sources()), []).append(host.name)
    places = {variable: place_of(variable) or place for variable in {doubt[0] for doubt, _ in found}}
    return tuple(_problem(doubt, sources, names, places[doubt[0]]) for (doubt, sources), names in found.items())


def _problem(doubt: _Doubt, sources: tuple[str, ...], names: list[str], place: Place | None) -> Problem:
    variable, fault, remedy = doubt
    quoted = [f"'{name}'" for name in names]
    came = f" (from {', '.join(sources)})" if sources else ""
    return Problem(Severity.WARNING, f"{variable} of host {first_few(quoted, 1)}{came} {fault}", place, remedy)


def without_read_columns(problems: Sequence[Problem], rules: Sequence[LabelRule]) -> tuple[Problem, ...]:
    """Return problems without those of columns that give no label by themselves where a label rule reads them."""
    return tuple(one for one in problems if not _is_read(one.message, rules))


def _is_read(message: str, rules: Sequence[LabelRule]) -> bool:
    found = COLUMN_GIVES_NONE.match(message)
    if found is None:
        return False
    column, key = found.groups()
    named = re.compile(rf"(?<![\w-]){re.escape(column)}(?![\w-])")
    return any(rule.key == key and named.search(f"{rule.expression} {rule.when or ''}") for rule in rules)
