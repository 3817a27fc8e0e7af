"""The flows that the Map screen keeps judged, for other screens: judged once for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ringfence_tui.engine.progress import Progress
from ringfence_tui.engine.session import EngineSession, Tell

if TYPE_CHECKING:
    from ringfence.analysis.picture import JudgedPicture


class _Words(Tell):
    """Tells how far judging is in words."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.cancel = tell.cancel

    def __call__(self, part: object) -> None:
        """Tell it."""
        if isinstance(part, Progress):
            self._tell(part)
            return
        done, of = getattr(part, "done", 0), getattr(part, "of", 0)
        self._tell(Progress(f"judging flows, {100 * done // of} %" if of else "judging flows"))


@contextmanager
def judged_week(session: EngineSession, tell: Tell) -> Iterator[JudgedPicture]:
    """Judge the flows of the last seven days, or take those that are kept; `tell` hears Progress."""
    from ringfence_tui.screens.map.answers import When
    from ringfence_tui.screens.map.kept import judged_flows

    with judged_flows(session, When(), _Words(tell), newest=True) as picture:
        yield picture.judged
