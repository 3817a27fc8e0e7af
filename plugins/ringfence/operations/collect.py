"""Collecting flows: what hosts themselves report, asked for through Ansible and put into the store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.enforcers import held_by_host
from ringfence.estate.listening import Listener, Several
from ringfence.estate.queries import QueryReader
from ringfence.model.errors import InputError, Place
from ringfence.operations.execution import Execution
from ringfence.operations.flow_selection import HOSTS, reading_of
from ringfence.operations.unseen import unseen_of, unseen_problems
from ringfence.plan.host_names import askable, why_not

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.flows.store_counts import Added
    from ringfence.rollout import Event


@dataclass(frozen=True, slots=True)
class CollectRequest:
    """Which hosts to look at (words as for `ringfence assets`), how often, and with how many seconds between."""

    words: tuple[str, ...] = ()
    facts: bool = False
    times: int = 1
    every: float = 5.0


@dataclass(frozen=True, slots=True)
class Collected:
    """What came into the store, how many rows were wrong, and why hosts did not tell, by name."""

    added: Added
    wrong: int
    silent: dict[str, str]


def collect(estate: Estate, request: CollectRequest, execution: Execution | None = None) -> Collected:
    """Take samples of hosts and keep what they report; a cancellation stops the current sample and is the end.

    Raise InputError if no host is chosen, Interrupted if a sample was cancelled.
    """
    from ringfence.flows.listeners import keep_listeners
    from ringfence.flows.readers import read_by
    from ringfence.flows.readers.hosts import read_collected
    from ringfence.flows.store import FlowStore
    from ringfence.operations.flow_sources import note_source
    from ringfence.rollout.private import private_directory

    execution = execution or Execution()
    chosen = QueryReader(estate.workspace.definitions, estate.snapshot).assets(request.words)
    hosts = sorted(asset.name for asset in chosen if asset.workload and not held_by_host(asset.enforcer))
    if not hosts:
        raise InputError("no host is chosen", remedy="ringfence assets shows what there is")
    estate.keep_snapshot()
    with private_directory() as private:
        path = private / "told"
        path.touch()
        told: set[str] = set()
        why: dict[str, str] = {}
        unseen: dict[str, tuple[str, ...]] = {}
        for look in range(request.times):
            if look and execution.cancel.wait(request.every):
                break
            asked = [host for host in hosts if askable(host)]
            keeping, failed = _look(estate, asked, path, execution, facts=request.facts and look == 0)
            told |= keeping.told
            unseen |= keeping.unseen
            why |= failed
        reading = reading_of(estate, HOSTS)
        store = FlowStore(estate.history.flows)
        found = read_by(read_collected, path, reading) if told else ()
        added = store.add(found, estate.snapshots())
        if told and (not_listed := note_source(estate, COLLECTED, HOSTS, added, reading.bad)):
            reading.warn(not_listed, Place(str(estate.history.flows)))
        keep_listeners(estate.history.flows, reading.heard)
    execution.listener.problems([*reading.problems, *unseen_problems(unseen)])
    if request.facts:
        # What hosts say of themselves for the first time counts now; what is new since then is told now.
        execution.listener.problems(estate.survey(fresh=True).told)
    why |= {host: why_not(host) for host in hosts if not askable(host)}
    return Collected(added, reading.bad, {host: why.get(host, "") for host in hosts if host not in told})


COLLECTED = "ringfence flows collect"


class _Keeping(Listener):
    """Adds what hosts tell to a file, a line each; `told` are those that did, `unseen` what they could not see."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.told: set[str] = set()
        self.unseen: dict[str, tuple[str, ...]] = {}

    def event(self, event: Event) -> None:
        """Keep the report of a host, and when it came."""
        from ringfence.flows.readers.hosts import ARRIVED

        if event.ends and isinstance(event.result.get("flows"), list):
            self.told.add(event.host)
            self.unseen[event.host] = unseen_of(event.result)
            with self.path.open("a", encoding="utf-8") as file:
                came = {**event.result, ARRIVED: datetime.now(UTC).isoformat()}
                file.write(json.dumps({event.host: came}) + "\n")


def _look(
    estate: Estate, hosts: Sequence[str], path: Path, execution: Execution, *, facts: bool
) -> tuple[_Keeping, dict[str, str]]:
    """Return what was told, and why others did not."""
    from ringfence.operations.drive import drive
    from ringfence.sources.ansible_settings import FACTS as FACTS_KEPT

    keeping = _Keeping(path)
    variables = {
        "ringfence_hosts": ":".join(hosts),
        "ringfence_gather_facts": facts,
        "ringfence_facts_directory": str((estate.directory / FACTS_KEPT).absolute()),
    }
    with_keeping = Execution(Several(execution.listener, keeping), execution.cancel, execution.runner)
    result = drive(estate, "discover", variables, hosts, with_keeping)
    return keeping, {name: host.reason for name, host in result.hosts.items() if not host.ok}
