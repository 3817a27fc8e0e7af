"""Collecting flows: what hosts themselves report, asked for through Ansible and put into the store."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.cli.kept import keep_snapshot, kept_snapshots, newest_kept
from ringfence.cli.looked_at import FLOWS, HOSTS, reading_of
from ringfence.model.errors import InputError
from ringfence.plan.host_names import askable, why_not

if TYPE_CHECKING:
    from ringfence.cli.session import Session
    from ringfence.flows.store import Added
    from ringfence.rollout import Event


def collect(
    session: Session, words: Sequence[str], *, facts: bool, times: int, every: float
) -> tuple[Added, int, dict[str, str]]:
    """Look at hosts `times` times; return what came into the store, how many rows were wrong, and why hosts did not
    tell, by name."""
    from ringfence.cli.asking import Asking
    from ringfence.flows.hosts_format import read_collected
    from ringfence.flows.readers import read_by
    from ringfence.flows.store import FlowStore
    from ringfence.rollout.private import private_directory

    chosen = Asking(session.workspace, session.snapshot).assets(words)
    hosts = sorted(asset.name for asset in chosen if asset.workload)
    if not hosts:
        raise InputError("no host is chosen", remedy="ringfence assets shows what there is")
    keep_snapshot(session)
    with private_directory() as private:
        path = private / "told"
        path.touch()
        told: set[str] = set()
        why: dict[str, str] = {}
        for look in range(times):
            if look:
                time.sleep(every)
            asked = [host for host in hosts if askable(host)]
            spoke, failed = _look(session, asked, path, facts=facts and look == 0)
            told |= spoke
            why |= failed
        reading = reading_of(session, HOSTS)
        store = FlowStore(session.workspace.state / FLOWS)
        found = read_by(read_collected, path, reading) if told else ()
        added = store.add(found, kept_snapshots(session))
    session.output.problems(reading.problems, err=True)
    if facts:
        # What hosts say of themselves for the first time counts now; what is new since then is told now.
        session.survey = session.look(lambda: newest_kept(session))
        session.output.problems(session.survey.told, err=True)
    why |= {host: why_not(host) for host in hosts if not askable(host)}
    return added, reading.bad, {host: why.get(host, "") for host in hosts if host not in told}


def _look(session: Session, hosts: Sequence[str], path: Path, *, facts: bool) -> tuple[set[str], dict[str, str]]:
    """Add what hosts tell to a file, a line each; return who told, and why others did not."""
    from ringfence.cli.driving import drive
    from ringfence.sources.ansible_settings import FACTS as FACTS_KEPT

    told: set[str] = set()

    def take(event: Event) -> None:
        if event.ends and isinstance(event.result.get("flows"), list):
            told.add(event.host)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({event.host: event.result}) + "\n")

    variables = {
        "ringfence_hosts": ":".join(hosts),
        "ringfence_gather_facts": facts,
        "ringfence_facts_directory": str((session.directory / FACTS_KEPT).absolute()),
    }
    outcome = drive(session, "discover", variables, hosts, on_event=take)
    return told, {name: host.reason for name, host in outcome.hosts.items() if not host.ok}
