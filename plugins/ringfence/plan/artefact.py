"""The plan as a value: what `plan.json` holds, its one text and the digest that names it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
)

from ringfence.model.assets import Control
from ringfence.plan.canonical_json import InOrder, consumed_text, in_order
from ringfence.wire.plan_format import DIGEST, PLAN_FORMAT, SHORT, TIME_FORMAT

Digest = Annotated[str, StringConstraints(pattern=f"^{DIGEST}$")]
DigestOrNone = Annotated[str, StringConstraints(pattern=f"^({DIGEST})?$")]
Time = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]


class _Part(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True, populate_by_name=True)


class ControlPath(_Part):
    """From which networks and to which TCP port Ansible manages the host."""

    networks: list[str] = Field(alias="from")
    port: int = Field(ge=1, le=65535)

    @staticmethod
    def of(control: Control) -> ControlPath:
        """Return the plan's form of a control path."""
        return ControlPath.model_validate({"from": list(control.networks), "port": control.port})


class ContainerPlan(_Part):
    """A container that a host holds: its verdict table, and what its engine calls it there.

    `addresses` are those by which other tables of the plan know it; it may have others by the time of the rollout.
    """

    table: Digest
    called: str
    addresses: list[str] = []


class ForwardedPlan(_Part):
    """Workloads of one verdict table whose packets a host judges where it forwards them, by these addresses.

    `cut` says that their established connections end where the table denies them.
    """

    table: Digest
    assets: list[str]
    addresses: list[str]
    cut: bool = False


class HostPlan(_Part):
    """What one host gets, and the digest of the ruleset that it must have before (empty: no ruleset of Ringfence).

    `ruleset` is the text that `enforcer` rendered for `table`; `facts` are the facts of the host that the text depends
    on, and `runtime` is the data that the target fills in: both are the enforcer's own. `control` is present if the
    enforcer keeps a control path open, `options` are the enforcer's own (`cut`), and `chosen` says why this enforcer
    was chosen where facts of the host decided it. `containers` are the workloads that it holds, by name, and
    `forwarded` those that it judges as it forwards for them: the tables of both are part of `ruleset`.
    """

    enforcer: str
    table: Digest
    ruleset: Digest
    expects: DigestOrNone
    control: ControlPath | None = None
    options: dict[str, JsonValue] = {}
    facts: dict[str, JsonValue] = {}
    runtime: list[dict[str, JsonValue]] = []
    chosen: str = ""
    containers: dict[str, ContainerPlan] = {}
    forwarded: list[ForwardedPlan] = []

    @model_serializer(mode="wrap")
    def _said(self, every: SerializerFunctionWrapHandler) -> dict[str, JsonValue]:
        """Return the data without `containers` and `forwarded` where there are none, as plans had it before these."""
        said: dict[str, JsonValue] = every(self)
        for key in ("containers", "forwarded"):
            if not said[key]:
                said.pop(key)
        return said

    @property
    def changes(self) -> bool:
        """Return whether the host holds something else now."""
        return self.ruleset != self.expects


class RuleNamed(_Part):
    """A rule that decides something in one of the tables: its name and its place when the plan was made.

    `emergency` says that it is of the tier emergency: established connections that it denies end, whatever `cut` says.
    """

    name: str
    place: str
    emergency: bool = False

    @model_serializer(mode="wrap")
    def _said(self, every: SerializerFunctionWrapHandler) -> dict[str, JsonValue]:
        """Return the data without `emergency` where it is false, as plans had it before there was such a key."""
        return {key: value for key, value in every(self).items() if value is not False}


class Canary(_Part):
    """The host that a rollout touches first, and why that one."""

    host: str
    why: str


class Inputs(_Part):
    """The sha256 of everything that a plan was made from; `flows` is empty where no flows were looked at."""

    inventory: Digest
    policy: Digest
    flows: DigestOrNone = ""


class Plan(_Part):
    """`plan.json`.

    `left_out` says, by name, why a workload is in no wave; `restores` names the plan that a rollback brings back, else
    it is empty.
    """

    format: int = Field(default=PLAN_FORMAT, ge=PLAN_FORMAT, le=PLAN_FORMAT)
    sequence: int = Field(ge=1)
    created: Time
    valid_until: Time
    inputs: Inputs
    waves: list[list[str]]
    canary: Canary | None = None
    hosts: dict[str, HostPlan]
    rules: dict[str, RuleNamed] = {}
    simulation: dict[str, JsonValue] = {}
    diff: dict[str, JsonValue] = {}
    left_out: dict[str, str] = {}
    restores: DigestOrNone = ""

    @cached_property
    def text(self) -> str:
        """Return the canonical text: sorted keys, one space of indentation, a newline at the end."""
        # plans from before canaries were named keep their digest
        left = {"hosts", *(["canary"] if self.canary is None else [])}
        return consumed_text(
            lambda: {**self.model_dump(mode="json", by_alias=True, exclude=left), "hosts": self._hosts_data()}
        )

    def _hosts_data(self) -> InOrder:
        """Return the data of the hosts, one object for hosts that share their entry."""
        known: dict[int, object] = {}
        for host in self.hosts.values():
            if id(host) not in known:
                known[id(host)] = in_order(host.model_dump(mode="json", by_alias=True))
        return InOrder((name, known[id(host)]) for name, host in sorted(self.hosts.items()))

    def keep_text(self, text: str) -> None:
        """Take a text as this plan's own: the one that it was read from, whose digest names it."""
        self.__dict__["text"] = text

    @cached_property
    def digest(self) -> str:
        """Return the sha256 of the text, which is the plan's name."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def short(self) -> str:
        """Return the first digits of the digest: the name of the plan's directory."""
        return self.digest[:SHORT]

    @property
    def changed(self) -> list[str]:
        """Return the hosts that hold something else now, by name."""
        return [name for name, host in sorted(self.hosts.items()) if host.changes]

    @property
    def workloads(self) -> dict[str, str]:
        """Return the digests of the tables that are enforced for workloads: by themselves, in hosts, or on the way."""
        way = {name: one.table for host in self.hosts.values() for one in host.forwarded for name in one.assets}
        inside = {name: one.table for host in self.hosts.values() for name, one in host.containers.items()}
        return way | {name: host.table for name, host in self.hosts.items()} | inside

    @property
    def table_digests(self) -> set[str]:
        """Return the digests of all tables: what is enforced on the way may be another than what a host enforces."""
        return {*self.workloads.values(), *(one.table for host in self.hosts.values() for one in host.forwarded)}

    def expired(self, now: datetime) -> bool:
        """Return whether `now` is after `valid_until`."""
        return now > parse_time(self.valid_until)


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan with the texts of its files, by sha256: what `write` puts into a directory."""

    plan: Plan
    rulesets: Mapping[str, str]
    tables: Mapping[str, str]


def digest_of(text: str) -> str:
    """Return the sha256 of a text's UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def time_text(time: datetime) -> str:
    """Return a time in UTC to the second."""
    return time.astimezone(UTC).strftime(TIME_FORMAT)


def parse_time(text: str) -> datetime:
    """Return the time of a text that `time_text` wrote."""
    return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC)
