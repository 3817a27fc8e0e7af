"""Policy files with the draft in them, what their rules do, and changes to the draft. In the engine process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ringfence.language.writing import flow_text
from ringfence.model.errors import InputError, RingfenceError
from ringfence.operations.draft_effect import DraftPicture
from ringfence.operations.lint import lint
from ringfence.operations.policy_texts import PolicyText, drop_rule, faults_of, keep_text, policy_texts
from ringfence.operations.rule_use import rule_use

from ringfence_tui.screens.map.answers import When
from ringfence_tui.screens.map.drafting import damage_of, followed
from ringfence_tui.screens.map.kept import judged_flows
from ringfence_tui.screens.policy.model import (
    Change,
    EffectView,
    Fault,
    FileView,
    Linted,
    PolicyView,
    RuleRow,
    RuleUse,
    Uses,
    Words,
    marks,
)
from ringfence_tui.screens.policy.requests import DropRequest, TextRequest
from ringfence_tui.screens.simulate.kept import simulated

if TYPE_CHECKING:
    from ringfence.language.rule_edits import RuleAt
    from ringfence.model.errors import Place

    from ringfence_tui.engine.questions import Questions
    from ringfence_tui.engine.session import EngineSession, Tell

SINCE = "7d"
ACTIONS = ("allow", "deny", "pass")
USUAL = ("tcp/22", "tcp/80", "tcp/443", "tcp/5432", "tcp/8080", "tcp/8443", "udp/53", "any", "icmp")


def files(session: EngineSession, _request: None, _tell: Tell) -> PolicyView:
    """Return the files with the draft in them; broken ones too, with what is wrong."""
    estate = session.fresh()
    found = policy_texts(estate)
    ids: Mapping[str, str] = {}
    try:
        ids = {f"{rule.place.file}:{rule.place.line}": rule.id for rule in estate.workspace.policy.rules}
    except RingfenceError:
        ids = {}
    drafted = found.drafted
    return PolicyView(
        tuple(_file(one, ids) for one in found.files),
        tuple(map(_fault, found.faults)),
        tuple(f"{one.file}: {one.words()}" for one in drafted.changes),
        drafted.can_undo,
        drafted.can_redo,
        drafted.edited.draft.version,
        damage_of(drafted),
    )


def use(session: EngineSession, _request: None, tell: Tell) -> Uses:
    """Return what each rule of the files decides of the flows that were seen."""
    with simulated(session, SINCE, "", tell) as kept:
        assert kept.found is not None
        found = rule_use(kept.found)
    return Uses({rule: RuleUse(one.flows, one.last.isoformat() if one.last else "") for rule, one in found.items()})


def linted(session: EngineSession, _request: None, tell: Tell) -> Linted:
    """Return what lint finds in the files."""
    by: dict[str, list[str]] = {}
    for problem in lint(session.fresh()):
        tell.check()
        if problem.place is not None:
            by.setdefault(f"{problem.place.file}:{problem.place.line}", []).append(problem.message)
    return Linted({place: tuple(messages) for place, messages in by.items()})


def effect(session: EngineSession, _request: None, tell: Tell) -> EffectView:
    """Return what the draft does to flows, tests, invariants and hosts; a draft that is no policy says why."""
    try:
        with judged_flows(session, When(SINCE), tell) as kept:
            return _effect(kept, session, tell)
    except RingfenceError as error:
        return EffectView(error=str(error).splitlines()[0])


def _effect(kept: DraftPicture, session: EngineSession, tell: Tell) -> EffectView:
    execution = session.execution(tell)
    note = followed(kept, execution, tell)
    if note.conflict:
        return EffectView(error=note.conflict)
    return EffectView(kept.effect(execution=execution))


def words(session: EngineSession, _request: None, _tell: Tell) -> Words:
    """Return what completes in a policy file; nothing of the inventory where the files are broken."""
    estate = session.fresh()
    try:
        assets, services = estate.snapshot.assets, tuple(estate.workspace.definitions.services)
    except RingfenceError:
        kept = session.kept()
        assets, services = kept.assets if kept is not None else (), ()
    labels: dict[str, Counter[str]] = {}
    for asset in assets:
        for key, value in asset.label_values().items():
            labels.setdefault(key, Counter())[value] += 1
    return Words(
        {key: tuple(value for value, _ in counts.most_common()) for key, counts in sorted(labels.items())},
        tuple(sorted({*services, *USUAL})),
    )


def faults(session: EngineSession, request: TextRequest, tell: Tell) -> tuple[Fault, ...]:
    """Return what is wrong in the policy with a text in place of a file's."""
    tell.check()
    found = faults_of(session.fresh(), {request.file: request.text})
    return tuple(map(_fault, found))


def keep(session: EngineSession, request: TextRequest, _tell: Tell) -> int:
    """Take a whole text into the draft; return how many changes it holds."""
    session.writable("change the draft")
    return len(keep_text(session.fresh(), request.file, request.text, request.before).changes)


def drop(session: EngineSession, request: DropRequest, _tell: Tell) -> int:
    """Take a rule out, in the draft."""
    session.writable("change the draft")
    return len(drop_rule(session.fresh(), request.file, request.line).changes)


def _file(one: PolicyText, ids: Mapping[str, str]) -> FileView:
    before = {_name(at): at for at, _ in one.rules_before}
    after = {_name(at) for at, _ in one.rules}
    known = {(place.line, _name(at)) for at, place in one.rules_before}
    same = one.before == one.after
    rows = []
    for at, place in one.rules:
        change = Change.NONE
        if not same:
            old = before.get(_name(at))
            change = Change.NEW if old is None else Change.CHANGED if dict(old.said) != dict(at.said) else Change.NONE
        lines = {line for line, name in known if name == _name(at)}
        line = place.line if same or not lines else min(lines, key=lambda number: abs(number - place.line))
        rule_id = ids.get(f"{one.file}:{line}", "") if change is Change.NONE else ""
        rows.append(_row(one.file, at, place, rule_id, change))
    rows += [_row(one.file, at, place, "", Change.DROPPED) for at, place in one.rules_before if _name(at) not in after]
    kinds = [key for key in ("enforce", "selectors", "services", "lists") if f"\n{key}:" in f"\n{one.after}"]
    return FileView(one.file, one.after, marks(one.before or "", one.after), tuple(rows), not same, ", ".join(kinds))


def _row(file: str, at: RuleAt, place: Place, rule_id: str, change: Change) -> RuleRow:
    said = at.said
    action = next((one for one in ACTIONS if one in said), "")
    ends = f"{_peer(said.get('from'))} → {_peer(said.get('to'))}"
    return RuleRow(file, at.name, place.line, ends, _listed(said.get(action)), action, rule_id, change)


def _name(at: RuleAt) -> str:
    return at.name


def _peer(said: object) -> str:
    if isinstance(said, Mapping):
        if not said:
            return "any"
        parts = [_value(str(key), value) for key, value in said.items() if key != "process"]
        process = said.get("process")
        named = f"/{_listed([*process.values()])}" if isinstance(process, Mapping) else ""
        return (" ".join(parts) or "any") + named
    if isinstance(said, Sequence) and not isinstance(said, str):
        return " | ".join(map(_peer, said))
    return "?" if said is None else str(said)


def _value(key: str, value: object) -> str:
    if isinstance(value, str) and key != "not":
        return value
    return f"{key} {_peer(value) if key == 'not' else flow_text(value)}"


def _listed(said: object) -> str:
    if isinstance(said, Sequence) and not isinstance(said, str):
        return ", ".join(map(_listed, said))
    return "" if said is None else str(said)


def _fault(error: InputError) -> Fault:
    place = error.place
    return Fault(
        place.file if place else "",
        place.line if place else 0,
        place.column if place else 0,
        error.message,
        error.remedy or "",
    )


QUESTIONS: Questions = {
    "files": files,
    "use": use,
    "lint": linted,
    "effect": effect,
    "words": words,
    "faults": faults,
    "keep": keep,
    "drop": drop,
}
