"""The events of a run folded into its board: what comes twice, late, or from nobody changes nothing that is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ringfence.model.run_states import PAUSED, PAUSING
from ringfence.model.safe_text import clean_line
from ringfence.presenting.playbook_progress import wave_name
from ringfence.presenting.rollout_board import ENDED, STOPS, Board, BoardChange, BoardHead, BoardHost, BoardWave, Phase
from ringfence.rollout.events import EventKind
from ringfence.rollout.runs import RunBack, RunControl
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.operations.runs import ListedRun
    from ringfence.rollout.events import Event
    from ringfence.rollout.run_events import TimedEvent

# Characters of a host's own words, and warnings and steps of it, that a board keeps: a run has many hosts.
LONGEST = 400
MOST_WARNINGS = 20
MOST_SAID = 40
# The steps that the collection tells, in the words of the board.
WORDS = {"held": "paused", "loads": "loads", "confirms": "confirms", "asks": "asked what it holds"}
GOES_BACK = "the rollout ended while this host's step ran; a table that waits goes back by itself"


class BoardFold:
    """Takes the events of one run in the order that they were written."""

    def __init__(self, waves: Sequence[Sequence[str]]) -> None:
        self.hosts = {name: BoardHost(name, wave) for wave, names in enumerate(waves) for name in names}
        self.strangers = 0
        self._changed = set(self.hosts)

    def take(self, told: TimedEvent) -> None:
        """Take an event. One of a host that is in no wave is counted, and changes nothing."""
        event = told.event
        if event.kind not in (EventKind.STARTED, EventKind.DOING) and not event.ends:
            return
        before = self.hosts.get(event.host)
        if before is None:
            self.strangers += 1
            return
        after = _after(before, event, clean_line(told.time[:40]))
        if after != before:
            self.hosts[event.host] = after
            self._changed.add(event.host)

    @property
    def changed(self) -> bool:
        """Return whether a host changed since `change` was asked."""
        return bool(self._changed)

    def change(
        self, run: ListedRun, end: Mapping[str, object] | None = None, words: str = "", *, steered: bool = True
    ) -> BoardChange:
        """Return what changed since this was asked before.

        `run` says how it stands now, `end` what it left at its end, `words` what it printed where it left nothing.
        Without `steered` nobody wanted anything of it yet: the past has no control file.
        """
        control = run.directory.control() if steered else RunControl()
        if not run.lives:
            self._finish(end or {}, run.ended)
        self._excuse(control.excuse)
        back = (run.directory.back() if steered else None) or RunBack()
        waves = self._waves()
        facts = run.facts
        head = BoardHead(
            run=run.directory.id,
            plan=facts.plan,
            who=clean_line(facts.who[:LONGEST]),
            commit=clean_line(facts.commit[:40]),
            started=clean_line(facts.started[:40]),
            state=clean_line(run.state[:LONGEST]),
            ended=clean_line(run.ended[:40]),
            process=run.directory.process(),
            confirm_within=facts.confirm_within,
            limit=facts.limit,
            pause=control.pause,
            abort=control.abort,
            excuse=control.excuse,
            waits=self._waits(waves, held=run.state in (PAUSING, PAUSED)),
            error=clean_line((str(end.get("error", "")) if end else "" if run.lives else words)[:LONGEST]),
            waves=waves,
            back_by=clean_line(control.back[:LONGEST]),
            back_run=clean_line(back.run[:LONGEST]),
            back_error=clean_line(f"{back.error}: {back.remedy}"[:LONGEST]) if back.error else "",
        )
        changed, self._changed = self._changed, set()
        return BoardChange(head, tuple(self.hosts[name] for name in sorted(changed)))

    def _finish(self, end: Mapping[str, object], ended: str) -> None:
        """Say of hosts whose step has no end that they are left in between, as far as the run's own end knows."""
        told = end.get("hosts")
        reasons = {
            str(one.get("host")): str(one.get("reason") or "")
            for one in (told if isinstance(told, list) else ())
            if isinstance(one, dict)
        }
        for name, host in self.hosts.items():
            if host.phase is Phase.HELD:
                self._put(replace(host, phase=Phase.NEXT, word="next", until=""))
            elif host.phase is Phase.WORKS:
                reason = clean_line(reasons.get(name, "")[:LONGEST]) or GOES_BACK
                self._put(replace(host, phase=Phase.LEFT, word="left", reason=reason, until="", ended=ended))

    def _excuse(self, excused: Iterable[str]) -> None:
        for name in excused:
            host = self.hosts.get(name)
            if host is not None and host.phase is Phase.FAILED:
                self._put(replace(host, phase=Phase.EXCUSED))

    def _put(self, host: BoardHost) -> None:
        self.hosts[host.name] = host
        self._changed.add(host.name)

    def _waves(self) -> tuple[BoardWave, ...]:
        found: dict[int, list[BoardHost]] = {}
        for host in self.hosts.values():
            found.setdefault(host.wave, []).append(host)
        waves = []
        for number, hosts in sorted(found.items()):
            began = min((host.said[0][0] for host in hosts if host.said), default="")
            over = all(host.phase in ENDED for host in hosts)
            ended = max(host.ended for host in hosts) if over else ""
            counts = Counter(host.phase for host in hosts)
            waves.append(BoardWave(number, wave_name(number), len(hosts), dict(counts), began, ended))
        return tuple(waves)

    def _waits(self, waves: Sequence[BoardWave], *, held: bool) -> str:
        """Return what keeps the next wave from beginning, empty where nothing does."""
        following = next((wave for wave in waves if not wave.begun), None)
        if following is None:
            return ""
        stop = [name for name, host in sorted(self.hosts.items()) if host.phase in STOPS]
        if stop:
            are = "is" if len(stop) == 1 else "are"
            return (
                f"{following.name} waits: {first_few(list(map(clean_line, stop)))} {are} neither confirmed nor excused"
            )
        if held:
            return f"{following.name} waits: somebody paused this run"
        return ""


def fold(run: ListedRun, events: Iterable[TimedEvent], end: Mapping[str, object] | None = None) -> Board:
    """Return the board of a run after all of these events."""
    one = BoardFold(run.facts.waves)
    for event in events:
        one.take(event)
    change = one.change(run, end)
    return Board(change.head, {host.name: host for host in change.hosts})


def _after(host: BoardHost, event: Event, time: str) -> BoardHost:
    if event.kind is EventKind.STARTED:
        if host.phase is Phase.WORKS or (host.ended and time and time < host.ended):
            return host
        return replace(
            host,
            phase=Phase.WORKS,
            word="connects",
            reason="",
            since=time,
            ended="",
            until="",
            tries=host.tries + 1,
            said=_said(host, time, "connects"),
        )
    if event.kind is EventKind.DOING:
        return _step(host, event, time)
    return _ended(host, event, time)


def _step(host: BoardHost, event: Event, time: str) -> BoardHost:
    """Return a host at another step. Steps come by another way than events: one that is late changes nothing."""
    word = WORDS.get(event.step)
    if word is None or (host.phase in ENDED and time <= host.ended) or (host.said and time < host.said[-1][0]):
        return host
    phase = Phase.HELD if event.step == "held" else Phase.WORKS
    if (host.phase, host.word) == (phase, word):
        return host
    return replace(
        host,
        phase=phase,
        word=word,
        since=host.since or time,
        until=_later(time, event.result.get("seconds")),
        said=_said(host, time, word),
    )


def _ended(host: BoardHost, event: Event, time: str) -> BoardHost:
    excused = event.result.get("excused") is True
    phase = Phase.EXCUSED if excused else Phase.FAILED if event.failed else Phase.WELL
    state = event.result.get("state")
    word = clean_line(state[:LONGEST]) if isinstance(state, str) and state else str(event.kind)
    reason = clean_line(str(event.result.get("msg") or "")[:LONGEST]) if event.failed else ""
    warnings = event.result.get("warnings")
    denied, more = event.result.get("standing_denied"), event.result.get("standing_denied_more")
    if (host.phase, host.word, host.reason) == (phase, word, reason):
        return host
    return replace(
        host,
        phase=phase,
        word=word,
        reason=reason,
        ended=time,
        until="",
        tries=max(host.tries, 1),
        changed=host.changed or event.result.get("changed") is True,
        denied=(len(denied) if isinstance(denied, list) else 0) + (more if isinstance(more, int) else 0),
        warnings=tuple(
            clean_line(str(one)[:LONGEST]) for one in (warnings if isinstance(warnings, list) else ())[:MOST_WARNINGS]
        ),
        said=_said(host, time, f"{word}: {reason}" if reason else word),
    )


def _said(host: BoardHost, time: str, what: str) -> tuple[tuple[str, str], ...]:
    return (*host.said[-MOST_SAID:], (time, what))


def _later(time: str, seconds: object) -> str:
    """Return a time so many seconds later, empty where either says nothing that can be believed."""
    if not isinstance(seconds, int | float) or not 0 <= seconds <= 86_400:
        return ""
    try:
        return (datetime.fromisoformat(time) + timedelta(seconds=seconds)).isoformat()
    except (ValueError, OverflowError):
        return ""
