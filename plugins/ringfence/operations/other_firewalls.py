"""What hosts told of the other firewalls on them, kept for whoever asks later: a file for each host."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from ringfence.beside import Others, read_report, unpacked
from ringfence.files import PRIVATE, regular_file, write_whole
from ringfence.model.errors import InputError, RingfenceError
from ringfence.model.problems import Problem, Severity
from ringfence.model.safe_text import clean_line
from ringfence.plan.artefact import time_text
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.estate import Estate
    from ringfence.rollout import HostResult

DIRECTORY = "beside"
FORMAT = 1
# Characters of a report as results carry it; a host's own script tells far less.
MOST = 1_500_000
# Lines of what it forwards, and characters of one.
MOST_FORWARDED, MOST_WORDS = 20, 300


def keep_reports(estate: Estate, hosts: Mapping[str, HostResult]) -> list[Problem]:
    """Keep what hosts told now; return a warning where that cannot be written."""
    now = time_text(estate.now)
    for name, host in hosts.items():
        report = host.result.get("beside")
        if not isinstance(report, str) or not report or len(report) > MOST:
            continue
        path = _path(estate, name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            data = {"format": FORMAT, "host": name, "seen": now, "report": report, "forwards": forwarded(host)}
            write_whole(path, json.dumps(data) + "\n", PRIVATE)
        except OSError as error:
            message = f"what hosts told of other firewalls cannot be kept: {error.strerror}"
            return [Problem(Severity.WARNING, message, remedy="mend that, then 'ringfence info'")]
    return []


def forwarded(host: HostResult) -> list[str]:
    """Return what a host says that it forwards for others, a line each."""
    told = host.result.get("forwards")
    lines = [one for one in told if isinstance(one, str)] if isinstance(told, list) else []
    return [clean_line(one)[:MOST_WORDS] for one in lines[:MOST_FORWARDED]]


def forwarding_problems(estate: Estate, hosts: Iterable[str], holders: Collection[str]) -> list[Problem]:
    """Return a warning for each host that told what it forwards and no table judges.

    Of `holders` of containers only the bridges count: what else these forward their containers' tables judge.
    """
    problems = []
    for name in sorted(hosts_that_told(estate, hosts)):
        try:
            data = json.loads(regular_file(_path(estate, name)))
            lines = data.get("forwards", []) if data["host"] == name else []
            told = [clean_line(str(one))[:MOST_WORDS] for one in lines if not str(one).startswith("/proc/")]
            seen = clean_line(str(data["seen"]))[:40]
        except (OSError, ValueError, TypeError, KeyError, AttributeError, InputError, RecursionError):
            continue
        if passes := [one for one in told if one.startswith("bridge ") or name not in holders]:
            message = (
                f"{name} forwards for others, and this plan does not judge that: {first_few(passes)} (told {seen})"
            )
            remedy = "enforce on the machines behind it; docs/containers.md, Hosts that forward"
            problems.append(Problem(Severity.WARNING, message, remedy=remedy))
    return problems


def told_forwarding(estate: Estate, name: str) -> list[str]:
    """Return what a host told that it forwards, a line each; a damaged file tells nothing."""
    try:
        data = json.loads(regular_file(_path(estate, name)))
        lines = data.get("forwards", []) if data["host"] == name else []
        return [clean_line(str(one))[:MOST_WORDS] for one in lines]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, InputError, RecursionError):
        return []


def forget_gone(estate: Estate) -> None:
    """Delete what hosts told that the inventory does not have any more; one that cannot be read deletes nothing."""
    folder = estate.history.state / DIRECTORY
    if not folder.is_dir():
        return
    with suppress(OSError, RingfenceError):
        known = {_path(estate, name).name for name in estate.snapshot.called()}
        for path in folder.glob("*.json"):
            if path.name not in known:
                path.unlink(missing_ok=True)


def other_firewalls(estate: Estate, hosts: Iterable[str]) -> dict[str, Others]:
    """Return the other firewalls of those of some hosts that told theirs; a damaged file tells nothing."""
    found = {}
    for name in hosts:
        try:
            data = json.loads(regular_file(_path(estate, name)))
            if (data["format"], data["host"]) != (FORMAT, name):
                continue
            found[name] = told_by(str(data["report"]), clean_line(str(data["seen"]))[:40])
        except (OSError, ValueError, TypeError, KeyError, InputError, RecursionError):
            continue
    return found


def hosts_that_told(estate: Estate, hosts: Iterable[str]) -> frozenset[str]:
    """Return those of some hosts of which a report is kept, without reading it."""
    try:
        kept = {path.name for path in (estate.history.state / DIRECTORY).iterdir()}
    except OSError:
        return frozenset()
    return frozenset(name for name in hosts if _path(estate, name).name in kept)


def told_by(report: str, seen: str = "") -> Others:
    """Return what a report says, as results carry it; one that is none has nothing that is known."""
    return replace(_read(report), seen=seen)


@lru_cache(maxsize=64)
def _read(report: str) -> Others:
    try:
        return read_report(unpacked(report))
    except ValueError:
        return Others(unread=["the host's report, which is not understood"])


def who_may_cut(others: Others, most: int = 6) -> str:
    """Return who may cut more than Ringfence does, each with the chains, and what could not be read; empty: nobody."""
    cutters = [f"{owner} ({first_few(tuple(places), 4)})" for owner, places in sorted(others.may_cut().items())]
    told = [*cutters[:most], *(f"not known: {one}" for one in others.unread[:most])]
    return "; ".join(told)


def _path(estate: Estate, host: str) -> Path:
    return estate.history.state / DIRECTORY / f"{sha256(host.encode()).hexdigest()[:32]}.json"
