"""What the hosts are known to hold: the record that apply and verify refresh and that the next plan expects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from ringfence.files import PRIVATE, locked, regular_file, write_whole
from ringfence.model.errors import InputError, OutsideError, Place
from ringfence.plan.artefact import DigestOrNone, Time
from ringfence.plan.state_file import STATE_FILE

# What JSON carries whole everywhere, and any shell counts to.
MOST_SEQUENCE = 2**53 - 1
# How far above every number that is known here one that a host reports is still believed.
STEP = 1000
# A plan a second for thirty years.
MOST_BELIEVED = 10**9


class Held(BaseModel):
    """What one host has: the confirmed ruleset and the table it was rendered from, both empty if it has none of ours.

    `enforcer` names the enforcer that this ruleset is for, empty if the host did not report it. `sequence` is the
    newest that the host has accepted; `features` are the data that enforcers read facts from, and `reached_from` is the
    address that Ansible's connection came from, both as the host reported them.
    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    ruleset: DigestOrNone = ""
    table: DigestOrNone = ""
    plan: DigestOrNone = ""
    sequence: int = Field(default=0, ge=0, le=MOST_SEQUENCE)
    seen: Time
    enforcer: str = ""
    reached_from: str = ""
    features: dict[str, JsonValue] = {}


class Record(BaseModel):
    """What every host was known to hold when this was written.

    `journals` has the number of lines in each plan's journal at that time, by the plan's short name; it is None where
    that was not written down.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid")

    format: int = Field(default=1, ge=1, le=1)
    hosts: dict[str, Held] = {}
    journals: dict[str, int] | None = None


def read_state(workspace: Path) -> dict[str, Held]:
    """Return what every host of a workspace is known to have; nothing if no host was ever asked."""
    return read_record(workspace).hosts


def read_record(workspace: Path) -> Record:
    """Return the record of a workspace, an empty one if no host was ever seen. Raise InputError if it is broken."""
    path = workspace / STATE_FILE
    try:
        text = regular_file(path)
    except FileNotFoundError:
        return Record()
    except (OSError, InputError) as error:
        why = error.message if isinstance(error, InputError) else error.strerror
        raise InputError(
            f"this record of what hosts hold cannot be read: {why}",
            Place(str(path)),
            "move it away, and have every host asked anew: 'ringfence plan --rebase'"
            if isinstance(error, InputError)
            else None,
        ) from error
    try:
        return Record.model_validate_json(text)
    except ValidationError as error:
        raise InputError(
            f"this record of what hosts hold is broken: {error.errors()[0]['msg']}",
            Place(str(path)),
            remedy="delete it, and have every host asked anew: 'ringfence plan --rebase'",
        ) from error


@contextmanager
def state_alone(workspace: Path) -> Iterator[None]:
    """Hold the record of a workspace while it is read, changed and written, so that nobody's answers are lost.

    Raise OutsideError where the lock cannot be had.
    """
    path = workspace / STATE_FILE
    with ExitStack() as held:
        try:
            held.enter_context(locked(path))
        except OSError as error:
            message = f"what hosts hold cannot be written down: {error.strerror}"
            raise OutsideError(message, Place(str(path)), "mend that, then 'ringfence plan --rebase'") from error
        yield


def write_state(workspace: Path, hosts: Mapping[str, Held], journals: Mapping[str, int] | None = None) -> None:
    """Replace the record, whole; `journals` is how far the journals were when the hosts were asked."""
    path = workspace / STATE_FILE
    record = Record(
        hosts=dict(sorted(hosts.items())),
        journals=dict(sorted(journals.items())) if journals is not None else None,
    )
    data = record.model_dump(mode="json", exclude_none=True)
    try:
        write_whole(path, json.dumps(data, indent=1, sort_keys=True) + "\n", PRIVATE)
    except OSError as error:
        message = f"what hosts hold cannot be written down: {error.strerror}"
        raise OutsideError(message, Place(str(path)), "mend that, then 'ringfence plan --rebase'") from error


def believed_sequence(known: int, hosts: Mapping[str, Held]) -> tuple[int, dict[str, int]]:
    """Return the newest sequence number that hosts have accepted and that is credible, and the others by host.

    `known` is the newest of the plans here. A number far above it is credible only if most of the hosts with a plan
    report such a number, as after the loss of a plans directory; if there are plans here, more than one host must
    report it. Otherwise a single host could raise the numbers of all.
    """
    told = sorted(held.sequence for held in hosts.values() if held.sequence)
    far = [number for number in told if number > known + STEP]
    leap = 2 * len(far) > len(told) and (known == 0 or len(far) > 1)
    limit = min(MOST_BELIEVED, (far[(len(far) - 1) // 2] if leap else known) + STEP)
    believed = max((number for number in told if number <= limit), default=0)
    return believed, {name: held.sequence for name, held in sorted(hosts.items()) if held.sequence > limit}
