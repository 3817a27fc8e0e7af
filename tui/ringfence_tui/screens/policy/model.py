"""Policy files and their rules as rows: what each rule says and does, the lines around it, the effect of the draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import StrEnum

from ringfence.model.counts import counted
from ringfence.model.draft_effect import DraftEffect
from ringfence.model.picture import SignCount

from ringfence_tui.ages import age
from ringfence_tui.screens.map.answers import DamageNote
from ringfence_tui.spans import Row, Span, Tone, fitting, row

AROUND = 4
WRONG = 3  # tests and invariants that fail, named beside the effect


class Change(StrEnum):
    """What the draft does to a rule."""

    NONE = ""
    NEW = "new"
    CHANGED = "changed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule. `line` is that of the draft's text; of a dropped one, that of the file. `rule_id` may be unknown ("")."""

    file: str
    name: str
    line: int
    ends: str
    services: str
    action: str
    rule_id: str = ""
    change: Change = Change.NONE
    notes: tuple[str, ...] = ()

    @property
    def named(self) -> object:
        """Return what it is, wherever it stands."""
        return (self.file, self.name, self.ends, self.services)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a line (0: at none)."""

    file: str
    line: int
    column: int
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class FileView:
    """A policy file: its text with the draft, each line with its mark (`+` is the draft's), and its rules."""

    file: str
    text: str
    marks: tuple[str, ...]
    rules: tuple[RuleRow, ...]
    changed: bool = False
    kinds: str = ""

    @property
    def named(self) -> object:
        """Return what it is, wherever it stands."""
        return self.file

    @property
    def short(self) -> str:
        """Return its name below `policy/`."""
        return self.file.partition("/")[2] or self.file


@dataclass(frozen=True, slots=True)
class PolicyView:
    """All policy files and what is wrong; the draft's changes in words, its version, and one that is damaged."""

    files: tuple[FileView, ...] = ()
    faults: tuple[Fault, ...] = ()
    changes: tuple[str, ...] = ()
    can_undo: bool = False
    can_redo: bool = False
    version: str = ""
    damaged: DamageNote | None = None


@dataclass(frozen=True, slots=True)
class RuleUse:
    """How many flows a rule decides and when one was last seen (ISO text, "" for never)."""

    flows: int
    last: str


@dataclass(frozen=True, slots=True)
class Uses:
    """What rules decide, by their id; not `known` where nothing can be judged."""

    by: Mapping[str, RuleUse] = field(default_factory=dict)
    known: bool = True


@dataclass(frozen=True, slots=True)
class Linted:
    """What lint finds, by `file:line`."""

    by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EffectView:
    """What the draft does; `error` where it is no policy, or nothing can be judged."""

    effect: DraftEffect | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """What completes while a file is edited: values by label key, names of services and processes."""

    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    services: tuple[str, ...] = ()


Item = FileView | RuleRow


def items(view: PolicyView) -> tuple[Item, ...]:
    """Return the rows of the table: each file above its rules."""
    found: list[Item] = []
    for file in view.files:
        found += [file, *file.rules]
    return tuple(found)


def marks(before: str, after: str) -> tuple[str, ...]:
    """Return for each line of a text whether it is another one than before (`+`), or stands where some were (`-`)."""
    old, new = before.splitlines(), after.splitlines()
    found = [" "] * len(new)
    for kind, _, _, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "delete" and new:
            found[min(first, len(new) - 1)] = "-"
        elif kind != "equal":
            found[first:last] = ["+"] * (last - first)
    return tuple(found)


def head_row(view: PolicyView, effect: EffectView) -> Row:
    """Return the draft in short, and what is wrong."""
    spans = [Span(f" {counted(len(view.files), 'file')}", Tone.STRONG)]
    spans.append(Span(f"  {counted(sum(len(one.rules) for one in view.files), 'rule')}"))
    if view.changes:
        spans.append(Span(f"   draft {len(view.changes)} *", Tone.WARN))
    if view.damaged is not None:
        spans.append(Span("   ✗ a draft is damaged", Tone.BAD))
    checks = effect.effect.checks if effect.effect is not None else None
    if checks is not None:
        spans.append(Span(f"   {checks.words()}", Tone.BAD if checks.failing or checks.broken else Tone.GOOD))
    if view.faults:
        spans.append(Span(f"   ✗ {counted(len(view.faults), 'error')}: {place_of(view.faults[0])}", Tone.BAD))
    return tuple(spans)


def cells(item: Item, uses: Uses | None, lint: Linted, faults: Sequence[Fault]) -> tuple[Span | str, ...]:
    """Return the cells of a row."""
    if isinstance(item, FileView):
        wrong = sum(fault.file == item.file for fault in faults)
        said = f"✗ {counted(wrong, 'error')}" if wrong else "changed" if item.changed else ""
        words = counted(len(item.rules), "rule") if item.rules else item.kinds or "no rules"
        return (
            "*" if item.changed else "",
            Span(item.short, Tone.TITLE),
            Span(words, Tone.DIM),
            "",
            "",
            Span(said, Tone.BAD if wrong else Tone.WARN),
        )
    use = uses.by.get(item.rule_id) if uses is not None else None
    found = lint.by.get(f"{item.file}:{item.line}", ())
    notes = [str(item.change)] if item.change else []
    notes += [item.action] if item.action != "allow" else []
    notes += [f"lint: {found[0]}"] if found else []
    drafted = item.change is not Change.NONE
    last = age(use.last) if use is not None and use.last else ""
    known = uses is not None and uses.known
    if uses is None or not uses.known:
        flows = "…" if uses is None and not faults else "–"  # what cannot be read is not judged
    elif drafted or not item.rule_id:
        flows = ""
    else:
        flows = f"{use.flows:,}" if use is not None else "0"
    tone = Tone.WARN if drafted else Tone.PLAIN
    return (
        Span("-" if item.change is Change.DROPPED else "*" if drafted else "", Tone.WARN),
        Span(item.name, tone),
        f"{item.ends}  {item.services}",
        flows,
        last or ("never" if known and use is None and not drafted and item.rule_id else ""),
        Span(", ".join(notes), Tone.WARN if found or drafted else Tone.DIM),
    )


def place_of(fault: Fault) -> str:
    """Return where something is wrong."""
    return f"{fault.file}:{fault.line}" if fault.line else fault.file


def file_rows(view: PolicyView, item: Item | None, height: int) -> tuple[Row, ...]:
    """Return the lines around a rule, or the first of a file, with what is wrong below its line."""
    if item is None:
        return ()
    file = item if isinstance(item, FileView) else next((one for one in view.files if one.file == item.file), None)
    if file is None:
        return ()
    faults = [fault for fault in view.faults if fault.file == file.file]
    dropped = isinstance(item, RuleRow) and item.change is Change.DROPPED
    at = item.line if isinstance(item, RuleRow) and not dropped else faults[0].line if faults else 1
    rows: list[Row] = [
        row(Span(f" {file.short}", Tone.STRONG), Span("  dropped in the draft" if dropped else "", Tone.WARN))
    ]
    rows += [row(Span(f" ✗ {fault.message}", Tone.BAD)) for fault in faults if not fault.line]
    lines = file.text.splitlines()
    first = max(1, min(at - 1, len(lines)))
    for number in range(first, len(lines) + 1):
        if len(rows) >= height:
            break
        mark = file.marks[number - 1] if number <= len(file.marks) else " "
        tone = Tone.GOOD if mark == "+" else Tone.WARN if mark == "-" else Tone.PLAIN
        rows.append(row(Span(f" {mark}{number:>3} ", Tone.DIM), Span(lines[number - 1], tone)))
        rows += [row(Span(f"      ✗ {fault.message}", Tone.BAD)) for fault in faults if fault.line == number]
    return fitting(rows, height, "t lists every error")


def effect_rows(view: PolicyView, found: EffectView | None, rule: RuleRow | None = None) -> tuple[Row, ...]:
    """Return what the draft does, or that there is none."""
    if found is None:
        return (row(Span(" EFFECT OF THE DRAFT, 7d  …", Tone.TITLE)),)
    if found.error:
        return (row(Span(" EFFECT", Tone.TITLE)), row(Span(f" {found.error}", Tone.BAD)))
    one = found.effect
    if one is None:
        return ()
    rows = [row(Span(" EFFECT OF THE DRAFT, 7d" if view.changes else " NO DRAFT, flows of 7d", Tone.TITLE))]
    if view.changes:
        before, after = one.would_be_denied
        rows += [
            row(_count("x newly denied", one.newly_denied, Tone.DENIED)),
            row(_count("+ newly allowed", one.newly_allowed, Tone.WARN)),
            row(f" ! would be denied {after.flows:,}", Span(f"  ({after.flows - before.flows:+,})", Tone.DIM)),
        ]
        rows += [
            row(Span(f" {rule.name}: {rule.words()}", Tone.PLAIN if rule.decides else Tone.WARN))
            for rule in one.rules[:2]
        ]
        if len(one.rules) > 2:
            rows.append(row(Span(f" and {len(one.rules) - 2:,} more rules of the draft", Tone.DIM)))
        for flow in one.worst[:2]:
            client, server = (end.asset or end.address for end in (flow.client, flow.server))
            rows.append(row(Span(f" x {client} → {server}", Tone.DENIED), f"  {flow.connections:,}"))
        rows.append(row(f" {counted(len(one.hosts), 'host')} would take another table"))
    if one.checks is not None:
        bad = one.checks.failing or one.checks.broken
        rows.append(row(Span(f" {one.checks.words()}", Tone.BAD if bad else Tone.GOOD)))
        wrong = [row(Span(f"  ✗ {words}", Tone.BAD)) for words in (*one.checks.failing, *one.checks.broken)]
        rows += fitting(wrong, WRONG, "t lists them")
    return tuple(rows)


def check_rows(found: EffectView | None, faults: Sequence[Fault]) -> tuple[Row, ...]:
    """Return every error, test that fails and invariant that does not hold, with its counterexample."""
    rows: list[Row] = []
    for fault in faults:
        rows.append(row(Span(" ✗ ", Tone.BAD), Span(place_of(fault), Tone.STRONG), f"  {fault.message}"))
        if fault.remedy:
            rows.append(row(Span(f"     → {fault.remedy}", Tone.DIM)))
    checks = found.effect.checks if found is not None and found.effect is not None else None
    if checks is not None:
        rows.append(row(Span(f" {checks.words()}, as if every mode were full", Tone.TITLE)))
        for words in checks.failing:
            rows.append(row(Span(" ✗ ", Tone.BAD), f"test {words}"))
        for words in checks.broken:
            rows.append(row(Span(" ✗ ", Tone.BAD), words))
        for words in checks.newly:
            rows.append(row(Span(" * ", Tone.WARN), f"met until the draft: {words}"))
    elif found is not None and found.error:
        rows.append(row(Span(f" {found.error}", Tone.BAD)))
    return tuple(rows) or (row(Span(" …", Tone.DIM)),)


def _count(words: str, count: SignCount, tone: Tone) -> Span:
    return Span(f" {words} {count.flows:,}", tone if count.flows else Tone.DIM)
