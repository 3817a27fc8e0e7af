"""The runs of the workspace, and what happened in one, in frames. In the engine process."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence_tui.clock import lasted
from ringfence_tui.screens.history.model import Frame, Replay, RunList, RunRow

if TYPE_CHECKING:
    from ringfence_tui.engine.questions import Questions
    from ringfence_tui.engine.session import EngineSession, Tell

# Frames of a replay at most: events of large runs share one.
MOST_FRAMES = 300


def runs(session: EngineSession, _request: None, _tell: Tell) -> RunList:
    """Return the runs, the newest first."""
    from ringfence.operations.runs import begun_runs

    found, damaged = begun_runs(session.estate)
    rows = [
        RunRow(
            run=one.directory.id,
            plan=one.facts.plan[:12],
            state=one.state,
            who=one.facts.who,
            commit=one.facts.commit[:12],
            started=one.facts.started,
            hosts=sum(map(len, one.facts.waves)),
            lasted=lasted(one.facts.started, one.ended),
            lives=one.lives,
            well=one.state == "successful",
        )
        for one in found
    ]
    rows += [
        RunRow(
            one.id, one.id[17:29], "damaged", "", "", "", 0, "", False, False, one.error.message, one.error.remedy or ""
        )
        for one in damaged
    ]
    return RunList(tuple(sorted(rows, key=lambda row: row.run, reverse=True)))


def replay(session: EngineSession, request: str, tell: Tell) -> Replay:
    """Return what happened in a run, a frame an event that changed a host."""
    from ringfence.operations.runs import find_run, last_words, listed_run, told_by
    from ringfence.presenting.rollout_fold import BoardFold

    run = find_run(session.estate, request)
    listed = listed_run(run)
    events = list(told_by(run))
    step = max(1, len(events) // MOST_FRAMES)
    fold = BoardFold(listed.facts.waves)
    working = replace(listed, state="running", ended="")
    frames = [Frame(listed.facts.started, fold.change(working, steered=False))]
    for number, event in enumerate(events, start=1):
        tell.check()
        fold.take(event)
        if fold.changed and number % step == 0:
            frames.append(Frame(event.time, fold.change(working, steered=False)))
    last = listed.ended or (events[-1].time if events else listed.facts.started)
    frames.append(Frame(last, fold.change(listed, run.end(), last_words(run))))
    return Replay(run.id, tuple(frames))


QUESTIONS: Questions = {"runs": runs, "replay": replay}
