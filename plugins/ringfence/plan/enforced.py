"""What the hosts are known to hold: the record that apply and verify refresh and that the next plan expects."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from ringfence.model.errors import InputError, Place
from ringfence.plan.artefact import DigestOrNone, Time

STATE_FILE = Path(".ringfence") / "state.json"


class Held(BaseModel):
    """What one host holds: the confirmed ruleset and the table it was rendered from, empty for none of ours.

    `sequence` is the newest that the host has accepted; `features` are the facts that `enforcers` ask for, and
    `reached_from` is the address that Ansible's connection came from, both as the host reported them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ruleset: DigestOrNone = ""
    table: DigestOrNone = ""
    plan: DigestOrNone = ""
    sequence: int = 0
    seen: Time
    reached_from: str = ""
    features: dict[str, JsonValue] = {}


class _State(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: int = Field(default=1, ge=1, le=1)
    hosts: dict[str, Held] = {}


def read_state(workspace: Path) -> dict[str, Held]:
    """Return what every host of a workspace is known to hold; nothing where no host was ever seen."""
    path = workspace / STATE_FILE
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return {}
    try:
        return _State.model_validate_json(text).hosts
    except ValidationError as error:
        raise InputError(
            f"this record of what hosts hold is broken: {error.errors()[0]['msg']}",
            Place(str(path)),
            remedy="delete it, and have every host asked anew: 'ringfence plan --rebase'",
        ) from error


def write_state(workspace: Path, hosts: Mapping[str, Held]) -> None:
    """Replace the record, whole."""
    path = workspace / STATE_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    data = _State(hosts=dict(sorted(hosts.items()))).model_dump(mode="json")
    descriptor, scratch = tempfile.mkstemp(dir=path.parent, prefix=".state-")
    with os.fdopen(descriptor, "w") as file:
        json.dump(data, file, indent=1, sort_keys=True)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    Path(scratch).replace(path)


def highest_sequence(hosts: Mapping[str, Held]) -> int:
    """Return the newest sequence that any host has accepted, 0 for none."""
    return max((held.sequence for held in hosts.values()), default=0)
