"""One flow under a draft and under what is enforced now: what each side says, and what that changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ringfence.analysis.builtins import built_in, from_port
from ringfence.model.assets import Control
from ringfence.model.rules import Direction
from ringfence.model.tables import Effect, Outcome, ServiceMap

BUILT_IN = "built-in: "


class Category(StrEnum):
    """What becomes of a flow under a draft, compared with now."""

    STILL_ALLOWED = "still_allowed"
    NEWLY_ALLOWED = "newly_allowed"
    NEWLY_DENIED = "newly_denied"
    STILL_DENIED = "still_denied"

    # an enum's own hash is computed in Python, each time; this one is the text's
    __hash__ = str.__hash__

    @staticmethod
    def of(*, before: bool, after: bool) -> Category:
        """Return the category of a flow that passes now (`before`) and under the draft (`after`)."""
        if after:
            return Category.STILL_ALLOWED if before else Category.NEWLY_ALLOWED
        return Category.NEWLY_DENIED if before else Category.STILL_DENIED


_STRICTEST = (Category.NEWLY_DENIED, Category.STILL_DENIED, Category.NEWLY_ALLOWED, Category.STILL_ALLOWED)


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a pair of addresses under one set of tables.

    `maps` holds the service map of the process that was seen, and behind it those of the other processes that it may
    have been where the flow does not say, and of the dynamic sets that the far address may have been in. `control` is
    set where the client stands in the control path of this end.
    """

    direction: Direction
    maps: tuple[ServiceMap, ...]
    control: Control | None = None

    def outcomes(self, pair: Pair, service_point: int) -> tuple[Outcome, ...]:
        """Return the outcome for the process that was seen, then those for the others that it may have been.

        No flow says which port it was sent from: the last outcome may be a DHCP client's, which has a port of its own.
        """
        inbound = self.direction is Direction.IN
        name = built_in(
            pair.client, pair.server, service_point, control=self.control, inbound=inbound, itself=pair.itself
        )
        if name is not None:
            return (Outcome(Effect.ALLOW, BUILT_IN + name),)
        outcomes = tuple(services.outcome(service_point) for services in self.maps)
        if from_port(pair.client, pair.server, service_point, inbound=inbound) is not None:
            outcomes += (Outcome(Effect.ALLOW, BUILT_IN + "DHCP client"),)
        return outcomes


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ends that stand for all pairs that are judged alike; a side is None where it is not a workload.

    `client` and `server` are the addresses of one such pair; `itself` says that the traffic stays inside one host.
    """

    client: int
    server: int
    itself: bool
    draft: tuple[Side | None, Side | None]
    current: tuple[Side | None, Side | None] | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a simulation says of a flow.

    `draft` and `current` are the outcomes of the client's and the server's side, None where a side is not a workload
    (it allows); `current` is None as a whole where nothing is enforced. `depends` says that another process at an end
    whose process is not known, another ICMP type where nobody said it, an answer to a name that the policy names, or a
    DHCP client (which is known by the port that it sends from) would be judged otherwise by the draft.
    """

    category: Category
    draft: tuple[Outcome | None, Outcome | None]
    current: tuple[Outcome | None, Outcome | None] | None
    depends: bool

    @property
    def allowed(self) -> bool:
        """Return whether the draft lets it pass."""
        return passes(self.draft)

    @property
    def watched(self) -> bool:
        """Return whether it passes only because a mode does not bite: `full` would deny it."""
        return self.allowed and any(outcome and outcome.effect is Effect.WATCH for outcome in self.draft)

    def deciding(self) -> list[tuple[Direction, Outcome]]:
        """Return the sides of the draft that decided: those that deny, or all where none does."""
        sides = [
            (direction, outcome)
            for direction, outcome in zip((Direction.OUT, Direction.IN), self.draft, strict=True)
            if outcome is not None
        ]
        return sides if self.allowed else [(direction, outcome) for direction, outcome in sides if not outcome.passes]


def judge(pair: Pair, service_point: int) -> Verdict:
    """Return the verdict for a point of the service line between two ends."""
    draft = [side.outcomes(pair, service_point) if side else (None,) for side in pair.draft]
    seen = (draft[0][0], draft[1][0])
    possible = {passes((out, into)) for out in draft[0] for into in draft[1]}
    current = None
    if pair.current is not None:
        now = [side.outcomes(pair, service_point)[0] if side else None for side in pair.current]
        current = (now[0], now[1])
    category = Category.of(before=current is None or passes(current), after=passes(seen))
    return Verdict(category, seen, current, len(possible) > 1)


def judge_any(pair: Pair, service_points: Sequence[int]) -> Verdict:
    """Return the verdict for a service that may have been any of some points: the strictest, dependent if they differ.

    So a gate does not pass because of a type that nobody gave.
    """
    found = list(dict.fromkeys(judge(pair, point) for point in service_points))
    strictest = min(found, key=lambda verdict: (_STRICTEST.index(verdict.category), not verdict.watched))
    depends = strictest.depends or len({verdict.allowed for verdict in found}) > 1
    return replace(strictest, depends=depends)


def passes(sides: tuple[Outcome | None, Outcome | None]) -> bool:
    """Return whether both sides let a connection pass; a side that is not a workload does."""
    out, into = sides
    return (out is None or out.passes) and (into is None or into.passes)
