"""The picture with the draft beside held and files, where somebody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.model.errors import InputError
from ringfence.model.picture import PolicyState
from ringfence.operations.draft import show
from ringfence.operations.picture import PictureRequest, picture

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.picture import Picture
    from ringfence.operations.execution import Execution


def drafted_picture(estate: Estate, request: PictureRequest, execution: Execution | None = None) -> Picture:
    """Return the picture of a request; the draft is judged where its states have it.

    Raise InputError as `picture` does and where there is no draft, InputErrors for one that is no policy.
    """
    if PolicyState.DRAFT in request.states and not show(estate):
        raise InputError("the draft is empty", remedy="'ringfence draft add' begins one")
    return picture(estate, request, execution)
