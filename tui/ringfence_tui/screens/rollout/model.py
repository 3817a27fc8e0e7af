"""What the rollout screen shows before a run: the plan, and the numbers that a person confirms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import wrap

from ringfence.model.counts import counted
from ringfence.wire.first_few import first_few

from ringfence_tui.clock import date_and_clock
from ringfence_tui.spans import Row, Span, Tone, row

SHORT = 4


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan. `waves` are the hosts of each, `effects` its changes by what they do, `rows` its diff.

    `more` is how many rows were left out, `stale` says why it cannot be rolled out, `no_way_back` why nothing could be
    rolled back to; both are empty where it can.
    """

    digest: str
    number: int
    made: str
    valid_until: str
    hosts: int
    changed: tuple[str, ...]
    waves: tuple[int, ...]
    canary: str = ""
    left_out: int = 0
    signed: bool = False
    restores: str = ""
    stale: str = ""
    effects: tuple[tuple[str, int], ...] = ()
    traffic: str = ""
    evidence: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    more: int = 0
    warnings: tuple[str, ...] = ()
    no_way_back: str = ""

    @property
    def short(self) -> str:
        """Return the digits that name it."""
        return self.digest[:SHORT]


@dataclass(frozen=True, slots=True)
class Opening:
    """What there is when the screen opens: the run that works now, the newest run, the newest plan.

    `of_plan` is the newest run where it rolled that plan out.
    """

    living: str = ""
    newest: str = ""
    plan: PlanView | None = None
    why_no_plan: str = ""
    of_plan: str = ""


EFFECTS = {
    "opens": ("let in", Tone.ALLOWED),
    "closes": ("closed", Tone.DENIED),
    "watches": ("recorded only", Tone.WOULD),
    "unwatches": ("recorded no more", Tone.WOULD),
    "renames": ("decided by another rule", Tone.DIM),
}


def plan_rows(plan: PlanView) -> tuple[Row, ...]:
    """Return a plan's head and its diff."""
    kind = f"brings back {plan.restores[:SHORT]}" if plan.restores else f"number {plan.number}"
    signed = "signed" if plan.signed else "not signed"
    head = [
        row(
            Span(f" Plan {plan.short}", Tone.STRONG),
            Span(
                f"  {kind}, {signed}, made {date_and_clock(plan.made)}, "
                f"valid to {date_and_clock(plan.valid_until)[:10]}",
                Tone.DIM,
            ),
        )
    ]
    if plan.stale:
        head.append(row(Span(f" ✗ {plan.stale}", Tone.BAD)))
    head += [*_numbers(plan), *(row(Span(f" ! {warning}", Tone.WARN)) for warning in plan.warnings)]
    if plan.more:
        more = row(Span(f"  and {plan.more:,} more lines: ringfence show {plan.short}", Tone.DIM))
        return (*head, *plan.rows, more)
    return (*head, *(plan.rows or ((), row(Span("  nothing changes on any host", Tone.DIM)))))


def wrapped(rows: Iterable[Row], width: int) -> tuple[Row, ...]:
    """Return rows; those of one span that are too long go on in further lines, further in than they began."""
    found: list[Row] = []
    for one in rows:
        if len(one) != 1 or len(one[0].text) <= width:
            found.append(one)
            continue
        text, tone = one[0].text, one[0].tone
        inset = " " * (len(text) - len(text.lstrip()) + 4)
        lines = wrap(text.strip(), max(20, width), initial_indent=inset[4:], subsequent_indent=inset)
        found += [(Span(line, tone),) for line in lines]
    return tuple(found)


def _numbers(plan: PlanView) -> list[Row]:
    found = [
        row(
            Span(" hosts     ", Tone.TITLE),
            f"{len(plan.changed)} of {counted(plan.hosts, 'host')} change" + ("s" if len(plan.changed) == 1 else ""),
            Span(f", {plan.left_out} left out" if plan.left_out else "", Tone.WARN),
        ),
        row(Span(" waves     ", Tone.TITLE), _waves(plan)),
    ]
    effects = [
        Span(f"{count} {EFFECTS.get(does, (does, Tone.PLAIN))[0]}  ", _tone(does)) for does, count in plan.effects
    ]
    if effects:
        found.append(row(Span(" changes   ", Tone.TITLE), *effects))
    found.append(row(Span(" traffic   ", Tone.TITLE), plan.traffic or Span("no flow was looked at", Tone.WARN)))
    found += [row("           ", Span(one, Tone.DIM)) for one in plan.evidence]
    return found


def _tone(does: str) -> Tone:
    return EFFECTS.get(does, (does, Tone.PLAIN))[1]


def _waves(plan: PlanView) -> str:
    if not plan.waves:
        return "none"
    first, *others = plan.waves
    canary = f"canary {plan.canary}" if plan.canary and first == 1 else counted(first, "host")
    return ", then ".join([canary, *map(str, others)])


def confirm_rows(
    plan: PlanView, *, limit: tuple[str, ...] = (), excuse: tuple[str, ...] = (), renew: bool = False, within: int = 30
) -> tuple[Row, ...]:
    """Return what will happen, in numbers, for the dialog that asks for the plan's first digits."""
    rows = _numbers(plan)
    if limit:
        rows.append(row(Span(" only      ", Tone.TITLE), f"{counted(len(limit), 'host')}: {first_few(limit)}"))
    if excuse:
        rows.append(row(Span(" excused   ", Tone.TITLE), f"{first_few(excuse)}: the waves go on without"))
    if plan.no_way_back:
        rows.append(row(Span(" way back  ", Tone.TITLE), plan.no_way_back))
    if renew:
        rows.append(row(Span(" renews    ", Tone.TITLE), "loads the table also where it stands already"))
    return (
        *rows,
        row(Span(" each host ", Tone.TITLE), f"confirms over a new connection within {within} s or goes back"),
        row(Span(" the run   ", Tone.TITLE), "goes on when you leave; ringfence attach follows it"),
    )
