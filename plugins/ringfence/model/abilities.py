"""What an enforcer can distinguish and do: the compiler makes tables for it, and `check` compares rules with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ringfence.model.intervals import IntervalSet, union
from ringfence.model.rules import Direction
from ringfence.model.services import SCTP, TCP, UDP, block_of

LISTENED = union(block_of(protocol) for protocol in (TCP, UDP, SCTP))


class Where(StrEnum):
    """Where an enforcer's work is done: on the host itself, or at the interface of a service that controls it."""

    HOST = "host"
    API = "api"


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an enforcer can do; one for each enforcer, equal for all of its hosts.

    `kinds` are the process kinds of its platform (`unit`, `user`; `program`, `service`), and `inbound` and `outbound`
    those of them that it can match in a direction. `listeners` are the points of the service line at which it sees
    which process a packet on the way in is for. `control` says that a control path must stay open, `cut` that it can
    end established connections.
    """

    platform: str
    kinds: tuple[str, ...]
    inbound: frozenset[str] = frozenset()
    outbound: frozenset[str] = frozenset()
    listeners: IntervalSet = LISTENED
    deny: bool = True
    dynamic_sets: bool = True
    icmp_types: bool = True
    cut: bool = True
    control: bool = True
    where: Where = Where.HOST

    def processes(self, direction: Direction) -> frozenset[str]:
        """Return the process kinds that it can match in a direction."""
        return self.inbound if direction is Direction.IN else self.outbound


# What the kernel of Linux lets a packet filter see; also what is assumed of a host that no installed enforcer serves.
LINUX = Abilities("linux", ("unit", "user"), frozenset({"unit"}), frozenset({"unit", "user"}))
