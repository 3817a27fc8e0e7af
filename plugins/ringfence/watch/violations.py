"""Violations: what was seen that the policy does not want, folded, each with a life: new, accepted, fixed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from ringfence.files import locked, regular_file, write_whole
from ringfence.flows.records import PROTOCOL_NAMES, PROTOCOLS, time_of, time_text
from ringfence.model.addresses import address_text, point_of
from ringfence.model.errors import InputError, OutsideError, Place
from ringfence.watch.events import HARMLESS, End, Kind, WatchEvent

FILE = "violations.json"
FORMAT = 1
# Violations that are kept.
MOST = 10_000
# Years that no time of a violation has, and what a damaged file can lead to.
_FAR = 9000
_DAMAGED = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
KINDS = (Kind.DENIED, Kind.WOULD_DENY, Kind.NOT_ENFORCED, Kind.NEW_PAIR, Kind.SCAN)


class Status(StrEnum):
    """Where in its life a violation is."""

    NEW = "new"
    ACCEPTED = "accepted"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Example:
    """The flow by which a violation was last seen: points, and the host that told of it."""

    host: str
    client: int
    client_asset: str | None
    server: int
    server_asset: str | None
    protocol: int
    port: int | None


@dataclass(frozen=True, slots=True)
class Violation:
    """One violation: which labels (texts), service and rule; `because` is a person's reason, or why it is fixed."""

    id: str
    kind: Kind
    source: str
    destination: str
    service: str
    rule: str
    place: str
    first_seen: datetime
    last_seen: datetime
    count: int
    example: Example
    status: Status = Status.NEW
    because: str = ""
    changed: datetime | None = None

    def data(self) -> dict[str, object]:
        """Return plain data, for JSON and for the file."""
        return {
            "id": self.id,
            "kind": self.kind.word,
            "from": self.source,
            "to": self.destination,
            "service": self.service,
            "rule": self.rule,
            "place": self.place,
            "first_seen": time_text(self.first_seen),
            "last_seen": time_text(self.last_seen),
            "count": self.count,
            "status": str(self.status),
            "because": self.because,
            "changed": time_text(self.changed) if self.changed else None,
            "example": {
                "host": self.example.host,
                "client": address_text(self.example.client),
                "client_asset": self.example.client_asset,
                "server": address_text(self.example.server),
                "server_asset": self.example.server_asset,
                "protocol": PROTOCOL_NAMES.get(self.example.protocol, str(self.example.protocol)),
                "port": self.example.port,
            },
        }


def violation_of(event: WatchEvent) -> Violation:
    """Return the violation that an event is, as if it were seen for the first time."""
    scan = event.kind is Kind.SCAN
    source = address_text(event.client.point) if scan and not event.client.asset else _who(event.client)
    if scan and event.client.asset:
        source = event.client.asset
    destination = "many" if scan else _who(event.server)
    service = "many" if scan else event.service
    words = "\0".join((event.kind.word, source, destination, service, event.rule))
    return Violation(
        id=hashlib.blake2b(words.encode(), digest_size=4).hexdigest(),
        kind=event.kind,
        source=source,
        destination=destination,
        service=service,
        rule=event.rule or event.detail,
        place=event.place,
        first_seen=event.time,
        last_seen=event.time,
        count=event.count,
        example=Example(
            event.host,
            event.client.point,
            event.client.asset,
            event.server.point,
            event.server.asset,
            event.protocol,
            event.port,
        ),
    )


def event_data(event: WatchEvent) -> dict[str, object]:
    """Return an event as plain data, with the id of the violation that it is; None for one that is none."""
    return {**event.data(), "violation": None if event.kind in HARMLESS else violation_of(event).id}


def _who(end: End) -> str:
    return end.label_text or str(end.asset)


def met_again(known: Violation | None, seen: Violation) -> Violation:
    """Return a violation after it was seen: what was fixed is new again, what is accepted stays so."""
    if known is None:
        return seen
    met = replace(
        known,
        last_seen=max(known.last_seen, seen.last_seen),
        count=known.count + seen.count,
        example=seen.example,
        place=seen.place,
    )
    if known.status is Status.FIXED:
        return replace(met, status=Status.NEW, because="seen again after it was fixed", changed=seen.last_seen)
    return met


def overdue(one: Violation, now: datetime, after: int) -> Violation:
    """Return a violation, fixed where it was not seen for `after` seconds; accepted ones stay."""
    if one.status is not Status.NEW or one.last_seen + timedelta(seconds=after) > now:
        return one
    return replace(one, status=Status.FIXED, because=f"not seen since {time_text(one.last_seen)}", changed=now)


class ViolationStore:
    """The violations of a workspace in one file, which is read, changed and written under its lock."""

    def __init__(self, state: Path) -> None:
        self.path = state / FILE

    def load(self) -> dict[str, Violation]:
        """Return the violations by id. Raise InputError for a file that is none of ours."""
        try:
            text = regular_file(self.path)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", Place(str(self.path))) from error
        try:
            data = json.loads(text)
            if data["format"] != FORMAT:
                raise InputError("this file is of another release", Place(str(self.path)), "move it away")
            found = [_read(one) for one in data["violations"]]
            if any(one.last_seen.year >= _FAR for one in found):
                raise ValueError("a time lies too far ahead")
        except _DAMAGED as error:
            raise InputError(
                "this file is damaged", Place(str(self.path)), "move it away: violations are found again as they happen"
            ) from error
        return {one.id: one for one in found}

    def change(
        self, seen: Iterable[Violation], now: datetime, fixed_after: int
    ) -> tuple[list[Violation], dict[str, Status]]:
        """Add what was seen, settle what was not seen for long; return what is new, or new again, and every status.

        Raise OutsideError where the file cannot be written.
        """
        try:
            with locked(self.path):
                known = self.load()
                fresh: dict[str, Violation] = {}
                for one in seen:
                    before = known.get(one.id)
                    known[one.id] = met_again(before, one)
                    if before is None or before.status is Status.FIXED:
                        fresh[one.id] = known[one.id]
                known = {key: overdue(one, now, fixed_after) for key, one in known.items()}
                for key in _most_forgotten(known):
                    del known[key]
                self._save(known)
        except OSError as error:
            raise OutsideError(f"cannot be written: {error.strerror}", Place(str(self.path))) from error
        return [known[key] for key in fresh if key in known], {key: one.status for key, one in known.items()}

    def replace(self, changed: Mapping[str, Violation]) -> None:
        """Put violations in place of those of the same ids. Raise OutsideError where the file cannot be written."""
        try:
            with locked(self.path):
                self._save({**self.load(), **changed})
        except OSError as error:
            raise OutsideError(f"cannot be written: {error.strerror}", Place(str(self.path))) from error

    def _save(self, violations: Mapping[str, Violation]) -> None:
        rows = [one.data() for one in sorted(violations.values(), key=lambda one: (one.first_seen, one.id))]
        write_whole(self.path, json.dumps({"format": FORMAT, "violations": rows}, indent=1) + "\n")


def _most_forgotten(known: Mapping[str, Violation]) -> list[str]:
    """Return what goes where there are too many: fixed ones, then those of the hosts that tell of most, oldest first.

    So no host's lies push out what others told of; what a person accepted goes last of all.
    """
    later = {Status.FIXED: 0, Status.NEW: 1, Status.ACCEPTED: 2}
    told: Counter[str] = Counter()
    places = {}
    for one in sorted(known.values(), key=lambda one: one.last_seen, reverse=True):
        share = 0
        if one.status is Status.NEW:
            told[one.example.host] += 1
            share = told[one.example.host]
        places[one.id] = later[one.status], -share, one.last_seen
    order = sorted(known, key=lambda key: places[key])
    return order[: max(0, len(known) - MOST)]


def _read(data: Mapping[str, Any]) -> Violation:
    example = data["example"]
    return Violation(
        id=str(data["id"]),
        kind={kind.word: kind for kind in KINDS}[data["kind"]],
        source=str(data["from"]),
        destination=str(data["to"]),
        service=str(data["service"]),
        rule=str(data["rule"]),
        place=str(data["place"]),
        first_seen=time_of(data["first_seen"], "first_seen"),
        last_seen=time_of(data["last_seen"], "last_seen"),
        count=int(data["count"]),
        status=Status(data["status"]),
        because=str(data["because"]),
        changed=time_of(data["changed"], "changed") if data["changed"] else None,
        example=Example(
            str(example["host"]),
            point_of(example["client"]),
            _asset(example["client_asset"]),
            point_of(example["server"]),
            _asset(example["server_asset"]),
            PROTOCOLS.get(example["protocol"], 0) or int(example["protocol"]),
            None if example["port"] is None else int(example["port"]),
        ),
    )


def _asset(name: object) -> str | None:
    return None if name is None else str(name)
