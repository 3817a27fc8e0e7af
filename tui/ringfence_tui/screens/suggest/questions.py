"""Suggested rules with their evidence, taken into the draft or rejected. In the engine process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ringfence.estate.draft_changes import AddRule
from ringfence.language.documents import parse_documents
from ringfence.language.nodes import plain
from ringfence.language.reports import Reports
from ringfence.language.writing import flow_text, rule_lines
from ringfence.model.errors import InputError
from ringfence.operations import draft
from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.suggest import Wanted, reject, suggest
from ringfence.presenting.rule_suggestions import beyond_text, effect_lines, evidence_text, kept_rows
from ringfence.wire.first_few import first_few

from ringfence_tui.engine.progress import Progress
from ringfence_tui.engine.telling import Telling
from ringfence_tui.screens.suggest.model import Offer, Offers, RejectRequest, SuggestRequest, TakeRequest

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.estate.draft_changes import Change
    from ringfence.operations.suggest import Suggested
    from ringfence.suggest.rules import Offered

    from ringfence_tui.engine.questions import Questions
    from ringfence_tui.engine.session import EngineSession, Tell

MOST = 500


@dataclass
class _Kept:
    """The suggestions of one request, which cost a while, and the changes that take them."""

    lock: RLock = field(default_factory=RLock)
    estate: Estate | None = None
    request: SuggestRequest | None = None
    offers: Offers | None = None
    changes: Mapping[str, Change] = field(default_factory=dict)


_KEPT: WeakKeyDictionary[EngineSession, _Kept] = WeakKeyDictionary()
_MAKING = RLock()


def offers(session: EngineSession, request: SuggestRequest, tell: Tell) -> Offers:
    """Return what the traffic suggests; those that the draft holds already are marked."""
    kept = _kept(session, request, tell)
    assert kept.offers is not None
    drafted = draft.show(session.fresh())
    added = [one for one in drafted.changes if isinstance(one, AddRule)]
    held = {one.suggestion for one in added} | {(one.file, one.rule.get("name")) for one in added}
    marked = (replace(one, taken=one.id in held or (one.file, one.name) in held) for one in kept.offers.offers)
    return replace(kept.offers, offers=tuple(marked), draft=drafted.edited.draft.version)


def take(session: EngineSession, request: TakeRequest, tell: Tell) -> int:
    """Take a suggestion into the draft, as it is or as it was edited; return how many changes that holds.

    Raise InputError for one that is not suggested, and for a text that is not one rule.
    """
    session.writable("change the draft")
    kept = _kept(session, request.request, tell)
    adding = kept.changes.get(request.suggestion)
    if not isinstance(adding, AddRule):
        raise InputError(f"'{request.suggestion}' is not suggested any more", remedy="look again")
    if request.text:
        adding = replace(adding, rule=_rule(request.text))
    return len(draft.change(session.fresh(), adding).changes)


def refuse(session: EngineSession, request: RejectRequest, tell: Tell) -> str:
    """Write a suggestion into suggestions.yml as rejected; return its name."""
    session.writable("reject a suggestion")
    if not request.because.strip():
        raise InputError("a rejection has a reason", remedy="say it: the next one who looks will want to know")
    with _lock(session):
        named = reject(
            session.fresh(), _wanted(request.request), (request.suggestion,), request.because, session.execution(tell)
        )
        _of(session).offers = None
    return first_few([*named.values()])


def _kept(session: EngineSession, request: SuggestRequest, tell: Tell) -> _Kept:
    with _lock(session):
        tell.check()
        kept, estate = _of(session), session.fresh()
        if kept.offers is None or kept.estate is not estate or kept.request != request:
            tell(Progress("looking for rules"))
            with suggest(estate, _wanted(request), execution=session.execution(tell, Telling(tell))) as found:
                kept.offers = _view(request, found)
                kept.changes = found.changes
            kept.estate, kept.request = estate, request
        return kept


def _of(session: EngineSession) -> _Kept:
    with _MAKING:
        return _KEPT.setdefault(session, _Kept())


def _lock(session: EngineSession) -> RLock:
    return _of(session).lock


def _wanted(request: SuggestRequest) -> Wanted:
    return Wanted(FlowSelection(since=request.since), request.dial)


def _view(request: SuggestRequest, found: Suggested) -> Offers:
    breaking = found.effect.breaking if found.effect is not None else ()
    breaks = {one.id: tuple(what for what, causes in breaking if one.id in causes) for one in found.offers}
    effect = next((line.text for line in effect_lines(found.effect, found)), "") if found.effect is not None else ""
    return Offers(
        request,
        tuple(_offer(one, found, breaks[one.id]) for one in found.offers[:MOST]),
        tuple(_kept_words(row) for row in kept_rows(found.kept, found.groups)),
        tuple((one.id, one.because) for one in found.rejected),
        int(str(found.window["flows"])),
        found.allowed,
        effect,
        found.same_as,
        more=max(0, len(found.offers) - MOST),
    )


def _offer(one: Offered, found: Suggested, breaks: tuple[str, ...]) -> Offer:
    name = found.names.get(one.id, one.id)
    change = found.changes.get(one.id)
    rule = change.rule if isinstance(change, AddRule) else one.rule(name)
    assert one.evidence is not None
    return Offer(
        one.id,
        name,
        f"{_peer(rule['from'])} → {_peer(rule['to'])}",
        first_few(one.service_words()),
        "\n".join(rule_lines(rule, 0)),
        change.file if change is not None else "",
        evidence_text(one),
        beyond_text(one),
        one.evidence.flows,
        one.evidence.connections,
        one.beyond,
        one.reach,
        bool(one.kind),
        breaks,
    )


def _peer(said: object) -> str:
    if isinstance(said, Mapping):
        words = [str(value) if isinstance(value, str) else flow_text(value) for value in said.values()]
        return " ".join(words) or "any"
    if isinstance(said, list | tuple):
        return " | ".join(map(_peer, said))
    return str(said)


def _kept_words(row: tuple[object, ...]) -> str:
    why, client, server, services, connections, _ = row
    return f"{client} to {server} {services}, {connections} connections ({why})"


def _rule(text: str) -> Mapping[str, object]:
    reports = Reports()
    documents = parse_documents(text, "the rule", reports)
    reports.settle()
    said = plain(documents[0]) if len(documents) == 1 else None
    if isinstance(said, list) and len(said) == 1 and isinstance(said[0], dict):
        return said[0]
    raise InputError("this is not one rule", remedy="write - name: … from: … to: … allow: …")


QUESTIONS: Questions = {"offers": offers, "take": take, "reject": refuse}
