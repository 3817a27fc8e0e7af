"""What hosts enforce beside what their plan says: rows for the list, the worst first, and the detail of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from ringfence.model.counts import counted
from ringfence.wire.first_few import first_few

from ringfence_tui.clock import day_and_clock
from ringfence_tui.spans import Row, Span, Tone, row

SHOWN = 4  # addresses and services that a line names before it counts the rest


class Finding(StrEnum):
    """What was found on a host, as its sign; the worst first."""

    OPEN = "x"
    UNKNOWN = "?"
    OTHER = "~"
    TIGHTER = "+"
    EQUAL = "✓"


WORST_FIRST = tuple(Finding)
TONES = {
    Finding.OPEN: Tone.DENIED,
    Finding.UNKNOWN: Tone.UNKNOWN,
    Finding.OTHER: Tone.WOULD,
    Finding.TIGHTER: Tone.ALLOWED,
    Finding.EQUAL: Tone.GOOD,
}
# States of a host in which its table was read back.
READ = frozenset({"verified", "drifted"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: what the plan says, what the kernel was read to do, the line of the listing (0: none of one)."""

    change: str
    text: str
    plan_says: str = ""
    kernel_says: str = ""
    line: int = 0
    direction: str = ""
    family: int = 0
    remote: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    whole: bool = False

    @property
    def can_be_kept(self) -> bool:
        """Return whether a rule can say the same: it is open, for every process and every address of the host."""
        return self.change == "open" and self.whole and bool(self.remote and self.services)


@dataclass(frozen=True, slots=True)
class VerifyRow:
    """A host. `since` is when this was first found, `seen` when the host was last read; ISO text.

    `earlier` says that the read which is shown did not come to it: this is what an earlier one found.
    """

    host: str
    finding: Finding
    word: str
    what: str
    since: str
    seen: str
    sentences: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    more: int = 0
    notes: tuple[str, ...] = ()
    earlier: bool = False


@dataclass(frozen=True, slots=True)
class ReadHost:
    """A host that was read back just now; `asked` is how many are to be."""

    row: VerifyRow
    asked: int


@dataclass(frozen=True, slots=True)
class VerifyView:
    """All hosts of a plan, the worst first. `kept` says that nothing was read now: it is what the last verify found.

    `asked` is how many hosts are being read back, or were until it was stopped (`interrupted`); 0 where all were.
    """

    plan: str = ""
    rows: tuple[VerifyRow, ...] = ()
    kept: bool = True
    interrupted: bool = False
    warnings: tuple[str, ...] = field(default=())
    why: str = ""
    asked: int = 0

    @property
    def read(self) -> int:
        """Return how many hosts were read back until now."""
        return sum(not one.earlier for one in self.rows)

    def reading(self) -> VerifyView:
        """Return the view at the beginning of a read: all that is known is of an earlier one."""
        rows = tuple(replace(one, earlier=True) for one in self.rows)
        return replace(self, rows=rows, kept=False, interrupted=False, warnings=(), asked=len(rows))

    def having(self, found: Mapping[str, ReadHost]) -> VerifyView:
        """Return the view with hosts that were read back."""
        rows = {one.host: one for one in self.rows} | {name: one.row for name, one in found.items()}
        asked = max((one.asked for one in found.values()), default=self.asked)
        return replace(self, rows=in_order(tuple(rows.values())), asked=asked)

    @property
    def proven(self) -> int:
        """Return how many hosts enforce exactly their plan."""
        return sum(one.finding is Finding.EQUAL for one in self.rows)

    @property
    def span(self) -> tuple[str, str]:
        """Return when the first and the last of them was read."""
        seen = sorted(one.seen for one in self.rows if one.seen)
        return (seen[0], seen[-1]) if seen else ("", "")


def finding_of(state: str, changes: Sequence[str], *, ok: bool) -> tuple[Finding, str]:
    """Return the sign and the word of what was found, from the state of a result and the kinds of its differences."""
    if ok:
        return Finding.EQUAL, "equal"
    if state not in READ:
        return Finding.UNKNOWN, state or "unknown"
    if "open" in changes:
        return Finding.OPEN, "open"
    if "control" in changes or not changes:
        return Finding.OPEN, "control path" if changes else "drifted"
    if "shape" in changes:
        return Finding.OTHER, "other lines"
    if "closed" in changes:
        return Finding.TIGHTER, "tighter"
    return Finding.OTHER, "other rule"


def in_order(rows: Sequence[VerifyRow]) -> tuple[VerifyRow, ...]:
    """Return rows with the worst first, then by name."""
    return tuple(sorted(rows, key=lambda one: (WORST_FIRST.index(one.finding), one.host)))


def head_row(view: VerifyView, clock: str) -> Row:
    """Return what is said of all; `clock` is when they were read."""
    if not view.rows and view.interrupted:
        return row(Span(" Verify", Tone.STRONG), Span("   stopped before any host was read back", Tone.WARN))
    if not view.rows:
        nobody = ("  nobody has read the hosts back yet: ", Span("v", Tone.KEY), " does")
        return row(Span(" Verify", Tone.STRONG), *((f"  {view.why}",) if view.why else nobody))
    if view.asked:
        proven = sum(one.finding is Finding.EQUAL and not one.earlier for one in view.rows)
        read = f"{view.read} of {counted(view.asked, 'host')} read back, {proven} proven equal"
        how = Span("stopped: ", Tone.WARN) if view.interrupted else Span("reading: ", Tone.DIM)
        rest = "; the others as an earlier verify found them" if view.read < len(view.rows) else ""
        return row(Span(f" Verify {view.plan[:4]}", Tone.STRONG), "   ", how, read, Span(rest, Tone.DIM))
    when = f"last read {clock}" if view.kept else f"read back {clock}"
    return row(
        Span(f" Verify {view.plan[:4]}", Tone.STRONG),
        f"   {when}   ",
        Span(
            f"{view.proven} of {len(view.rows)} proven equal", Tone.GOOD if view.proven == len(view.rows) else Tone.BAD
        ),
    )


def kept_rows(host: str, difference: Difference) -> tuple[Row, ...]:
    """Return what the rule in the draft would say, for the dialog that asks."""
    far, services = first_few(difference.remote, SHOWN), first_few(difference.services, SHOWN)
    if difference.remote == ("any",):
        far = f"every IPv{difference.family} address"
    ends = (far, host) if difference.direction == "in" else (host, far)
    return (
        row(Span("allow ", Tone.ALLOWED), services),
        row(Span("from  ", Tone.TITLE), ends[0]),
        row(Span("to    ", Tone.TITLE), ends[1]),
        row(Span("it goes into the draft, no file and no host is changed", Tone.DIM)),
    )


def detail_rows(one: VerifyRow | None) -> tuple[Row, ...]:
    """Return what the plan says and what the kernel does, difference by difference."""
    if one is None:
        return ()
    rows = [row(Span(f" {one.host}", Tone.STRONG), "  ", Span(f"{one.finding} {one.word}", TONES[one.finding]))]
    for difference in one.differences:
        line = f"  line {difference.line} of the listing" if difference.line else ""
        rows.append(row(f"  {difference.text}", Span(line, Tone.DIM)))
        if difference.plan_says:
            rows.append(row(Span("    plan says    ", Tone.TITLE), difference.plan_says))
            rows.append(row(Span("    kernel says  ", Tone.TITLE), Span(difference.kernel_says, TONES[one.finding])))
    if one.what and not one.differences and one.what not in " ".join(one.sentences):
        rows.append(row(f"  {one.what}"))
    if not one.differences:
        rows += [row(f"  {sentence}") for sentence in one.sentences]
    if one.more:
        rows.append(row(Span(f"  and {one.more:,} more: ringfence verify --limit {one.host} --json", Tone.DIM)))
    return (*rows, *(row(Span(f"  ! {note}", Tone.WARN)) for note in one.notes))


__all__ = [
    "TONES",
    "Difference",
    "Finding",
    "ReadHost",
    "VerifyRow",
    "VerifyView",
    "day_and_clock",
    "detail_rows",
    "finding_of",
    "head_row",
    "in_order",
    "kept_rows",
]
