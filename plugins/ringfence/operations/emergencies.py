"""What a workspace knows of quarantines and permissions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.estate.directory import current_time
from ringfence.estate.emergencies import order_data
from ringfence.model.emergencies import HostState

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.emergencies import Order


@dataclass(frozen=True, slots=True)
class Emergencies:
    """Emergencies, the newest last, at a time in seconds since 1970."""

    orders: tuple[Order, ...]
    now: float

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        listed = [{**order_data(order), "stands": order.stands(self.now)} for order in self.orders]
        return {"emergencies": listed}


def emergencies(estate: Estate, *, every: bool = False) -> Emergencies:
    """Return what stands, and what was released and may still be held by a host; with `every` all there ever was."""
    now = current_time().timestamp()
    found = estate.emergencies()
    return Emergencies(tuple(one for one in found if every or one.stands(now) or _left(one, now)), now)


def _left(order: Order, now: float) -> bool:
    """Return whether a host may still hold what was released: what ends by itself has ended there too."""
    over = order.ends and now >= order.ends
    return not over and any(state is not HostState.RELEASED for state in order.hosts.values())
