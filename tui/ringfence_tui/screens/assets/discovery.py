"""Discovery as it is watched: each source as it is asked, then what all of it gave."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ringfence.model.source_steps import SourceStage, SourceStep, last_steps

from ringfence_tui.spans import Row, Span, Tone, row

_SIGNS = {
    SourceStage.BEGAN: ("…", Tone.WARN),
    SourceStage.ENDED: ("✓", Tone.GOOD),
    SourceStage.FAILED: ("✗", Tone.BAD),
}
_FIRST = {SourceStage.FAILED: 0, SourceStage.BEGAN: 1, SourceStage.ENDED: 2}


@dataclass(frozen=True, slots=True)
class DiscoverRequest:
    """Ask the inventory again; `keep` the snapshot; `vault` opens its vaults."""

    keep: bool
    vault: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SourceState:
    """One source: its assets now and before, how many stand as last known, and what it complains of."""

    name: str
    assets: int
    before: int
    stale: int = 0
    wrong: str = ""

    @property
    def tells(self) -> bool:
        """Return whether more is to be said than how many hosts its file named."""
        return bool(self.wrong or self.stale or self.assets != self.before)


@dataclass(frozen=True, slots=True)
class Discovery:
    """What discovery found, or is at (`on`), file by file; `wrong` are complaints that belong to no source."""

    sources: tuple[SourceState, ...] = ()
    added: int = 0
    removed: int = 0
    changed: int = 0
    seconds: float = 0.0
    on: str = ""
    wrong: tuple[str, ...] = ()
    files: tuple[SourceStep, ...] = ()

    def heard(self, step: SourceStep) -> Discovery:
        """Return it with one more step of a source."""
        return replace(self, files=last_steps((*self.files, step)))


def discovery_rows(discovery: Discovery) -> tuple[Row, ...]:
    """Return what discovery found, a row for the sums and one for each source that has something to say."""
    files = tuple(_file_row(one) for one in sorted(discovery.files, key=lambda one: _FIRST[one.stage]))
    if discovery.on:
        done = sum(one.stage is not SourceStage.BEGAN for one in discovery.files)
        said = f", {done} of {len(discovery.files)} done so far" if discovery.files else ""
        return (row(Span(" discover  ", Tone.TITLE), Span(f"{discovery.on} …{said}", Tone.WARN)), *files)
    if not discovery.sources and not discovery.wrong:
        return ()
    changes = [
        f"{count:,} {word}"
        for count, word in ((discovery.added, "new"), (discovery.removed, "gone"), (discovery.changed, "changed"))
        if count
    ]
    head = row(
        Span(" discover  ", Tone.TITLE),
        f"{discovery.seconds:.1f} s   ",
        Span(", ".join(changes) or "nothing changed", Tone.STRONG if changes else Tone.DIM),
    )
    telling = [one for one in discovery.sources if one.tells or not discovery.files]
    return (head, *(_wrong_row(one) for one in discovery.wrong), *(_source_row(one) for one in telling), *files)


def _source_row(one: SourceState) -> Row:
    if one.wrong:
        return row(Span("   ✗ ", Tone.BAD), Span(f"{one.name} ", Tone.STRONG), one.wrong)
    if one.stale:
        return row(Span("   ! ", Tone.WARN), Span(f"{one.name} ", Tone.STRONG), f"{one.stale:,} stand as last known")
    moved = f" ({one.assets - one.before:+,})" if one.assets != one.before else ""
    return row(Span("   ✓ ", Tone.GOOD), Span(f"{one.name} ", Tone.STRONG), f"{one.assets:,}{moved}")


def _file_row(step: SourceStep) -> Row:
    sign, tone = _SIGNS[step.stage]
    return row(Span(f"   {sign} ", tone), Span(f"{step.source}  ", Tone.STRONG), step.words())


def _wrong_row(text: str) -> Row:
    return row(Span("   ✗ ", Tone.BAD), text)
