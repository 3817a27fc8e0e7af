"""The pictures of a window's steps: the same groups, each judged for a part of the time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ringfence.model.errors import InputError
from ringfence.operations.drafted_picture import drafted_picture
from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.picture import PictureRequest

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.picture import Picture
    from ringfence.operations.execution import Execution

UNIT = timedelta(seconds=1)


def picture_steps(
    estate: Estate, request: PictureRequest, whole: Picture, steps: int, execution: Execution | None = None
) -> tuple[Picture, ...]:
    """Return the pictures of so many equally long steps of a picture's window, the earliest first.

    Raise InputError for flows of files, which have no window, and for steps shorter than a second.
    """
    if request.flows.paths or whole.since is None:
        raise InputError("flows of files have no span of time to step through", remedy="leave out --steps or --flows")
    until = whole.until or estate.now
    length = (until - whole.since) / steps
    if length < UNIT:
        raise InputError(f"{steps} steps are shorter than a second each", remedy="give fewer --steps")
    found = []
    for number in range(steps):
        start, end = whole.since + number * length, whole.since + (number + 1) * length - UNIT
        last = end if number < steps - 1 else until
        span = FlowSelection(since=start.isoformat(), until=last.isoformat())
        found.append(replace(drafted_picture(estate, replace(request, flows=span), execution), since=start, until=last))
    return tuple(found)
