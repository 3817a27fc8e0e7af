"""The journals that rollouts leave beside their plans, read to know what hosts hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ringfence.plan.artefact import Plan
from ringfence.plan.enforced import Held, read_state
from ringfence.plan.store import stored

JOURNAL_FILE = "journal.jsonl"
CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One line of a journal; `time` is ISO text in UTC, so that times compare as texts do."""

    time: str
    host: str
    event: str
    reason: str = ""


def events(directory: Path, plan: Plan) -> Iterator[Event]:
    """Yield the events of a plan's rollouts in the order they were written.

    A line that a killed controller cut short, or that is of another plan, counts as not written.
    """
    try:
        text = (directory / JOURNAL_FILE).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("plan") == plan.short:
            yield Event(*(str(entry.get(key, "")) for key in ("time", "host", "event", "reason")))


def known(workspace: Path, plans: Path) -> dict[str, Held]:
    """Return what every host is known to hold: the record of a workspace, and what was confirmed after it."""
    hosts = read_state(workspace)
    confirmed = [
        (event.time, plan, event.host)
        for directory, plan in stored(plans)
        for event in events(directory, plan)
        if event.event == CONFIRMED and event.host in plan.hosts
    ]
    for time, plan, name in sorted(confirmed, key=lambda one: one[0]):
        before = hosts.get(name)
        if before is not None and time[:19] < before.seen[:19]:
            continue
        hosts[name] = Held(
            ruleset=plan.hosts[name].ruleset,
            table=plan.hosts[name].table,
            plan=plan.digest,
            sequence=plan.sequence,
            seen=f"{time[:19]}Z",
            reached_from=before.reached_from if before else "",
            features=before.features if before else {},
        )
    return hosts


def last_confirmed(plans: Path) -> Path | None:
    """Return the directory of the plan of the highest sequence that any host has confirmed, None for none."""
    held = [
        (plan.sequence, directory)
        for directory, plan in stored(plans)
        if any(event.event == CONFIRMED for event in events(directory, plan))
    ]
    return max(held)[1] if held else None
