"""A case in the kernel: rulesets loaded and read back, probes sent at once, arrivals compared with the reference."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_compare import differences
from ringfence.compiler import compile_policy
from ringfence.model.addresses import family_of
from ringfence.model.rules import Direction
from ringfence.model.services import TCP, UDP

from .case import Case
from .enforcers import NFTABLES, Under
from .hosts import Host, Request, ask_all
from .memories import forgotten, outcome_of
from .placement import Placement, place
from .probes import Listeners, Probe, draw_probes
from .reference import sides_of

SETTLED = 0.06  # seconds after which what is on its way has arrived, on an idle machine
PATIENCE = 0.4  # seconds to wait for a packet that should arrive
SECOND_LOOK = 5.0  # the same when a verdict surprised: TCP has sent three times, and a busy machine has come to it
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}


@dataclass
class Kernel:
    """Hosts under one enforcer, and what has been tried on them; `surprised` once anything did not agree."""

    hosts: Sequence[Host]
    under: Under = NFTABLES
    surprised: bool = False
    probes: int = 0
    policies: int = 0
    proofs: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def units(self) -> bool:
        """Return whether hosts can have control groups of their own."""
        return self.hosts[0].has_units

    def __str__(self) -> str:
        verdicts = ", ".join(f"{number} {kind}" for kind, number in sorted(self.kinds.items()))
        return f"{self.probes} probes in {self.policies} policies ({verdicts}), {self.proofs} tables read back"

    def problems(self, case: Case, count: int) -> list[str]:
        """Play a case with up to `count` probes; return in words what the kernel does otherwise: [] if all agrees."""
        tables = compile_policy(case.snapshot, case.policy, case.settings).tables
        placement = place(case, tables, self.hosts)
        probes, listeners = draw_probes(case, placement, count, self.units, self.under.bare)
        told = self._prepare(case, placement, probes, listeners)
        told += self._prove(placement)
        wrong = self._surprises(probes, PATIENCE)
        lost = {} if wrong else self._forgotten(case, placement, probes)
        again = [*wrong, *lost]
        if again:  # a slow machine is no leak: what surprised is asked again, alone and with patience
            self._prepare(case, placement, again, listeners)
            wrong = self._surprises(again, PATIENCE if self.surprised else SECOND_LOOK)
            lost = {} if wrong else self._forgotten(case, placement, again)
        self.policies += 1
        self.probes += len(probes)
        self.kinds.update(f"{'passes' if probe.passes else 'denied'} {probe.shape}" for probe in probes)
        told += [_surprise(case, probe, placement) for probe in wrong]
        told += [f"{probe}\n  {problem}" for probe, problem in lost.items()]
        self.surprised = self.surprised or bool(told)
        return told

    def _prepare(self, case: Case, placement: Placement, probes: Sequence[Probe], listeners: Listeners) -> list[str]:
        requests = {host: self._preparation(host, case, placement, probes, listeners) for host in self.hosts}
        answers = ask_all(requests)
        return [
            f"{host.name}: {problem}"
            for host, answer in answers.items()
            for problem in cast(list[str], answer["problems"])
        ]

    def _preparation(
        self, host: Host, case: Case, placement: Placement, probes: Sequence[Probe], listeners: Listeners
    ) -> Request:
        table = placement.tables.get(host)
        raw = {
            (int(FAMILY[family_of(probe.packet.server_address)]), probe.packet.protocol)
            for probe in probes
            if probe.server is host and (probe.shape == "bare" or probe.packet.protocol not in (TCP, UDP))
        }
        return {
            "do": "prepare",
            "addresses": placement.addresses_of(host),
            "steps": self.under.loading(table, case) if table else self.under.clearing(),
            "listeners": [(protocol, port, unit) for (at, protocol, port), unit in listeners.items() if at is host],
            "raw": sorted(raw),
        }

    def _listings(self, placement: Placement) -> dict[Host, Request]:
        return {host: {"do": "list", "listing": self.under.listing()} for host in placement.tables}

    def clear(self) -> None:
        """Leave the hosts without any rules."""
        ask_all({host: {"do": "load", "steps": self.under.clearing()} for host in self.hosts})

    def _prove(self, placement: Placement) -> list[str]:
        """Return how the tables read back from the kernel differ from the compiler's."""
        told = []
        for host, answer in ask_all(self._listings(placement)).items():
            told += [f"{host.name}: {problem}" for problem in cast(list[str], answer["problems"])]
            found = self.under.read(cast(str, answer["text"]))
            told += [
                f"{host.name}: read back: {one['text']}" for one in differences(placement.tables[host].data(), found)
            ]
            self.proofs += 1
        return told

    def _forgotten(self, case: Case, placement: Placement, probes: Sequence[Probe]) -> dict[Probe, str]:
        """Return what no host remembers although it denied or watched it, however late it came."""
        end = time.monotonic() + SECOND_LOOK
        while True:
            answers = ask_all(self._listings(placement))
            listings = {host: cast(str, answer["text"]) for host, answer in answers.items()}
            told = forgotten(case, placement, probes, listings, self.under)
            if not told or time.monotonic() > end:
                return told
            time.sleep(SETTLED)

    def _surprises(self, probes: Sequence[Probe], patience: float) -> list[Probe]:
        """Send probes and return those whose verdict was not the reference's."""
        clients: dict[Host, list[Probe]] = {}
        for probe in probes:
            clients.setdefault(probe.client, []).append(probe)
        sent = ask_all(
            {host: {"do": "send", "probes": [one.request() for one in mine]} for host, mine in clients.items()}
        )
        ports = {int(number): port for answer in sent.values() for number, port in _ports(answer).items()}
        begun = time.monotonic()
        while True:
            waited = time.monotonic() - begun
            passed = self._passed(probes, ports)
            missing = any(probe.passes and probe.number not in passed for probe in probes)
            if waited >= patience or (waited >= SETTLED and not missing):
                return [probe for probe in probes if probe.passes != (probe.number in passed)]
            time.sleep(0.01)

    def _passed(self, probes: Iterable[Probe], ports: Mapping[int, int]) -> set[int]:
        answers = ask_all({host: {"do": "collect"} for host in self.hosts})
        connected = {number for answer in answers.values() for number in cast(list[int], answer["connected"])}
        arrived = {
            host: {tuple(one) for one in cast(list[list[object]], answer["arrived"])}
            for host, answer in answers.items()
        }
        return {
            probe.number
            for probe in probes
            if (
                probe.number in connected
                if probe.packet.protocol == TCP and probe.shape != "bare"
                else probe.arrival(ports[probe.number]) in arrived[probe.server]
            )
        }


def lacks(hosts: Sequence[Host], under: Under) -> str:
    """Return the programs of an enforcer that some host does not have, as words; empty where all have all."""
    needed = sorted({command[0] for _, command in under.listing()} | {command[0] for command, _ in under.clearing()})
    steps = [(["sh", "-c", f"command -v {name}"], name) for name in needed]
    answers = ask_all({host: {"do": "load", "steps": steps} for host in hosts})
    missing = {problem.split(":")[0] for answer in answers.values() for problem in cast(list[str], answer["problems"])}
    return ", ".join(sorted(missing))


def _ports(answer: Mapping[str, object]) -> dict[str, int]:
    return cast(dict[str, int], answer["ports"])


def _surprise(case: Case, probe: Probe, placement: Placement) -> str:
    """Return a wrong verdict in words, with those of the reference and the tables."""
    words = {True: "passes", False: "is denied"}
    lines = [str(probe), f"  reference: {words[probe.passes]}", f"  kernel: {words[not probe.passes]}"]
    for side in sides_of(case.snapshot, probe.packet).values():
        outcome = outcome_of(placement, probe.client if side.direction is Direction.OUT else probe.server, side)
        lines.append(f"  table of {side.workload.name}, {side.direction}: {outcome.effect} by {outcome.rule}")
    return "\n".join(lines)
