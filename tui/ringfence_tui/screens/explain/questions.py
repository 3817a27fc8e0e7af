"""Why a connection is allowed or denied, what was seen of it, and a rule that allows it. In the engine process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ringfence.analysis.explain import Answer, Explanation, Side
from ringfence.analysis.signs import answer_sign, side_sign
from ringfence.language.writing import flow_text
from ringfence.model.errors import RingfenceError
from ringfence.model.picture import WORST_FIRST, Sign
from ringfence.model.safe_text import clean_line
from ringfence.model.services import service_texts
from ringfence.model.tables import DEFAULT_RULE
from ringfence.operations import draft
from ringfence.operations.explain import explain, process_of
from ringfence.operations.explain_states import Asked, explain_draft, explain_held, last_read, meant_by, seen_between
from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.rule_from_words import WrittenRule, rule_from_words
from ringfence.wire.first_few import first_few

from ringfence_tui.clock import date_and_clock
from ringfence_tui.engine.telling import Telling
from ringfence_tui.screens.explain.model import (
    AnswerView,
    Explained,
    ExplainRequest,
    LabelView,
    Offer,
    OtherStates,
    ReadView,
    SeenView,
    SideView,
    Words,
)

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.estate.draft_changes import AddRule
    from ringfence.model.assets import Asset
    from ringfence.model.rules import Policy

    from ringfence_tui.engine.questions import Questions
    from ringfence_tui.engine.session import EngineSession, Tell

MOST = 50  # answers that are shown
SHOWN = 8  # services that a line names before it counts the rest
USUAL = ("tcp/22", "tcp/80", "tcp/443", "tcp/3306", "tcp/5432", "tcp/6379", "tcp/8080", "tcp/8443", "udp/53", "icmp")
SEEN = ("app", "env", "role")


def words(session: EngineSession, _request: None, _tell: Tell) -> Words:
    """Return what the fields complete with."""
    estate = session.fresh()
    definitions = estate.workspace.definitions
    processes = {
        name
        for rule in estate.workspace.policy.rules
        for peer in (*rule.sources, *rule.destinations)
        if peer.process is not None
        for name in peer.process.units
    }
    return Words(
        tuple(sorted(asset.name for asset in estate.snapshot.assets)),
        tuple(sorted({*definitions.services, *USUAL})),
        tuple(sorted(processes)),
    )


def answer(session: EngineSession, request: ExplainRequest, tell: Tell) -> Explained:
    """Return why, by the files. Raise InputErrors for ends and services that are none."""
    estate = session.fresh()
    asked = _asked(request)
    found = explain(estate, asked.source, asked.destination, asked.service, asked.process)
    tell.check()
    every = [(one, False) for one in found.answers] + [(one, True) for one in found.others]
    client, server = _ends(estate, asked)
    view = _Viewing(estate, (client, server))
    return Explained(
        request,
        tuple(view.answer(one, other=other) for one, other in every[:MOST]),
        (_map_words(client, asked.source), _map_words(server, asked.destination)),
        max(0, len(every) - MOST),
    )


def states(session: EngineSession, request: ExplainRequest, tell: Tell) -> OtherStates:
    """Return the signs of each answer by what hosts hold, and by the draft where there is one."""
    estate = session.fresh()
    asked = _asked(request)
    files = explain(estate, asked.source, asked.destination, asked.service, asked.process)
    held = explain_held(estate, asked, session.execution(tell, Telling(tell)))
    tell.check()
    error, drafted = "", None
    try:
        drafted = explain_draft(estate, asked)
    except RingfenceError as wrong:
        error = str(wrong).splitlines()[0]
    every = (*files.answers, *files.others)[:MOST]
    return OtherStates(_signs(every, held), _signs(every, drafted), error)


def reads(session: EngineSession, request: ExplainRequest, _tell: Tell) -> tuple[ReadView, ...]:
    """Return what each end was last read to hold."""
    found = []
    for one in last_read(session.fresh(), _asked(request)):
        proof = one.proof
        if proof is None:
            found.append(ReadView(one.host, one.table, one.known, "confirmed, not read back since", None))
        else:
            word = "read back: as planned" if proof.ok else f"read back: {'; '.join(proof.sentences) or proof.state}"
            found.append(ReadView(one.host, one.table, proof.seen, word, proof.ok))
    return tuple(found)


def seen(session: EngineSession, request: ExplainRequest, tell: Tell) -> tuple[SeenView, ...]:
    """Return what was seen between the ends on the service."""
    found = seen_between(
        session.fresh(), _asked(request), FlowSelection(since="7d"), session.execution(tell, Telling(tell))
    )
    return tuple(SeenView(one.service, one.process, one.refused, one.connections, _time(one.last)) for one in found)


def offer(session: EngineSession, request: ExplainRequest, _tell: Tell) -> Offer:
    """Return the rule that would allow the connection, by the labels of its ends."""
    adding = _adding(session.fresh(), request)
    return Offer(tuple(f"{key}: {flow_text(value)}" for key, value in adding.rule.items()), adding.file)


def take(session: EngineSession, request: ExplainRequest, _tell: Tell) -> int:
    """Take that rule into the draft; return how many changes it holds."""
    session.writable("change the draft")
    estate = session.fresh()
    return len(draft.change(estate, _adding(estate, request)).changes)


def _adding(estate: Estate, request: ExplainRequest) -> AddRule:
    asked = _asked(request)
    ends = _ends(estate, asked)
    texts = [_selector(end, word) for end, word in zip(ends, (asked.source, asked.destination), strict=True)]
    process = request.process if not request.process.startswith("user:") else ""
    written = WrittenRule(texts[0], texts[1], asked.service, "allow", process=process)
    return rule_from_words(estate, draft.show(estate).edited, written)


def _selector(asset: Asset | None, word: str) -> str:
    """Return the labels that tell what an end is; its name where it has none, an address as it is."""
    if asset is None:
        return word
    labels = {key: value for key, value in asset.label_values().items() if key in SEEN}
    if not labels:
        return asset.name
    return "{" + ", ".join(f"{key}: {flow_text(value)}" for key, value in labels.items()) + "}"


def _asked(request: ExplainRequest) -> Asked:
    return Asked(request.client, request.server, request.service, process_of(request.process))


def _ends(estate: Estate, asked: Asked) -> tuple[Asset | None, Asset | None]:
    client, server = (meant_by(estate, word) for word in (asked.source, asked.destination))
    return client[0] if client else None, server[0] if server else None


def _map_words(asset: Asset | None, word: str) -> str:
    if asset is None:
        return word
    values = asset.label_values()
    return ",".join(f"{key}={values[key]}" for key in ("env", "app", "role") if key in values) or asset.name


class _Viewing:
    """Makes views of answers."""

    def __init__(self, estate: Estate, ends: tuple[Asset | None, Asset | None]) -> None:
        names = [end.name for end in ends if end is not None]
        self.ends = dict(enumerate(ends))
        self.compiled = estate.compiled(only=names)
        self.policy: Policy = estate.workspace.policy
        self.tiers = estate.workspace.settings.tiers
        self.at = {str(rule.place): rule for rule in self.policy.rules}

    def answer(self, one: Answer, *, other: bool) -> AnswerView:
        """Return an answer."""
        nearest = one.nearest
        first, second = (self.side(side, index, one) for index, side in enumerate(one.sides))
        return AnswerView(
            answer_sign(one),
            one.client,
            one.server,
            first_few(service_texts(one.services), SHOWN),
            (first, second),
            nearest.rule if nearest else "",
            str(nearest.place) if nearest else "",
            nearest.misses if nearest else (),
            other,
            one.beside.short if one.beside is not None else "",
        )

    def side(self, side: Side, index: int, one: Answer) -> SideView:
        """Return a side."""
        asset = self.ends[index]
        enforcement = self.compiled.enforcement.get(asset.name) if asset is not None else None
        place = str(side.place) if side.place else ""
        rule = self.at.get(place) if side.rule != DEFAULT_RULE else None
        labels = asset.labels.items() if asset is not None else ()
        return SideView(
            asset.name if asset is not None else (one.client, one.server)[index],
            side_sign(side),
            side.verdict,
            side.rule,
            rule.id if rule is not None else "",
            place,
            str(side.mode) if side.mode else "",
            str(enforcement.place) if enforcement is not None else "",
            str(side.process) or "any other process" if side.process is not None else "",
            (
                *side.notes,
                *([str(side.beside)] if side.beside is not None else []),
                *(map(str, one.ways) if index else ()),
            ),
            tuple(LabelView(key, label.value, clean_line(label.rule)) for key, label in sorted(labels)),
            tuple((tier, side.rule if rule is not None and rule.tier == tier else "–") for tier in self.tiers)
            if side.mode
            else (),
        )


def _signs(every: Sequence[Answer], other: Explanation | None) -> tuple[str, ...]:
    """Return the worst sign that other tables have for the services of each answer."""
    return tuple(_worst(one, other) for one in every) if other is not None else ()


def _worst(one: Answer, other: Explanation) -> str:
    found = list(_alike(one, other))
    return str(min(found, key=WORST_FIRST.index)) if found else ""


def _alike(one: Answer, other: Explanation) -> Iterator[Sign]:
    """Yield the signs of another explanation for the same ends; it has no answer for ends that it decides alike."""
    meeting = [answer for answer in (*other.answers, *other.others) if answer.services.meets(one.services)]
    ends = one.client, one.server, one.members
    same = [answer for answer in meeting if (answer.client, answer.server, answer.members) == ends]
    for answer in same or other.answers:
        if answer.services.meets(one.services):
            yield answer_sign(answer)


def _time(time: datetime) -> str:
    return date_and_clock((time if time.tzinfo is not None else time.replace(tzinfo=UTC)).isoformat())


QUESTIONS: Questions = {
    "words": words,
    "answer": answer,
    "states": states,
    "reads": reads,
    "seen": seen,
    "offer": offer,
    "take": take,
}
