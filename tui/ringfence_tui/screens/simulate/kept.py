"""The simulation that the engine process keeps while a person goes through it: judged once a time and comparison."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.simulate import simulate

from ringfence_tui.engine.progress import Progress
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.engine.telling import Telling

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.operations.simulate import Simulated

STEP = 20_000


@dataclass
class Kept:
    """A simulation with its open window, the estate and the question that it answers, and what was warned of."""

    lock: RLock = field(default_factory=RLock)
    estate: Estate | None = None
    asked: tuple[str, str] | None = None
    found: Simulated | None = None
    warnings: tuple[str, ...] = ()
    open: ExitStack = field(default_factory=ExitStack)


_KEPT: WeakKeyDictionary[EngineSession, Kept] = WeakKeyDictionary()
_MAKING = RLock()


@contextmanager
def simulated(session: EngineSession, since: str, against: str, tell: Tell, *, anew: bool = False) -> Iterator[Kept]:
    """Judge the flows, or take what is kept; others wait meanwhile. Files that changed count anew."""
    with _MAKING:
        kept = _KEPT.setdefault(session, Kept())
    with kept.lock:
        tell.check()
        estate = session.fresh()
        if anew or kept.found is None or kept.estate is not estate or kept.asked != (since, against):
            _judge(kept, session, estate, (since, against), tell)
        yield kept


def _judge(kept: Kept, session: EngineSession, estate: Estate, asked: tuple[str, str], tell: Tell) -> None:
    since, against = asked
    kept.found = None
    kept.open.close()
    heard, selection = Telling(tell), FlowSelection(since=since)
    told = 0

    def progress(groups: int) -> None:
        nonlocal told
        if groups - told >= STEP:
            told = groups
            tell(Progress(f"judging: {groups:,} groups of flows"))

    tell(Progress("judging flows"))
    with ExitStack() as opening:
        found = opening.enter_context(
            simulate(estate, selection, session.execution(tell, heard), against=against or None, told=progress)
        )
        kept.open = opening.pop_all()
    words = (
        selection.wrong_words(found.wrong),
        selection.guessed_words(found.guesses),
        found.simulation.unseen_words(),
        str(found.to_nobody) if found.to_nobody.flows else "",
    )
    kept.estate, kept.asked, kept.found = estate, asked, found
    kept.warnings = tuple(dict.fromkeys((*heard.warnings, *(one for one in words if one))))
