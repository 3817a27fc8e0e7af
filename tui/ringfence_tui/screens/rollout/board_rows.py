"""The rows of a board: a line a wave, a line a host of the waves that are open, and what each line stands for."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.model.counts import counted
from ringfence.presenting.rollout_board import Board, BoardHead, BoardHost, BoardWave, Phase

from ringfence_tui.clock import clock, lasted
from ringfence_tui.spans import Row, Span, Tone, row

TONES = {
    Phase.NEXT: Tone.DIM,
    Phase.HELD: Tone.WARN,
    Phase.WORKS: Tone.STRONG,
    Phase.WELL: Tone.GOOD,
    Phase.FAILED: Tone.BAD,
    Phase.EXCUSED: Tone.WARN,
    Phase.LEFT: Tone.UNKNOWN,
}
WORDS = {
    Phase.WELL: "confirmed",
    Phase.WORKS: "at work",
    Phase.HELD: "paused",
    Phase.FAILED: "failed",
    Phase.LEFT: "left in between",
    Phase.EXCUSED: "excused",
    Phase.NEXT: "next",
}
BAR = 10
NAME = 20
# Hosts of a wave that are shown, what failed and what works first: past these a board is a list that nobody reads.
MOST_HOSTS = 300


@dataclass(frozen=True, slots=True)
class BoardRows:
    """Rows, and for each the wave (a number) or the host (a name) that it is of."""

    rows: tuple[Row, ...]
    subjects: tuple[int | str, ...]

    def index_of(self, subject: int | str | None) -> int:
        """Return the row of a wave or host, the first where it is not shown."""
        return self.subjects.index(subject) if subject in self.subjects else 0


def head_rows(head: BoardHead) -> tuple[Row, ...]:
    """Return what is said of the whole run, in three rows."""
    commit = f" from {head.commit[:4]}" if head.commit else ""
    ended = f", ended {clock(head.ended)}" if head.ended else ""
    process = f"process {head.process}, goes on without this screen" if head.lives and head.process else ""
    reached = sum(wave.begun for wave in head.waves)
    counts = [Span(f"{WORDS[phase]} {count}   ", TONES[phase]) for phase in WORDS if (count := head.count(phase))]
    return (
        row(
            Span(f" Rollout {head.plan[:4]}", Tone.STRONG),
            f"  by {head.who}{commit}  began {clock(head.started)}{ended}   ",
            Span(head.state, _state_tone(head)),
            Span(f"  {process}", Tone.DIM),
        ),
        row(f" {reached} of {len(head.waves)} waves begun   ", *counts),
        _third(head),
    )


def _third(head: BoardHead) -> Row:
    if head.back_by:
        return _back(head)
    if head.error:
        return row(Span(f" ✗ {head.error}", Tone.BAD))
    if head.abort and head.lives:
        return row(Span(" it is ending: what waits for its confirmation goes back by itself", Tone.WARN))
    if head.waits:
        return row(Span(f" {head.waits}", Tone.WARN))
    if head.pause and head.lives:
        return row(Span(" it pauses before its next wave", Tone.WARN))
    return ()


def _back(head: BoardHead) -> Row:
    """Return what is said of a run that somebody rolled back."""
    if head.lives:
        return row(Span(f" {head.back_by} rolls it back: it ends, then what it confirmed goes back", Tone.WARN))
    if head.back_error:
        return row(Span(f" ✗ {head.back_by} rolled it back: {head.back_error}", Tone.BAD))
    if head.back_run:
        return row(f" {head.back_by} rolled it back: ", Span(f"run {head.back_run}", Tone.STRONG), " did it")
    return row(f" {head.back_by} rolled it back: no host had confirmed it")


def _state_tone(head: BoardHead) -> Tone:
    if head.state == "successful":
        return Tone.GOOD
    return Tone.STRONG if head.lives else Tone.BAD


def usually_open(wave: BoardWave) -> bool:
    """Return whether a wave shows its hosts unless somebody said otherwise: where there is something to see."""
    return wave.stops > 0 or (wave.begun and not wave.over) or Phase.HELD in wave.counts


def board_rows(board: Board, toggled: frozenset[int] = frozenset()) -> BoardRows:
    """Return the rows of a board; waves that were `toggled` are open where they usually are not, and the other way."""
    rows: list[Row] = []
    subjects: list[int | str] = []
    for wave in board.head.waves:
        is_open = usually_open(wave) != (wave.number in toggled)
        rows.append(_wave(wave, is_open=is_open))
        subjects.append(wave.number)
        hosts = board.of_wave(wave.number, MOST_HOSTS) if is_open else ()
        for host in hosts:
            rows.append(_host(host, board.head))
            subjects.append(host.name)
        if is_open and len(hosts) < wave.hosts:
            rows.append(row(Span(f"     {wave.hosts - len(hosts):,} more of this wave: l log", Tone.DIM)))
            subjects.append(wave.number)
    return BoardRows(tuple(rows), tuple(subjects))


def _wave(wave: BoardWave, *, is_open: bool) -> Row:
    full = wave.done * BAR // wave.hosts if wave.hosts else 0
    counts = [
        Span(f"  {count} {WORDS[phase]}", TONES[phase])
        for phase in WORDS
        if (count := wave.counts.get(phase, 0)) and phase is not Phase.NEXT and not (phase is Phase.WELL and wave.over)
    ]
    tone = Tone.BAD if wave.stops else Tone.GOOD if wave.over else Tone.PLAIN
    end = " ✗" if wave.stops else " ✓" if wave.over else ""
    return row(
        Span(f" {'-' if is_open else '+'} ", Tone.DIM),
        Span(f"{wave.name:<9}", Tone.STRONG),
        Span("█" * full + "░" * (BAR - full), tone),
        Span(f" {wave.done}/{wave.hosts}{end}", tone),
        *counts,
        Span(f"  {lasted(wave.began, wave.ended)}" if wave.over else "", Tone.DIM),
    )


def _host(host: BoardHost, head: BoardHead) -> Row:
    tone = TONES[host.phase]
    return row(
        f"     {host.name:<{NAME}} ",
        Span(f"{host.phase} ", tone),
        Span(doing(host), tone),
        Span("  excused" if host.name in head.excuse and host.phase is not Phase.EXCUSED else "", Tone.WARN),
        Span(f"  {host.reason}" if host.reason else "", Tone.PLAIN),
    )


def doing(host: BoardHost) -> str:
    """Return what a host is at, in a few words."""
    if host.phase is Phase.WORKS and host.until:
        return f"{host.word} until {clock(host.until)}"
    if host.phase is Phase.WELL:
        unchanged = "" if host.changed else ", had it already"
        return f"{host.word}  {lasted(host.since, host.ended)}{unchanged}".rstrip()
    tries = f" ({host.tries} tries)" if host.tries > 1 else ""
    return f"{host.word}{tries}"


def detail_rows(board: Board, subject: int | str | None) -> tuple[Row, ...]:
    """Return what is known of the host or the wave at the cursor."""
    host = board.hosts.get(subject) if isinstance(subject, str) else None
    if host is None:
        return ()
    # the reason has a line of its own
    said = "   ".join(f"{clock(time)} {what.removesuffix(f': {host.reason}')}" for time, what in host.said[-4:])
    rows = [
        row(Span(f" {host.name}", Tone.STRONG), f"  {host.phase} ", Span(doing(host), TONES[host.phase])),
    ]
    if host.reason:
        rows.append(row("   ", Span(host.reason, Tone.BAD)))
    if said:
        rows.append(row(Span(f"   {said}", Tone.DIM)))
    if host.denied:
        word = "connection that stood is" if host.denied == 1 else "connections that stood are"
        rows.append(row(Span(f"   {host.denied} {word} denied now", Tone.WARN)))
    return (*rows, *(row(Span(f"   ! {one}", Tone.WARN)) for one in host.warnings))


@dataclass(frozen=True, slots=True)
class Possible:
    """Something that can be done now: its key, and the sentence that says so."""

    key: str
    sentence: str


def usable(board: Board, no_way_back: str = "") -> frozenset[str]:
    """Return the keys that do something about a board, whatever the cursor is at; R does nothing without a way back."""
    found = {one.key for subject in (None, *board.failed()) for one in possible(board, subject, no_way_back)}
    return frozenset(found - ({"R"} if no_way_back else set()) | ({"x"} if board.head.lives else set()))


def possible(board: Board, subject: int | str | None, no_way_back: str = "") -> tuple[Possible, ...]:
    """Return what a person can do about a board, the host at the cursor first; what cannot be undone is said too."""
    head, found = board.head, []
    host = board.hosts.get(subject) if isinstance(subject, str) else None
    failed = board.failed()
    if host is not None and host.phase is not Phase.WELL and host.name not in head.excuse:
        end = "" if head.lives else ": another run goes on with the waves"
        if host.phase in (Phase.FAILED, Phase.LEFT) or head.lives:
            found.append(Possible("x", f"excuse {host.name}{end}"))
    if not head.lives and (failed or head.count(Phase.NEXT)):
        again = (
            f"try {failed[0]} again" if len(failed) == 1 else f"try {len(failed)} hosts again" if failed else "go on"
        )
        found.append(Possible("r", f"{again}; hosts that hold the plan are not touched"))
    if head.lives and not head.abort:
        found.append(Possible("P", "go on" if head.pause else "pause after this wave"))
        found.append(Possible("A", "abort: what waits for its confirmation goes back by itself"))
        if changed := sum(host.phase is Phase.WELL and host.changed for host in board.hosts.values()):
            back = f"end it and roll {counted(changed, 'confirmed host')} back"
            found.append(Possible("R", no_way_back or back))
    if not head.lives and (confirmed := head.count(Phase.WELL)):
        found.append(Possible("R", no_way_back or f"roll {counted(confirmed, 'host')} back: a plan of its own"))
    return tuple(found)


def possible_rows(actions: tuple[Possible, ...]) -> tuple[Row, ...]:
    """Return them as rows."""
    return tuple(row(Span(f"   {one.key} ", Tone.KEY), one.sentence) for one in actions)
