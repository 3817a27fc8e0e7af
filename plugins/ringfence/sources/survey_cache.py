"""The last answer of the inventory, kept for questions: read again only while nothing it depends on has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ringfence.files import PRIVATE, locked, may_write, own_file, write_whole
from ringfence.model.assets import Asset, Control, Label, Snapshot
from ringfence.model.errors import Place
from ringfence.model.problems import Problem, Severity
from ringfence.sources.claims import Claim, Claims
from ringfence.sources.inventory_state import InventoryState
from ringfence.sources.snapshots import TIME
from ringfence.sources.surveys import Survey

FILE = "survey.json"
FORMAT = 2


@dataclass(frozen=True, slots=True)
class KeptSurvey:
    """What the inventory said when it was asked; `age` in seconds."""

    survey: Survey
    age: float


def keep_survey(path: Path, survey: Survey, state: InventoryState, before: str, asked: float) -> None:
    """Keep an answer that has no errors and no silent source, readable by its owner alone; drop the kept one otherwise.

    `before` is the digest of the kept snapshot that the answer rests on, `asked` the time in seconds since 1970. Raise
    OSError where it cannot be written.
    """
    if survey.errors() or survey.silent:
        if path.exists():
            with locked(path):
                path.unlink(missing_ok=True)
        return
    may_write(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    body = json.dumps(_data(survey), separators=(",", ":"))
    head = {
        "format": FORMAT,
        "files": state.files,
        "environment": state.environment,
        "dynamic": state.dynamic,
        "before": before,
        "asked": asked,
        "body": hashlib.sha256(body.encode()).hexdigest(),
    }
    with locked(path):
        write_whole(path, f"{json.dumps(head, sort_keys=True)}\n{body}\n", PRIVATE)


def kept_survey(path: Path, state: InventoryState, before: str, now: float, fresh_for: float) -> KeptSurvey | None:
    """Return the kept answer if it is still valid, else None: the inventory has to be asked.

    It is valid while the state is the same; dynamic sources are asked again when it is older than `fresh_for` seconds.
    An answer from the future, of another user, cut short or damaged is not valid.
    """
    text = own_file(path)
    head_text, _, rest = text.partition(b"\n")
    body = rest.removesuffix(b"\n")
    try:
        head = json.loads(head_text) if text else {}
        if head.get("format") != FORMAT or head["files"] != state.files or head["before"] != before:
            return None
        age = now - float(head["asked"])
        if not age >= 0:
            return None
        if (head["dynamic"] or state.dynamic) and (age >= fresh_for or head["environment"] != state.environment):
            return None
        if hashlib.sha256(body).hexdigest() != head["body"]:
            return None
        return KeptSurvey(_survey(json.loads(body)), age)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError):
        return None


def rest_on(path: Path, asked: float, before: str) -> None:
    """Let the answer of a time rest on another kept snapshot: the one that was made of it. Raise OSError.

    Asked again beside that one, the inventory would give the same names.
    """
    if not path.exists():
        return
    with locked(path):
        head_text, _, body = own_file(path).partition(b"\n")
        try:
            head = json.loads(head_text) if head_text else {}
        except ValueError:
            return
        if isinstance(head, dict) and head.get("asked") == asked:
            write_whole(path, f"{json.dumps({**head, 'before': before}, sort_keys=True)}\n{body.decode()}", PRIVATE)


def _data(survey: Survey) -> dict[str, object]:
    claims = survey.claims
    numbers: dict[tuple[tuple[str, Label], ...], int] = {}
    assets = [_asset_data(one, numbers) for one in survey.snapshot.assets]
    return {
        "taken": survey.snapshot.taken.astimezone(UTC).strftime(TIME),
        "labels": [{key: [one.value, one.rule, one.told] for key, one in labels} for labels in numbers],
        "assets": assets,
        **{key: [one.data() for one in getattr(survey, key)] for key in ("problems", "told", "said")},
        "claims": {
            "counted": [[one.host, one.address] for one in claims.counted],
            "waiting": [[one.host, one.address] for one in claims.waiting],
            "others": [[one.host, one.address, holder] for one, holder in claims.others],
            "first": claims.first,
            "gathered": claims.gathered,
        },
    }


def _asset_data(asset: Asset, numbers: dict[tuple[tuple[str, Label], ...], int]) -> list[object]:
    """Return an asset as a list that `_asset` reads; the same labels, in the same order, have one number."""
    return [
        asset.name,
        asset.addresses,
        numbers.setdefault(tuple(asset.labels.items()), len(numbers)),
        asset.realm,
        asset.workload,
        asset.enforcer,
        asset.sources,
        [asset.control.networks, asset.control.port] if asset.control else None,
        asset.attributes,
        asset.also,
        asset.claimed,
    ]


def _asset(entry: Sequence[Any], labels: Sequence[Mapping[str, Label]]) -> Asset:
    name, addresses, number, realm, workload, enforcer, sources, control, attributes, also, claimed = entry
    return Asset(
        name,
        tuple(addresses),
        labels[number],
        realm,
        workload,
        enforcer,
        tuple(sources),
        None if control is None else Control(tuple(control[0]), control[1]),
        attributes,
        tuple(also),
        tuple(claimed),
    )


def _survey(data: Mapping[str, Any]) -> Survey:
    labels = [{key: Label(*one) for key, one in each.items()} for each in data["labels"]]
    assets = tuple(_asset(entry, labels) for entry in data["assets"])
    claims = data["claims"]
    return Survey(
        Snapshot(assets, datetime.strptime(data["taken"], TIME).replace(tzinfo=UTC)),
        _problems(data["problems"]),
        (),
        _problems(data["told"]),
        Claims(
            _claims(claims["counted"]),
            _claims(claims["waiting"]),
            tuple((Claim(str(host), str(address)), str(holder)) for host, address, holder in claims["others"]),
            claims["first"] is True,
            claims["gathered"] is True,
        ),
        _problems(data["said"]),
    )


def _claims(entries: Iterable[Any]) -> tuple[Claim, ...]:
    return tuple(Claim(str(host), str(address)) for host, address in entries)


def _problems(entries: Iterable[Mapping[str, Any]]) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            Severity(one["severity"]),
            str(one["message"]),
            None if one["file"] is None else Place(str(one["file"]), int(one["line"]), int(one["column"])),
            None if one["remedy"] is None else str(one["remedy"]),
        )
        for one in entries
    )
