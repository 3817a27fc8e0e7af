"""The sheet as lines: its fields, the keys that change them, and at the foot what the rule would do."""

from __future__ import annotations

from ringfence.model.draft_effect import DraftEffect, RuleEffect, RuleHome

from ringfence_tui.screens.map.answers import Progress
from ringfence_tui.screens.map.names import how_many
from ringfence_tui.screens.map.sheet import Field, Sheet
from ringfence_tui.spans import Row, Span, Tone, fitting, row

SERVICES_SHOWN = 5
LABEL = 10
Foot = DraftEffect | Progress | str | None


def sheet_rows(sheet: Sheet, foot: Foot, time: str, width: int = 72) -> tuple[Row, ...]:
    """Return the lines; `foot` is the effect, how far judging is, or what is wrong; None while it is not known."""
    return (
        _line(sheet, Field.CLIENT, _end(sheet, Field.CLIENT)),
        _line(sheet, Field.SERVER, _end(sheet, Field.SERVER)),
        *_services(sheet),
        _line(sheet, Field.PROCESS, _process(sheet)),
        _line(sheet, Field.HOME, _home(sheet)),
        _line(sheet, Field.NAME, _name(sheet)),
        (Span(f"── effect on {time} ".ljust(width, "─"), Tone.RULE),),
        *effect_rows(foot),
        (),
        row(
            Span("enter", Tone.KEY),
            " into the draft   ",
            Span("tab", Tone.KEY),
            " field   ",
            Span("space", Tone.KEY),
            " tick   ",
            Span("esc", Tone.KEY),
            " leave",
        ),
    )


def effect_rows(foot: Foot) -> tuple[Row, ...]:
    """Return what is known of the rule's effect: always four lines, so that the sheet keeps its size."""
    match foot:
        case DraftEffect():
            rows = _effect(foot)
        case Progress():
            rows = _so_far(foot)
        case str():
            rows = [(Span("✗ ", Tone.BAD), Span(foot))]
        case _:
            rows = [(Span("judging", Tone.DIM),)]
    return fitting([*rows, *[()] * (4 - len(rows))], 4)


def _so_far(progress: Progress) -> list[Row]:
    """Return how far judging is, and what the rule does to the flows that are judged."""
    percent = progress.done * 100 // progress.of if progress.of else 0
    found: list[Row] = [(Span(f"judging {percent} %, the worst first", Tone.DIM),)]
    if progress.so_far is not None:
        denied, allowed = progress.so_far.denied.flows, progress.so_far.allowed.flows
        found.append(
            (
                Span("so far".ljust(LABEL), Tone.DIM),
                Span(f"newly denied {denied:,}", Tone.DENIED if denied else Tone.PLAIN),
                Span(f"   newly allowed {allowed:,}", Tone.ALLOWED if allowed else Tone.PLAIN),
            )
        )
    return found


def _effect(effect: DraftEffect) -> list[Row]:
    """Return whether the rule decides anything, what that changes, whom it bites, and what it breaks."""
    denied, allowed = effect.newly_denied.flows, effect.newly_allowed.flows
    rule = effect.rules[-1] if effect.rules else None
    first = f"{rule.decides:,} of {how_many(rule.matches, 'flow')}" if rule is not None else "0 flows"
    found: list[Row] = [
        (
            Span("decides".ljust(LABEL), Tone.DIM),
            Span(first, Tone.PLAIN if rule is not None and rule.decides else Tone.WARN),
            Span(f"   newly denied {denied:,}", Tone.DENIED if denied else Tone.PLAIN),
            Span(f"   newly allowed {allowed:,}", Tone.ALLOWED if allowed else Tone.PLAIN),
        )
    ]
    if effect.checks is not None and effect.checks.newly:
        found.append((Span("breaks".ljust(LABEL), Tone.DIM), Span(", ".join(effect.checks.newly), Tone.BAD)))
    if rule is not None and rule.before:
        found.append((Span("before it".ljust(LABEL), Tone.DIM), Span(_before(rule), Tone.WARN)))
    checks = f"   {effect.checks.words()}" if effect.checks is not None else ""
    bites = f"{rule.bites} of {how_many(rule.hosts, 'host')}" if rule is not None else "nobody"
    found.append((Span("bites".ljust(LABEL), Tone.DIM), Span(bites), Span(checks)))
    return found


def _before(rule: RuleEffect) -> str:
    first = rule.before[0]
    tier = f", tier {first.tier}," if first.tier else ""
    place = f" {first.place}" if first.place else ""
    return f"'{first.name}'{place}{tier} decides {first.flows:,}"


def home_words(home: RuleHome) -> str:
    """Return a document for people: its file, tier and scope."""
    parts = [home.file, f"tier {home.tier}", f"scope {home.scope}" if home.scope else "", "new" if home.new else ""]
    return ", ".join(part for part in parts if part)


def _line(sheet: Sheet, field: Field, value: Row) -> Row:
    chosen = sheet.field is field
    return (Span(field.value.ljust(LABEL), Tone.CHOSEN if chosen else Tone.DIM), *value)


def _end(sheet: Sheet, field: Field) -> Row:
    ends, place = (sheet.clients, sheet.client) if field is Field.CLIENT else (sheet.servers, sheet.server)
    value = Span(ends[place].words)
    if sheet.field is not field and not (field is Field.CLIENT and sheet.field is not Field.SERVER):
        return (value,)
    return (value, Span("   l", Tone.KEY), Span(f" {ends[(place + 1) % len(ends)].words}", Tone.DIM))


def _services(sheet: Sheet) -> list[Row]:
    every: list[Row] = [
        (
            Span("[x] " if offer.ticked and not sheet.any_service else "[ ] "),
            Span(offer.word),
            Span(f"  {how_many(offer.flows, 'flow')}, {how_many(offer.connections, 'connection')}", Tone.DIM),
        )
        for offer in sheet.offers
    ]
    every.append((Span("[x] any" if sheet.any_service else "[ ] any"),))
    first = max(0, min(sheet.service - SERVICES_SHOWN + 1, len(every) - SERVICES_SHOWN))
    rows: list[Row] = []
    for place in range(first, min(first + SERVICES_SHOWN, len(every))):
        value = every[place]
        if sheet.field is Field.SERVICES and place == sheet.service:
            value = (*(Span(span.text, Tone.CHOSEN) for span in value[:2]), *value[2:])
        label = Field.SERVICES.value if place == first else ""
        rows.append((Span(label.ljust(LABEL), Tone.DIM), *value))
    if len(every) > SERVICES_SHOWN:
        rows[-1] = (*rows[-1], Span(f"   {sheet.service + 1} of {len(every)}", Tone.DIM))
    return rows


def _process(sheet: Sheet) -> Row:
    value = Span(sheet.processes[sheet.process - 1][0] if sheet.process else "not named")
    if not sheet.processes:
        return (value, Span("   none was seen" if not sheet.process else "", Tone.DIM))
    name, flows = sheet.processes[sheet.process % len(sheet.processes)]
    return (value, Span("   p", Tone.KEY), Span(f" {name} ({how_many(flows, 'flow')})", Tone.DIM))


def _home(sheet: Sheet) -> Row:
    if sheet.place is None:
        return (Span("…", Tone.DIM),)
    more = (Span("   f", Tone.KEY), Span(" other file", Tone.DIM)) if len(sheet.homes) > 1 else ()
    return (Span(home_words(sheet.place)), *more)


def _name(sheet: Sheet) -> Row:
    return (Span(sheet.name), *((Span("▏", Tone.KEY),) if sheet.field is Field.NAME else ()))
