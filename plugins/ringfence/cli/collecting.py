"""Collecting flows: what hosts themselves report, asked for through Ansible and put into the store."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.cli.kept import keep_snapshot, kept_snapshots, newest_kept
from ringfence.cli.looked_at import FLOWS
from ringfence.model.errors import InputError

if TYPE_CHECKING:
    from ringfence.cli.session import Session
    from ringfence.flows.store import Added
    from ringfence.rollout import Event


def collect(
    session: Session, words: Sequence[str], *, facts: bool, times: int, every: float
) -> tuple[Added, dict[str, str]]:
    """Look at hosts `times` times; return what came into the store, and why hosts did not tell, by name."""
    from ringfence.flows.readers import read
    from ringfence.flows.reading import Reading
    from ringfence.flows.store import FlowStore
    from ringfence.sources.finding import find

    chosen = find(session.snapshot, " ".join(words)) if words else session.snapshot.assets
    hosts = sorted(asset.name for asset in chosen if asset.workload)
    if not hosts:
        raise InputError("no host is chosen", remedy="ringfence assets shows what there is")
    keep_snapshot(session)
    with tempfile.TemporaryDirectory(prefix="ringfence-flows-") as directory:
        told: set[str] = set()
        why: dict[str, str] = {}
        for look in range(times):
            if look:
                time.sleep(every)
            spoke, failed = _look(session, hosts, Path(directory), look, facts=facts and look == 0)
            told |= spoke
            why |= failed
        reading = Reading()
        store = FlowStore(session.workspace.state / FLOWS)
        added = store.add(read(Path(directory), "hosts", reading), kept_snapshots(session))
    session.output.problems(reading.problems, err=True)
    if facts:
        # What hosts say of themselves for the first time counts now; what is new since then is told now.
        session.survey = session.look(lambda: newest_kept(session))
        session.output.problems(session.survey.told, err=True)
    return added, {host: why.get(host, "") for host in hosts if host not in told}


def _look(
    session: Session, hosts: Sequence[str], directory: Path, number: int, *, facts: bool
) -> tuple[set[str], dict[str, str]]:
    """Write what hosts tell into files of their own; return who told, and why others did not."""
    from ringfence.cli.driving import drive
    from ringfence.sources.ansible_settings import FACTS as FACTS_KEPT

    told: set[str] = set()

    def take(event: Event) -> None:
        if event.ends and isinstance(event.result.get("flows"), list):
            told.add(event.host)
            text = json.dumps({**event.result, "inventory_hostname": event.host})
            (directory / f"{number}-{len(told)}.json").write_text(text, encoding="utf-8")

    variables = {
        "ringfence_hosts": ":".join(hosts),
        "ringfence_gather_facts": facts,
        "ringfence_facts_directory": str((session.directory / FACTS_KEPT).absolute()),
    }
    outcome = drive(session, "discover", variables, hosts, on_event=take)
    return told, {name: host.reason for name, host in outcome.hosts.items() if not host.ok}
