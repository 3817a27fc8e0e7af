"""What the inventory gives as labels and can be none: it costs the host that label, told with host and source."""

from __future__ import annotations

from collections.abc import Iterable

from ringfence.model.errors import Place
from ringfence.model.problems import Problem, Severity
from ringfence.sources.ansible_inventory import InventoryHost
from ringfence.sources.host_variables import LABELS, HostVariables, LabelFault


def label_doubts(hosts: Iterable[InventoryHost], place: Place | None = None) -> tuple[Problem, ...]:
    """Return a warning for every value in `ringfence_labels` that can be no label; hosts with the same share one."""
    found: dict[tuple[LabelFault, tuple[str, ...]], list[str]] = {}
    for host in hosts:
        reading = HostVariables(host.name, host.variables, place)
        for fault in reading.label_faults():
            found.setdefault((fault, reading.sources()), []).append(host.name)
    return tuple(_problem(fault, sources, names, place) for (fault, sources), names in found.items())


def _problem(fault: LabelFault, sources: tuple[str, ...], names: list[str], place: Place | None) -> Problem:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    came = f" (from {', '.join(sources)})" if sources else ""
    message = f"{LABELS} of host '{names[0]}'{more}{came} {fault.fault}: that label is left out"
    return Problem(Severity.WARNING, message, place, fault.remedy)
