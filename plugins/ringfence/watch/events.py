"""What was seen, judged: one flow or denial with its ends, the verdict, and the rule that decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ringfence.flows.records import PROTOCOL_NAMES, time_text
from ringfence.model.addresses import address_text


class Kind(StrEnum):
    """What a flow is under the policy: see `ringfence.watch.judge`."""

    ALLOWED = "allowed"
    WOULD_DENY = "would deny"
    NOT_ENFORCED = "not enforced"
    DENIED = "denied"
    CUT = "cut"
    NEW_PAIR = "new pair"
    SCAN = "scan"

    @property
    def word(self) -> str:
        """Return the kind as data and options call it."""
        return self.value.replace(" ", "_")


# Kinds that are nothing to answer for: what a quarantine cuts is what it is for.
HARMLESS = frozenset({Kind.ALLOWED, Kind.CUT})
# Kinds in which the policy says no.
DENIALS = frozenset({Kind.WOULD_DENY, Kind.NOT_ENFORCED, Kind.DENIED})


@dataclass(frozen=True, slots=True)
class End:
    """One end of a flow: its address (a point), and the asset that holds it with its labels; None where nobody does."""

    point: int
    asset: str | None = None
    labels: Mapping[str, str] | None = field(default=None, hash=False)

    @property
    def label_text(self) -> str:
        """Return the labels for people: `unknown` for an address of no asset, empty for an asset without labels."""
        if self.labels is None:
            return "unknown"
        return " ".join(f"{key}={value}" for key, value in sorted(self.labels.items()))

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        labels = None if self.labels is None else dict(self.labels)
        return {"address": address_text(self.point), "asset": self.asset, "labels": labels}


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One thing that was seen on `host` at `time`.

    `rule` and `place` name what decided; `answered` says that the server answered; `count` is how many packets of a
    denial, or flows of one kind, this event stands for; `port` is None where an ICMP type is not known.
    """

    kind: Kind
    time: datetime
    host: str
    client: End
    server: End
    protocol: int
    port: int | None
    rule: str
    place: str = ""
    answered: bool = False
    count: int = 1
    detail: str = ""

    @property
    def service(self) -> str:
        """Return the service in the grammar's words."""
        name = PROTOCOL_NAMES.get(self.protocol, f"ip/{self.protocol}")
        return name if self.port is None or "/" in name else f"{name}/{self.port}"

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return {
            "event": self.kind.word,
            "time": time_text(self.time),
            "host": self.host,
            "client": self.client.data(),
            "server": self.server.data(),
            "protocol": PROTOCOL_NAMES.get(self.protocol, str(self.protocol)),
            "port": self.port,
            "rule": self.rule,
            "place": self.place,
            "answered": self.answered,
            "count": self.count,
            **({"detail": self.detail} if self.detail else {}),
        }
