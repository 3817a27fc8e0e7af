"""What of a permission passes without it: by a rule, an end that only observes, or another permission."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.model.addresses import address_text
from ringfence.model.errors import RingfenceError
from ringfence.model.tables import DEFAULT_RULE, Effect

if TYPE_CHECKING:
    from ringfence.analysis.explain import Side
    from ringfence.compiler import Compilation
    from ringfence.estate import Estate
    from ringfence.model.emergencies import EmergencyEnd, Order

# Pairs of addresses that are asked about: whoever opens more at once is told nothing of it, and waits for nothing.
MOST_PAIRS = 100


@dataclass(frozen=True, slots=True)
class Passing:
    """A pair of ends all of whose services pass already, and by what."""

    client: str
    server: str
    why: tuple[str, ...]

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return {"from": self.client, "to": self.server, "why": list(self.why)}


def passing_anyway(estate: Estate, order: Order) -> tuple[Passing, ...]:
    """Return the pairs that a permission changes nothing for; none where files are broken, for that stops nobody."""
    if not 0 < _many(order.first) * _many(order.second) <= MOST_PAIRS:
        return ()
    clients, servers = _words(order.first), _words(order.second)
    try:
        made = estate.in_force(only=[*order.first.names, *order.second.names])
    except RingfenceError:
        return ()
    found = ((client, server, _why(made, order, client, server)) for client in clients for server in servers)
    return tuple(Passing(client, server, why) for client, server, why in found if why)


def _why(made: Compilation, order: Order, client: str, server: str) -> tuple[str, ...]:
    from ringfence.analysis.explain import explain

    try:
        found = explain(made, client, server, order.services)
    except RingfenceError:
        return ()
    answers = (*found.answers, *found.others)
    sides = [side for one in answers for side in one.sides]
    # what holds for one process alone is not what the permission gives
    if any(one.verdict != "allow" for one in answers) or any(side.process is not None for side in sides):
        return ()
    names = {"from": client, "to": server}
    reasons = [_reason(side, names[side.side]) for side in sides if side.effect is not None]
    return tuple(dict.fromkeys(reasons)) or ("nothing is enforced on either end",)


def _reason(side: Side, name: str) -> str:
    place = f" ({side.place})" if side.place else ""
    if side.effect is Effect.WATCH:
        return (
            f"{name} only observes what it would deny{place}" if side.rule == DEFAULT_RULE else f"{name} only observes"
        )
    if side.rule == DEFAULT_RULE:
        return f"the mode of {name}{place}"
    return f"'{side.rule}'{place}"


def _many(end: EmergencyEnd) -> int:
    return sum(one.addresses.size() for one in end.members) + len(end.outside)


def _words(end: EmergencyEnd) -> list[str]:
    """Return the assets of an end, and the first address of each of its other parts."""
    return [*sorted(end.names), *(address_text(low) for low, _ in end.outside)]
