"""What `verify` last found on every host, and since when it finds that: kept for whoever looks later."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from ringfence.files import PRIVATE, locked, regular_file, write_whole
from ringfence.model.errors import InputError, OutsideError, Place
from ringfence.model.safe_text import clean_line

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.estate import Estate
    from ringfence.rollout import HostResult

FILE = "proofs.json"
FORMAT = 1
# Sentences of a host that are kept, and characters of each.
MOST_SENTENCES = 20
LONGEST = 400


@dataclass(frozen=True, slots=True)
class KeptProof:
    """What was found on a host: `state` is the word of verify's result, `plan` what it was compared with.

    `since` is when this state was first found, `seen` when last; both are ISO text in UTC. `sentences` say what
    differs, or why nothing could be read; `changes` are the kinds of what differs (`open`, `closed`, `shape`, …).
    """

    state: str
    plan: str
    since: str
    seen: str
    ok: bool = False
    sentences: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


def kept_proofs(estate: Estate) -> dict[str, KeptProof]:
    """Return what is kept, by host; a file that is damaged keeps nothing, and the next verify replaces it."""
    try:
        data = json.loads(regular_file(_path(estate)))
        return {str(name): _proof(one) for name, one in data["hosts"].items()} if data["format"] == FORMAT else {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, InputError):
        return {}


def keep_proofs(
    estate: Estate, plan: str, hosts: Mapping[str, HostResult], now: str, planned: Collection[str] | None = None
) -> None:
    """Keep what verify found now. Raise OutsideError.

    Hosts that it did not ask stay as they were; those that the plan does not have any more (`planned`) are forgotten.
    """
    with _changing(estate) as kept:
        for name, host in hosts.items():
            if host.state in ("not begun", "interrupted"):
                continue
            one = found_proof(host, plan, now)
            before = kept.get(name)
            since = before.since if before and (before.state, before.changes) == (one.state, one.changes) else now
            kept[name] = replace(one, since=since)
        if planned is not None:
            for name in kept.keys() - set(planned):
                del kept[name]


def forget_proofs(estate: Estate, hosts: Collection[str]) -> None:
    """Forget what was found on hosts that hold another table now: nobody has read that back. Raise OutsideError."""
    if not kept_proofs(estate).keys() & set(hosts):
        return
    with _changing(estate) as kept:
        for name in kept.keys() & set(hosts):
            del kept[name]


@contextmanager
def _changing(estate: Estate) -> Iterator[dict[str, KeptProof]]:
    """Give what is kept, to be changed and written."""
    path = _path(estate)
    try:
        with locked(path):
            kept = kept_proofs(estate)
            yield kept
            data = {"format": FORMAT, "hosts": {name: asdict(one) for name, one in sorted(kept.items())}}
            write_whole(path, json.dumps(data, sort_keys=True) + "\n", PRIVATE)
    except OSError as error:
        raise OutsideError(f"what was found cannot be kept: {error.strerror}", Place(str(path))) from error


def found_proof(host: HostResult, plan: str, now: str) -> KeptProof:
    """Return what one host's result says, found now for the first time."""
    drift, differences = host.result.get("drift"), host.result.get("differences")
    said = drift if isinstance(drift, list) else []
    if not said and not host.ok:
        said = [host.reason or host.state]
    kinds = {
        str(one.get("change"))[:20]
        for one in (differences if isinstance(differences, list) else ())
        if isinstance(one, Mapping)
    }
    return KeptProof(
        state=clean_line(host.state[:LONGEST]),
        plan=plan,
        since=now,
        seen=now,
        ok=host.ok,
        sentences=tuple(clean_line(str(one)[:LONGEST]) for one in said[:MOST_SENTENCES]),
        changes=tuple(map(clean_line, sorted(kinds))),
    )


def _proof(data: Mapping[str, object]) -> KeptProof:
    sentences, changes = data["sentences"], data["changes"]
    if not isinstance(sentences, list) or not isinstance(changes, list):
        raise ValueError("no lists")
    return KeptProof(
        state=str(data["state"]),
        plan=str(data["plan"]),
        since=str(data["since"]),
        seen=str(data["seen"]),
        ok=data["ok"] is True,
        sentences=tuple(map(str, sentences)),
        changes=tuple(map(str, changes)),
    )


def _path(estate: Estate) -> Path:
    return estate.history.state / FILE
