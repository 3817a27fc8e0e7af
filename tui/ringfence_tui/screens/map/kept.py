"""The judged flows that the engine process keeps for the Map screen: opened once a time and state of the files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ringfence.model.judging import SoFar
from ringfence.model.picture import PolicyState
from ringfence.operations.draft_effect import DraftPicture, hosts_now
from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.picture import open_picture

from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.engine.telling import Telling
from ringfence_tui.screens.map.answers import Progress, When
from ringfence_tui.screens.map.sending import Sent

if TYPE_CHECKING:
    from ringfence.estate import Estate

STATES = (PolicyState.HELD, PolicyState.FILES, PolicyState.DRAFT)
PROGRESS_STEPS = 20
PATIENCE = 0.3  # seconds; what is judged sooner is told when it is whole


@dataclass
class Kept:
    """The judged flows of one time, which follow the draft, and the estate that they were judged under."""

    lock: RLock = field(default_factory=RLock)
    estate: Estate | None = None
    when: When | None = None
    flows: tuple[object, ...] = ()
    picture: DraftPicture | None = None
    sent: Sent = field(default_factory=Sent)
    prepared: bool = False


_KEPT: WeakKeyDictionary[EngineSession, Kept] = WeakKeyDictionary()
_MAKING = RLock()


def kept_of(session: EngineSession) -> Kept:
    """Return what is kept for a session."""
    with _MAKING:
        return _KEPT.setdefault(session, Kept())


@contextmanager
def judged_flows(session: EngineSession, when: When, tell: Tell, *, newest: bool = False) -> Iterator[DraftPicture]:
    """Judge the flows of a time, or take those that are kept; others wait meanwhile.

    They follow files that changed as far as that is cheap, and are judged anew where it is not, and with `newest` where
    flows came since.
    """
    kept = kept_of(session)
    with kept.lock:
        tell.check()
        estate = session.fresh()
        flows = flows_stamp(estate) if newest else kept.flows
        execution = session.execution(tell)
        same = kept.picture is not None and (kept.when, kept.flows) == (when, flows)
        if same and kept.picture is not None and kept.estate is not estate:
            same = kept.picture.moved(estate, execution)
            kept.estate = estate if same else kept.estate
        if kept.picture is None or not same:
            if kept.picture is not None:
                kept.picture.judged.close()
                kept.picture = None
            kept.flows = flows
            chosen = FlowSelection(since=when.since, until=when.until)
            opening = session.execution(tell, Telling(tell))
            hosts = hosts_now(estate)
            judged = open_picture(estate, chosen, STATES, opening, Progresses(tell))
            kept.estate, kept.when, kept.picture = estate, when, DraftPicture(estate, judged, hosts)
            kept.prepared = False
        yield kept.picture


def prepare(session: EngineSession, tell: Tell) -> None:
    """Compile what drafts are compared with, so that the first sheet does not wait for it; nothing where it is done.

    Nothing is done either while another question has the flows: that one is not kept waiting.
    """
    kept = kept_of(session)
    if not kept.lock.acquire(blocking=False):
        return
    try:
        tell.check()
        if kept.picture is not None and not kept.prepared:
            kept.picture.prepare()
            kept.prepared = True
    finally:
        kept.lock.release()


def flows_stamp(estate: Estate) -> tuple[object, ...]:
    """Return what changes when flows are added to the store or forgotten."""
    found = []
    for path in estate.history.flows.glob("[!.]*.parquet"):
        with suppress(OSError):
            stat = path.stat()
            found.append((str(path), stat.st_mtime_ns, stat.st_size))
    return tuple(sorted(found))


@dataclass
class Progresses:
    """Tells a screen how far judging is, at each twentieth, once somebody has waited so many seconds."""

    tell: Tell
    after: float = 0.0
    _last: int = 0
    _began: float = field(default_factory=time.monotonic)

    def __call__(self, done: int, of: int, so_far: SoFar | None = None) -> None:
        """Hear how many of how many are judged. Raise Cancelled where nobody waits any more."""
        self.tell.check()
        step = done * PROGRESS_STEPS // of if of else 0
        if step != self._last and time.monotonic() - self._began >= self.after:
            self._last = step
            self.tell(Progress(done, of, so_far))
