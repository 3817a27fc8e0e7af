"""The proof by real connections: for every pair of hosts, service and process, what was predicted and what came."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib import resources
from itertools import groupby

from ringfence.lab.session import Lab
from ringfence.lab.spec import HostSpec
from ringfence.model.addresses import family_of, point_of
from ringfence.model.errors import OutsideError
from ringfence.model.rules import Direction
from ringfence.model.services import PORT_PROTOCOLS
from ringfence.model.services import point_of as service_point
from ringfence.model.tables import ProcessClass, VerdictTable
from ringfence.operations.plans import TableLookup

# Half a second more than the kernel's first repetition of a SYN, so that one lost packet changes nothing.
PATIENCE = 1.5
PATIENCE_AGAIN = 4.0
# No host listens there: the far kernel's refusal is the answer of a port that is open.
UNUSED = ("tcp/4444",)


@dataclass(frozen=True, slots=True)
class Probe:
    """One connection to try: from a host and a unit (None: none of the named ones), with the verdict predicted."""

    source: str
    unit: str | None
    target: str
    address: str
    service: str
    predicted: bool
    seen: bool | None = None

    @property
    def right(self) -> bool:
        """Return whether the prediction came true."""
        return self.seen == self.predicted


def services_of(hosts: Iterable[HostSpec]) -> list[str]:
    """Return the services of an estate: what its hosts listen on, ssh, and a port that nobody uses."""
    listens = {service for host in hosts for unit in host.units for service in unit.listens}
    return sorted({*listens, "tcp/22", *UNUSED}, key=lambda text: (text.partition("/")[0], int(text.partition("/")[2])))


def foreseen(hosts: Sequence[HostSpec], tables: Mapping[str, VerdictTable], services: Sequence[str]) -> list[Probe]:
    """Return a probe for every ordered pair of hosts, address family, service and process class of the client."""
    lookups = {name: TableLookup(table) for name, table in tables.items()}
    probes = []
    for source in hosts:
        for unit in (None, *_named_units(source, tables.get(source.name))):
            for target in hosts:
                if target.name != source.name:
                    probes += _between(source, unit, target, lookups, services)
    return probes


def tried(
    lab: Lab, probes: Sequence[Probe], patience: float = PATIENCE, progress: Callable[[int], None] = lambda _: None
) -> list[Probe]:
    """Return the probes with what came; those that differ are tried once more, with more patience."""
    seen = _tried(lab, probes, patience, progress)
    wrong = [probe for probe in seen if not probe.right]
    if wrong:
        again = {replace(probe, seen=None): probe for probe in _tried(lab, wrong, PATIENCE_AGAIN, lambda _: None)}
        seen = [again.get(replace(probe, seen=None), probe) for probe in seen]
    return seen


def _named_units(host: HostSpec, table: VerdictTable | None) -> list[str]:
    """Return the units of a host that its policy tells apart on the way out, and one that it does not."""
    if table is None:
        return []
    return [unit.name for unit in host.units if unit.name in table.outbound.units]


def _between(
    source: HostSpec,
    unit: str | None,
    target: HostSpec,
    lookups: Mapping[str, TableLookup],
    services: Sequence[str],
) -> list[Probe]:
    listeners = {service: one.name for one in target.units for service in one.listens}
    found = []
    for a in source.addresses:
        for b in target.addresses:
            client, server = point_of(a), point_of(b)
            if family_of(client) != family_of(server):
                continue
            for service in services:
                protocol, _, port = service.partition("/")
                point = service_point(PORT_PROTOCOLS[protocol], int(port))
                passes = True
                if source.name in lookups:
                    sent = lookups[source.name].outcome(Direction.OUT, client, server, ProcessClass(unit), point)
                    passes = sent.passes
                if target.name in lookups:
                    server_unit = ProcessClass(listeners.get(service))
                    taken = lookups[target.name].outcome(Direction.IN, server, client, server_unit, point)
                    passes = passes and taken.passes
                found.append(Probe(source.name, unit, target.name, b, service, passes))
    return found


def _tried(lab: Lab, probes: Sequence[Probe], patience: float, progress: Callable[[int], None]) -> list[Probe]:
    by_source = {name: list(group) for name, group in groupby(probes, key=lambda probe: probe.source)}

    def on(name: str) -> list[Probe]:
        done = _tried_on(lab, name, by_source[name], patience)
        progress(len(done))
        return done

    with ThreadPoolExecutor(max_workers=4) as pool:
        return [probe for done in pool.map(on, by_source) for probe in done]


def _tried_on(lab: Lab, host: str, probes: Sequence[Probe], patience: float) -> list[Probe]:
    by_unit = [(unit, list(group)) for unit, group in groupby(probes, key=lambda probe: probe.unit)]
    tries = [
        {"unit": unit, "targets": [[probe.address, *_split(probe.service)] for probe in group]}
        for unit, group in by_unit
    ]
    program = resources.files("ringfence.cli.demonstration").joinpath("probe_program.py").read_text()
    order = json.dumps({"patience": patience, "tries": tries})
    done = lab.exec(host, ["python3", "-I", "-S", "-c", program], input=order, timeout=60 + patience)
    if done.returncode:
        raise OutsideError(f"connections could not be tried from {host}: {done.stderr.strip()[-300:]}")
    answers = json.loads(done.stdout)
    return [
        replace(probe, seen=answer)
        for (_, group), given in zip(by_unit, answers, strict=True)
        for probe, answer in zip(group, given, strict=True)
    ]


def _split(service: str) -> tuple[str, int]:
    protocol, _, port = service.partition("/")
    return protocol, int(port)
